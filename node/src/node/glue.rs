//! Between a machine's driver and the swarm, in both directions.

use std::sync::{Arc, OnceLock};

use covey_kernel::{
    Address, AskId, GossipId, GossipVerdict, Input, Machine, Peer, RequestId, Topic,
};

use super::NodeError;
use crate::{
    driver::{self, Inbox, Outside},
    store::Db,
    swarm::{self, Command, Line, News, Port},
};

/// Where the swarm finds a machine. The swarm starts first, because a port in use must be
/// noticed before anything else happens; until the machine is there, its inbox counts as full.
pub(super) struct Door<M: Machine>(Arc<OnceLock<Inbox<M>>>);

impl<M: Machine> Default for Door<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Machine> Clone for Door<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Machine> Door<M> {
    /// The machine is there.
    pub(super) fn open(&self, inbox: Inbox<M>) {
        if self.0.set(inbox).is_err() {
            tracing::error!(machine = M::NAME, "a machine was started twice");
        }
    }
}

impl<M: Machine> Port for Door<M> {
    fn deliver(&self, news: News) -> Result<(), News> {
        let Some(inbox) = self.0.get() else { return Err(news) };
        // An input that comes back is the one that went in, so it is news.
        inbox.push(input(news)).or_else(|input| news_of(input).map_or(Ok(()), Err))
    }
}

/// What every machine is started with.
pub(super) struct Starting<'n> {
    pub(super) db: &'n Db,
    pub(super) swarm: &'n swarm::Handle,
    pub(super) driving: &'n driver::Config,
}

impl Starting<'_> {
    /// Starts a machine on its family of the store, and lets the swarm in.
    pub(super) fn machine<M: Machine>(
        &self,
        line: Line,
        rules: M::Rules,
        door: &Door<M>,
    ) -> Result<(Inbox<M>, driver::Handle), NodeError> {
        self.marked(line, 0, rules, door)
    }

    /// The same for one of several machines on a line, which the marks on its questions tell apart.
    pub(super) fn marked<M: Machine>(
        &self,
        line: Line,
        mark: u64,
        rules: M::Rules,
        door: &Door<M>,
    ) -> Result<(Inbox<M>, driver::Handle), NodeError> {
        let family = self.db.family(M::NAME).ok_or(NodeError::Family(M::NAME))?;
        let outside = Mouth { line, mark, swarm: self.swarm.clone() };
        let (inbox, handle) = driver::spawn::<M>(rules, family, outside, self.driving)
            .map_err(|error| NodeError::Machine(error.to_string()))?;
        door.open(inbox.clone());
        Ok((inbox, handle))
    }
}

fn input<M: Machine>(news: News) -> Input<M> {
    match news {
        News::Request { from, id, bytes } => Input::Request { from, id, bytes },
        News::Answer { from, ask, outcome } => Input::Answer { from, ask, outcome },
        News::Gossip { from, topic, id, bytes } => Input::Gossip { from, topic, id, bytes },
        News::Connected(peer) => Input::Connected(peer),
        News::Disconnected(peer) => Input::Disconnected(peer),
    }
}

fn news_of<M: Machine>(input: Input<M>) -> Option<News> {
    Some(match input {
        Input::Request { from, id, bytes } => News::Request { from, id, bytes },
        Input::Answer { from, ask, outcome } => News::Answer { from, ask, outcome },
        Input::Gossip { from, topic, id, bytes } => News::Gossip { from, topic, id, bytes },
        Input::Connected(peer) => News::Connected(peer),
        Input::Disconnected(peer) => News::Disconnected(peer),
        Input::Start | Input::Wake | Input::Command { .. } => return None,
    })
}

/// How a machine speaks to the swarm. It waits when the swarm has too much to do, which slows
/// the machine's next turn. The swarm reads on meanwhile: it stops reading commands only when
/// `OVERDUE` inputs wait for a machine, more than one turn can ask for.
pub(super) struct Mouth {
    pub(super) line: Line,
    /// Bits that every question's id has.
    pub(super) mark: u64,
    pub(super) swarm: swarm::Handle,
}

impl Mouth {
    fn say(&self, command: Command) {
        if self.swarm.blocking_send(command).is_err() {
            tracing::debug!("the swarm has ended: nothing more is sent");
        }
    }
}

impl Outside for Mouth {
    fn ask(&mut self, to: Peer, ask: AskId, bytes: Vec<u8>) {
        let ask = AskId(ask.0 | self.mark);
        self.say(Command::Ask { line: self.line, to, ask, bytes });
    }

    fn answer(&mut self, to: RequestId, bytes: Vec<u8>) {
        self.say(Command::Answer { line: self.line, to, bytes });
    }

    fn seek(&mut self, peer: Peer, addresses: Vec<Address>) {
        let (line, mark) = (self.line, self.mark);
        self.say(Command::Seek { line, mark, peer, addresses });
    }

    fn release(&mut self, peer: Peer) {
        let (line, mark) = (self.line, self.mark);
        self.say(Command::Release { line, mark, peer });
    }

    fn strike(&mut self, peer: Peer) {
        self.say(Command::Strike(peer));
    }

    fn join(&mut self, topic: Topic) {
        self.say(Command::Join { line: self.line, topic });
    }

    fn leave(&mut self, topic: Topic) {
        self.say(Command::Leave { line: self.line, topic });
    }

    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        self.say(Command::Publish { line: self.line, topic, bytes });
    }

    fn judge(&mut self, gossip: GossipId, verdict: GossipVerdict) {
        self.say(Command::Judge { line: self.line, gossip, verdict });
    }
}
