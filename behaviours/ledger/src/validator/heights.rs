//! How far each validator has come. One that was set back to an older copy of its store would promise
//! coins again that it has promised before; so the others keep what it told them, it asks them when it
//! starts, and does not vote before enough have answered. Each epoch has its own keys and so its own
//! heights, and is asked about anew when it is entered: a copy from before has the key of the next epoch
//! too. The numbers go on.

use covey_kernel::{Effect, Fault, Peer, PublicKey, RequestId};

use super::{Change, Cx, Delta, Errand, Stage, Validator, answer, layout, records};
use crate::{
    error::Error,
    height::{Height, SignedHeight},
    limits::{ASK_AGAIN, HEIGHT_EVERY},
    wire::{FromValidator, ToValidator},
};

/// The number after all that one who has sealed could give.
pub(super) const SEALED: u64 = u64::MAX;

impl Validator {
    /// Other members that must have answered before this one votes.
    pub(super) fn needed(&self) -> usize {
        match self.memory.term {
            Some(_) => self.configuration().quorum().saturating_sub(1),
            None => 0,
        }
    }

    pub(super) fn start(&self, cx: &mut Cx<'_, '_>) -> Result<Delta, Error> {
        self.seek(cx, self.memory.network.configurations());
        let proposed = self.memory.candidacies.values();
        self.seek(cx, proposed.map(|kept| &kept.candidacy.proposal.configuration));
        // What the epoch's turn needs is looked up in the next one.
        cx.effects.push(Effect::Wake(cx.now));
        let mut delta =
            Delta(vec![Change::ImportAt(Some(cx.now)), Change::SuccessionAt(Some(cx.now))]);
        if self.memory.stage == Stage::Behind {
            delta.and(self.go_on_unsealed(cx, &self.memory.network)?);
        }
        if matches!(self.memory.stage, Stage::Checking(_)) && self.needed() == 0 {
            delta.0.push(self.becomes(cx, self.able(self.is_import_done())));
        }
        delta.and(self.ask_all(cx));
        Ok(delta)
    }

    pub(super) fn is_import_done(&self) -> bool {
        self.memory.term.as_ref().is_none_or(|term| term.imported.is_some())
    }

    /// Asks all who have not answered how far this validator had come.
    fn ask_all(&self, cx: &mut Cx<'_, '_>) -> Delta {
        let mut delta = Delta::default();
        let Stage::Checking(answered) = &self.memory.stage else { return delta };
        cx.effects.push(Effect::Wake(cx.now.plus(ASK_AGAIN)));
        for (place, member) in self.others().filter(|(place, _)| !answered.contains(place)) {
            self.ask_my_height(cx, &mut delta, (place, member.peer));
        }
        delta
    }

    fn ask_my_height(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, (place, to): (usize, Peer)) {
        let epoch = self.memory.epoch();
        let errand = Errand::MyHeight(epoch, place);
        if !self.is_asked(delta, &to, |one| *one == errand) {
            self.ask(cx, delta, to, errand, ToValidator::MyHeight(epoch));
        }
    }

    pub(super) fn wake(&self, cx: &mut Cx<'_, '_>) -> Result<Delta, Error> {
        let mut delta = self.ask_all(cx);
        match self.memory.tell_at {
            // Or a clock was set back.
            Some(at) if at <= cx.now || at > cx.now.plus(HEIGHT_EVERY) => {
                self.tell(cx, &mut delta);
            }
            Some(at) => cx.effects.push(Effect::Wake(at)),
            None => {}
        }
        self.wake_succession(cx, &mut delta)?;
        self.wake_import(cx, &mut delta)?;
        self.wake_settling(cx, &mut delta)?;
        self.wake_pruning(cx, &mut delta)?;
        Ok(delta)
    }

    pub(super) fn connected(&self, cx: &mut Cx<'_, '_>, peer: Peer) -> Result<Delta, Error> {
        let mut delta = Delta::from(Change::Online(peer));
        if let Some((place, _)) = self.others().find(|(_, member)| member.peer == peer) {
            // A question that was lost with an earlier connection fails by itself.
            if matches!(&self.memory.stage, Stage::Checking(all) if !all.contains(&place)) {
                self.ask_my_height(cx, &mut delta, (place, peer));
            }
            if matches!(self.memory.stage, Stage::Voting) && self.memory.next > 0 {
                self.tell_one(cx, &mut delta, peer);
            }
        }
        self.meet(cx, &mut delta, peer);
        Ok(delta)
    }

    /// A member tells how far it has come: the highest number is kept.
    pub(super) fn heard_height(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        member: PublicKey,
        height: SignedHeight,
    ) -> Result<Delta, Error> {
        let key = layout::height(&member);
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
        member: PublicKey,
    ) -> Result<Delta, Error> {
        let known = records::read::<SignedHeight>(cx.view, &layout::height(&member))?;
        answer(cx, id, &FromValidator::Height(known));
        Ok(Delta::default())
    }

    /// A member has said how far this validator had come.
    pub(super) fn told_mine(
        &self,
        cx: &mut Cx<'_, '_>,
        place: usize,
        height: Option<SignedHeight>,
    ) -> Result<Delta, Fault> {
        // Also when it votes already: the last to answer may be the only one who knows.
        if let Some(height) = height.filter(|height| self.is_ahead_of_me(height)) {
            if let Some(term) = &self.memory.term {
                records::write(cx.view, layout::height(&term.key.public()), &height);
            }
            let mut delta = Delta::from(self.becomes(cx, Stage::Behind));
            delta.and(self.go_on_unsealed(cx, &self.memory.network)?);
            return Ok(delta);
        }
        let Stage::Checking(answered) = &self.memory.stage else { return Ok(Delta::default()) };
        let mut answered = answered.clone();
        answered.insert(place);
        if answered.len() < self.needed() {
            return Ok(Change::Stage(Stage::Checking(answered)).into());
        }
        cx.effects.push(Effect::Wake(cx.now));
        let now = Some(cx.now);
        let stage = self.able(self.is_import_done());
        let votes = stage == Stage::Voting;
        let stage = self.becomes(cx, stage);
        let mut delta = Delta(vec![stage, Change::SuccessionAt(now), Change::ImportAt(now)]);
        // What it voted for before it stopped may never have been told.
        if votes && self.memory.next > 0 {
            delta.0.extend(self.tell_soon(cx));
        }
        Ok(delta)
    }

    /// Whether this validator itself has signed that it had come further than it is. What others
    /// only claim does not count.
    fn is_ahead_of_me(&self, height: &SignedHeight) -> bool {
        let Some(term) = &self.memory.term else { return false };
        height.height.epoch == term.epoch
            && height.height.next > self.memory.next
            && height.verify(&self.rules.network.id, &term.key.public()).is_ok()
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
    fn tell(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta) {
        delta.0.push(Change::TellAt(None));
        let there = self.others().filter(|(_, member)| self.memory.online.contains(&member.peer));
        for (_, member) in there {
            self.tell_one(cx, delta, member.peer);
        }
    }

    /// Tells all who are there that it votes no more in this epoch, in the last words of its key: a copy
    /// of the store from before is then behind, even if it had voted for nothing since.
    pub(super) fn tell_sealed(&self, cx: &mut Cx<'_, '_>) -> Delta {
        let mut delta = Delta::default();
        let Some(term) = &self.memory.term else { return delta };
        let height = Height { epoch: term.epoch, next: SEALED };
        let height = SignedHeight::sign(&term.key, &self.rules.network.id, height);
        for (_, member) in self.others().filter(|(_, one)| self.memory.online.contains(&one.peer)) {
            self.ask(cx, &mut delta, member.peer, Errand::Told, ToValidator::Height(height));
        }
        delta
    }

    fn tell_one(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, to: Peer) {
        let Some(term) = &self.memory.term else { return };
        let height = Height { epoch: term.epoch, next: self.memory.next };
        let height = SignedHeight::sign(&term.key, &self.rules.network.id, height);
        self.ask(cx, delta, to, Errand::Told, ToValidator::Height(height));
    }
}
