//! What the machine decides, one subject a file. Everything here reads and writes through a
//! [`desk::Desk`].
//!
//! A block that is taken is added to the graph at once, and a fault of the store after that halts
//! the node; so whatever else can be refused is refused before the first block is added.

mod adding;
mod answers;
mod chains;
mod choosing;
pub(crate) mod desk;
mod fetching;
mod flights;
mod forks;
mod forum;
mod held;
mod ingest;
mod making;
mod news;
mod payloads;
mod pulling;
mod purging;
mod reading;
mod rounds;
mod serving;
mod states;
mod waiting;
mod wasted;

use covey_kernel::{CommandId, Effect};

use crate::{
    check::Checked,
    command::{Command, Reply},
    error::Error,
    wire::{Refusal, Request, Response},
};
use desk::Desk;

impl Desk<'_, '_, '_> {
    pub(crate) fn decide(&mut self, input: Checked) -> Result<(), Error> {
        match input {
            Checked::Start => self.start(),
            Checked::Wake => self.wake(),
            Checked::Command(id, command) => self.command(id, command),
            Checked::Request(from, id, request) => match request {
                Request::Pull(pull) => self.pulled(from, id, &pull),
                Request::Want(want) => self.wanted(from, id, &want),
                Request::Held(asker) => self.held_wanted(from, id, &asker),
                Request::Nudge(asker) => self.nudged(from, id, &asker),
                Request::Names(()) => self.names_wanted(id),
            },
            Checked::Nonsense(from, id) => {
                self.effect(Effect::Strike(from));
                let answer = Response::Refused(Refusal::Invalid(())).encode();
                self.effect(Effect::Answer { to: id, bytes: answer });
                Ok(())
            }
            Checked::Answer(from, ask, outcome) => self.answered(from, ask, outcome),
            Checked::Connected(peer) => self.connected(peer),
            Checked::Disconnected(peer) => {
                self.memory().live.borrow_mut().forget(&peer);
                Ok(())
            }
            Checked::News(from, id, news) => self.heard(from, id, *news),
        }
    }

    fn command(&mut self, id: CommandId, command: Command) -> Result<(), Error> {
        if let Some(reply) = self.obey(id, command)? {
            self.effect(Effect::Reply { to: id, reply: Ok(reply) });
        }
        Ok(())
    }

    /// None if the reply comes later.
    fn obey(&mut self, id: CommandId, command: Command) -> Result<Option<Reply>, Error> {
        let reply = match command {
            Command::Join(join) => self.join(*join)?,
            Command::Leave(which) => self.leave(&which)?,
            Command::List => self.list(),
            Command::Status(which) => self.status(&which)?,
            Command::Genesis(which) => Reply::Id(self.chain(&which)?.genesis),
            Command::Heads(which, heads) => self.heads(&which, heads)?,
            Command::Order(which) => self.order(&which)?,
            Command::Traverse(which, from) => self.traverse(&which, &from)?,
            Command::Block(which, id) => self.block(&which, &id)?,
            Command::Content(which, id, key) => {
                Reply::Content(Box::new(self.content(&which, &id, key.as_deref())?))
            }
            Command::Choose(which, id) => self.choose(&which, &id)?,
            Command::Post(post) => self.post(*post)?,
            Command::Reps(which, of) => self.reps(&which, of)?,
            Command::Show(show) => self.show(&show)?,
            Command::MarkRead(which) => self.mark_read(&which)?,
            Command::Mute(which, author, mute) => self.mute(&which, &author, mute)?,
            Command::Muted(which) => self.muted(&which)?,
            Command::Purge(purge) => self.purge(purge)?,
            Command::Sync(which, peer, direction) => {
                return self.sync(id, &which, peer, direction).map(|()| None);
            }
            Command::PeerChains(peer) => {
                self.ask_names(id, peer);
                return Ok(None);
            }
        };
        Ok(Some(reply))
    }
}
