//! How far each validator has come. One that was set back to an older copy of its store would promise
//! coins again that it has promised before; so the others keep what it told them, it asks them when it
//! starts, and does not vote before enough have answered.

use covey_kernel::{AskFailure, AskId, Effect, Peer, RequestId};

use super::{Change, Cx, Delta, Event, Stage, Validator, answer, layout, records};
use crate::{
    error::Error,
    height::{Height, SignedHeight},
    limits::{ASK_AGAIN, HEIGHT_EVERY},
    reason::Reason,
    wire::{FromValidator, ToValidator},
};

impl Validator {
    /// Other members that must have answered before this one votes.
    pub(super) fn needed(&self) -> usize {
        self.rules.network.newest().quorum().saturating_sub(1)
    }

    pub(super) fn start(&self, cx: &mut Cx<'_, '_>) -> Delta {
        for (_, member) in self.others() {
            let addresses = member.addresses.to_vec();
            cx.effects.push(Effect::Seek { peer: member.peer, addresses });
        }
        if self.needed() == 0 && self.memory.stage != Stage::Behind {
            return self.becomes(cx, Stage::Voting);
        }
        self.ask_all(cx)
    }

    /// Asks all who have not answered how far this validator had come.
    fn ask_all(&self, cx: &mut Cx<'_, '_>) -> Delta {
        let Stage::Checking(answered) = &self.memory.stage else { return Delta::default() };
        let silent = self.others().filter(|(place, _)| !answered.contains(place));
        let silent: Vec<(usize, Peer)> = silent.map(|(place, one)| (place, one.peer)).collect();
        cx.effects.push(Effect::Wake(cx.now.plus(ASK_AGAIN)));
        let mut delta = Delta::default();
        for (place, peer) in silent {
            if !self.is_asked(place) {
                self.ask(cx, &mut delta, (place, peer), ToValidator::MyHeight(()));
            }
        }
        delta
    }

    fn is_asked(&self, place: usize) -> bool {
        self.memory.asks.values().any(|asked| *asked == place)
    }

    pub(super) fn wake(&self, cx: &mut Cx<'_, '_>) -> Delta {
        let mut delta = self.ask_all(cx);
        match self.memory.tell_at {
            // Or a clock was set back.
            Some(at) if at <= cx.now || at > cx.now.plus(HEIGHT_EVERY) => {
                delta.0.append(&mut self.tell(cx).0);
            }
            Some(at) => cx.effects.push(Effect::Wake(at)),
            None => {}
        }
        delta
    }

    pub(super) fn connected(&self, cx: &mut Cx<'_, '_>, peer: Peer) -> Delta {
        let mut delta = Delta::from(Change::Online(peer));
        let Some(place) = self.rules.network.newest().place(&peer) else { return delta };
        // A question that was lost with an earlier connection fails by itself.
        if matches!(&self.memory.stage, Stage::Checking(answered) if !answered.contains(&place))
            && !self.is_asked(place)
        {
            self.ask(cx, &mut delta, (place, peer), ToValidator::MyHeight(()));
        }
        if matches!(self.memory.stage, Stage::Voting) && self.memory.next > 0 {
            self.tell_one(cx, &mut delta, (place, peer));
        }
        delta
    }

    /// A member tells how far it has come: the highest number is kept.
    pub(super) fn heard_height(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        place: usize,
        height: SignedHeight,
    ) -> Result<Delta, Error> {
        let configuration = self.rules.network.newest();
        let member = configuration.members.get(place).ok_or(Reason::CertificateSigners)?;
        let key = layout::height(&member.vote);
        let known = records::read::<SignedHeight>(cx.view, &key)?;
        if known.is_none_or(|known| known.height.next < height.height.next) {
            records::write(cx.view, key, &height);
        }
        answer(cx, id, &FromValidator::Noted(()));
        Ok(Delta::default())
    }

    /// A member asks how far it had come. It is told also while this one is checking itself: else
    /// two that start at once would wait for each other.
    pub(super) fn tell_them_theirs(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        place: usize,
    ) -> Result<Delta, Error> {
        let configuration = self.rules.network.newest();
        let member = configuration.members.get(place).ok_or(Reason::CertificateSigners)?;
        let known = records::read::<SignedHeight>(cx.view, &layout::height(&member.vote))?;
        answer(cx, id, &FromValidator::Height(known));
        Ok(Delta::default())
    }

    pub(super) fn answered(
        &self,
        cx: &mut Cx<'_, '_>,
        ask: AskId,
        outcome: Result<FromValidator, AskFailure>,
    ) -> Result<Delta, Error> {
        let Some(place) = self.memory.asks.get(&ask).copied() else { return Ok(Delta::default()) };
        let mut delta = Delta::from(Change::Answered(ask));
        let Ok(FromValidator::Height(height)) = outcome else { return Ok(delta) };
        // Also when it votes already: the last to answer may be the only one who knows.
        if let Some(height) = height.filter(|height| self.is_ahead_of_me(height)) {
            records::write(cx.view, layout::height(&self.memory.key.public()), &height);
            delta.0.append(&mut self.becomes(cx, Stage::Behind).0);
            return Ok(delta);
        }
        let Stage::Checking(answered) = &self.memory.stage else { return Ok(delta) };
        let mut answered = answered.clone();
        answered.insert(place);
        let enough = answered.len() >= self.needed();
        let stage = if enough { Stage::Voting } else { Stage::Checking(answered) };
        delta.0.append(&mut self.becomes(cx, stage).0);
        Ok(delta)
    }

    /// Whether this validator itself has signed that it had come further than it is. What others
    /// only claim does not count.
    fn is_ahead_of_me(&self, height: &SignedHeight) -> bool {
        let key = self.memory.key.public();
        height.height.epoch == self.memory.epoch
            && height.height.next > self.memory.next
            && height.verify(&self.rules.network.id, &key).is_ok()
    }

    fn becomes(&self, cx: &mut Cx<'_, '_>, stage: Stage) -> Delta {
        if stage.not_ready() != self.memory.stage.not_ready() {
            cx.effects.push(Effect::Tell(Event::Ready(stage.not_ready())));
        }
        let votes = stage == Stage::Voting;
        let mut delta = Delta::from(Change::Stage(stage));
        // What it voted for before it stopped may never have been told.
        if votes && self.memory.next > 0 {
            delta.0.extend(self.tell_soon(cx));
        }
        delta
    }

    /// Plans to tell the others, unless that is planned.
    pub(super) fn tell_soon(&self, cx: &mut Cx<'_, '_>) -> Option<Change> {
        if self.memory.tell_at.is_some() || self.needed() == 0 {
            return None;
        }
        let at = cx.now.plus(HEIGHT_EVERY);
        cx.effects.push(Effect::Wake(at));
        Some(Change::TellAt(Some(at)))
    }

    /// Tells all who are there how far this validator has come.
    fn tell(&self, cx: &mut Cx<'_, '_>) -> Delta {
        let mut delta = Delta(vec![Change::TellAt(None)]);
        let there = self.others().filter(|(_, member)| self.memory.online.contains(&member.peer));
        let there: Vec<(usize, Peer)> = there.map(|(place, one)| (place, one.peer)).collect();
        for to in there {
            self.tell_one(cx, &mut delta, to);
        }
        delta
    }

    fn tell_one(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, to: (usize, Peer)) {
        let height = Height { epoch: self.memory.epoch, next: self.memory.next };
        let height = SignedHeight::sign(&self.memory.key, &self.rules.network.id, height);
        self.ask(cx, delta, to, ToValidator::Height(height));
    }
}
