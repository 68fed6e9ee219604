//! Which configuration follows: proposals of governance, and what the members of both epochs say of
//! them. Acknowledgements bind nobody; a vote is for one configuration only, is stored before it leaves,
//! and comes after a quorum of acknowledgements, so that a mistaken proposal uses no votes up.

use std::collections::BTreeMap;

use covey_kernel::{
    CommandId, Effect, Fault, Hash, Keypair, NetworkId, RequestId, Scan, Signature, Store, cbor,
};

use super::{
    Change, Cx, Delta, Errand, Reply, Stage, Validator, answer, layout,
    memory::Term,
    records::{self, Kept},
    reply,
    term::keys,
};
use crate::{
    configuration::Member,
    error::Error,
    limits::{CANDIDACIES, KEYS, SUCCESSION_EVERY},
    reconfigure::{
        ACKNOWLEDGE, Acceptance, Candidacy, Placed, Proposal, SUCCESSOR, Successor, merge,
    },
    wire::{FromValidator, ToValidator},
};

/// Those that are stored.
pub(super) fn stored(
    network: &NetworkId,
    store: &dyn Store,
) -> Result<BTreeMap<Hash, Kept>, Fault> {
    let all = store.scan(&Scan::prefix(layout::CANDIDACIES).limit(CANDIDACIES))?;
    let all = all.into_iter().map(|(_, bytes)| {
        let kept: Kept = cbor::decode_stored(&bytes)?;
        Ok((kept.candidacy.proposal.id(network), kept))
    });
    all.collect()
}

impl Validator {
    /// Makes the entry of this node for the next epoch, with a voting key of its own.
    pub(super) fn join(&self, cx: &mut Cx<'_, '_>, mut entry: Member) -> Result<Member, Error> {
        let newest = self.memory.network.newest().epoch;
        let epoch = newest.saturating_add(1);
        let key = match records::read::<records::Term>(cx.view, &layout::next(epoch))? {
            Some(next) => next.key()?,
            None => self.make_key(cx, epoch)?,
        };
        entry.peer = self.rules.node.public();
        entry.vote = key.public();
        Ok(entry)
    }

    /// Who has not entered the epoch that has begun may have a key for it, and be a member of others that
    /// follow: a key for each, but not for ever more.
    fn make_key(&self, cx: &mut Cx<'_, '_>, epoch: u64) -> Result<Keypair, Error> {
        let mut named = 0usize;
        for next in keys(cx.view)? {
            if self.is_named(&next)? {
                named = named.saturating_add(1);
            } else {
                cx.view.delete(layout::next(next.epoch));
            }
        }
        if named >= KEYS {
            return Err(Error::TooManyKeys);
        }
        let key = Keypair::generate(cx.rng);
        records::write(cx.view, layout::next(epoch), &records::Term::new(epoch, &key));
        Ok(key)
    }

    /// Whether an epoch is certified with this key of this node.
    pub(super) fn is_named(&self, next: &records::Term) -> Result<bool, Fault> {
        let vote = next.key()?.public();
        let configuration = self.memory.network.configuration(next.epoch);
        Ok(configuration.is_some_and(|one| one.members.iter().any(|member| member.vote == vote)))
    }

    /// The operator, or governance, proposes.
    pub(super) fn propose(
        &self,
        cx: &mut Cx<'_, '_>,
        id: CommandId,
        proposal: Proposal,
    ) -> Result<Delta, Error> {
        let mut delta = Delta::default();
        let of = proposal.id(&self.rules.network.id);
        let known = self.take(cx, &mut delta, &Candidacy::new(proposal))?;
        if known {
            reply(cx, id, Reply::Proposed(of));
            return Ok(delta);
        }
        Err(Error::TooManyProposals)
    }

    /// The operator approves.
    pub(super) fn approve(
        &self,
        cx: &mut Cx<'_, '_>,
        id: CommandId,
        proposal: &Hash,
    ) -> Result<Delta, Error> {
        let kept = self.memory.candidacies.get(proposal).ok_or(Error::NoSuchProposal)?;
        let newest = self.memory.network.newest().epoch;
        let present = self.memory.term.as_ref().is_some_and(|term| term.epoch == newest);
        if !present || self.memory.stage == Stage::Behind {
            return Err(Error::MayNotAgree);
        }
        let mut delta = Delta::default();
        let approved = Kept { approved: true, ..kept.clone() };
        self.go_on(cx, &mut delta, approved, true)?;
        reply(cx, id, Reply::Proposed(*proposal));
        Ok(delta)
    }

    /// Another member tells what it knows of a proposal.
    pub(super) fn heard_candidacy(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        candidacy: &Candidacy,
    ) -> Result<Delta, Error> {
        let mut delta = Delta::default();
        self.take(cx, &mut delta, candidacy)?;
        answer(cx, id, &FromValidator::Noted(()));
        Ok(delta)
    }

    /// Keeps what is new of a candidacy that was checked; whether it is kept.
    fn take(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        candidacy: &Candidacy,
    ) -> Result<bool, Error> {
        let newest = self.memory.network.newest();
        let configuration = &candidacy.proposal.configuration;
        // What was checked against may have been followed in this very turn.
        if configuration.previous != newest.id(&self.rules.network.id) {
            return Ok(false);
        }
        let id = candidacy.proposal.id(&self.rules.network.id);
        let (kept, grown) = match self.memory.candidacies.get(&id) {
            Some(known) => {
                let mut kept = known.clone();
                let grown = kept.candidacy.merge(candidacy);
                (kept, grown)
            }
            None => {
                if !self.make_room(cx, delta) {
                    return Ok(false);
                }
                self.seek(cx, std::iter::once(configuration));
                (Kept { candidacy: candidacy.clone(), approved: false }, true)
            }
        };
        self.go_on(cx, delta, kept, grown)?;
        Ok(true)
    }

    /// Of too many the one with the fewest acknowledgements goes, unless it is one that this
    /// validator's operator has approved of.
    fn make_room(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta) -> bool {
        if self.memory.candidacies.len() < CANDIDACIES {
            return true;
        }
        let others = self.memory.candidacies.iter().filter(|(_, kept)| !kept.approved);
        let least = others.min_by_key(|(_, kept)| kept.candidacy.acknowledgements.len());
        let Some((id, _)) = least else { return false };
        cx.view.delete(layout::candidacy(id));
        delta.0.push(Change::Candidacy(*id, None));
        true
    }

    /// Signs what there is to sign, and passes on what has grown.
    pub(super) fn go_on(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        mut kept: Kept,
        mut grown: bool,
    ) -> Result<(), Fault> {
        if delta.0.iter().any(|change| matches!(change, Change::Follow(_))) {
            // Another one was certified in this very turn.
            return Ok(());
        }
        let successor = kept.candidacy.proposal.successor(&self.rules.network.id);
        grown |= self.accept(cx, &mut kept.candidacy, &successor)?;
        grown |= self.sign_for(cx, &mut kept, &successor)?;
        if let Some(link) = kept.candidacy.link(self.memory.network.newest().quorum()) {
            return self.adopt(cx, delta, vec![link]);
        }
        if grown {
            records::write(cx.view, layout::candidacy(&successor.id), &kept);
            self.pass_on(cx, delta, &kept.candidacy);
            // There may be enough acknowledgements now to begin to copy lock sets.
            delta.0.push(Change::ImportAt(Some(cx.now)));
            delta.0.push(Change::SuccessionAt(Some(cx.now.plus(SUCCESSION_EVERY))));
            cx.effects.push(Effect::Wake(cx.now));
            delta.0.push(Change::Candidacy(successor.id, Some(Box::new(kept))));
        }
        Ok(())
    }

    /// Agrees to be a member, if it is named with the key that it has made; and not before it has copied
    /// what there is, as payments pause until all that is missing is there. Who still imports for the
    /// present epoch cannot copy ahead.
    fn accept(
        &self,
        cx: &mut Cx<'_, '_>,
        Candidacy { proposal, acknowledgements, .. }: &mut Candidacy,
        successor: &Successor,
    ) -> Result<bool, Fault> {
        let Some(place) = proposal.configuration.place(&self.rules.node.public()) else {
            return Ok(false);
        };
        let next = layout::next(proposal.configuration.epoch);
        let Some(next) = records::read::<records::Term>(cx.view, &next)? else { return Ok(false) };
        let key = next.key()?;
        let named = proposal.configuration.members.get(place).map(|member| member.vote);
        let Ok(place) = u8::try_from(place) else { return Ok(false) };
        if named != Some(key.public()) {
            return Ok(false);
        }
        let imports = self.memory.term.as_ref().is_some_and(|term| term.imported.is_none());
        let copies = acknowledgements.len() >= self.memory.network.newest().quorum();
        let epoch = proposal.configuration.epoch;
        let is_ready = imports || copies && self.has_copied(cx.view, epoch)?;
        if !is_ready {
            return Ok(false);
        }
        let keys = (&key, &self.rules.node);
        let acceptance = Acceptance::sign(place, keys, &self.rules.network.id, successor);
        Ok(merge(&mut proposal.acceptances, &[acceptance], |one| one.place))
    }

    /// Acknowledges, and votes, as a member of the epoch that ends.
    fn sign_for(
        &self,
        cx: &mut Cx<'_, '_>,
        kept: &mut Kept,
        successor: &Successor,
    ) -> Result<bool, Fault> {
        let Some(Term { epoch, key, place, .. }) = &self.memory.term else { return Ok(false) };
        let Ok(place) = u8::try_from(*place) else { return Ok(false) };
        if *epoch != successor.epoch {
            return Ok(false);
        }
        self.recover_vote(cx, kept, (place, successor))?;
        if !kept.approved || self.memory.stage == Stage::Behind {
            return Ok(false);
        }
        let network = &self.rules.network.id;
        let placed = |signature: Signature| [Placed { place, signature }];
        let signature = key.sign(ACKNOWLEDGE, network, successor);
        let acknowledgements = &mut kept.candidacy.acknowledgements;
        let mut grown = merge(acknowledgements, &placed(signature), |one| one.place);
        if self.may_vote(cx.view, &kept.candidacy, successor)? {
            records::write(cx.view, layout::successor(*epoch), &successor.id);
            let signature = key.sign(SUCCESSOR, network, successor);
            grown |= merge(&mut kept.candidacy.votes, &placed(signature), |one| one.place);
        }
        Ok(grown)
    }

    /// Whether it votes for this one: as a validator that votes, whose own import is complete, and
    /// for no other.
    fn may_vote(
        &self,
        store: &dyn Store,
        candidacy: &Candidacy,
        successor: &Successor,
    ) -> Result<bool, Fault> {
        let voted = records::read::<Hash>(store, &layout::successor(successor.epoch))?;
        let quorum = self.memory.network.newest().quorum();
        Ok(self.memory.stage == Stage::Voting
            && candidacy.acknowledgements.len() >= quorum
            && candidacy.proposal.is_accepted()
            && voted.is_none_or(|voted| voted == successor.id))
    }

    /// A vote that others show, and the store does not: it is from before the store was set back.
    fn recover_vote(
        &self,
        cx: &mut Cx<'_, '_>,
        kept: &Kept,
        (place, successor): (u8, &Successor),
    ) -> Result<(), Fault> {
        let key = layout::successor(successor.epoch);
        let shown = kept.candidacy.votes.iter().any(|one| one.place == place);
        if shown && records::read::<Hash>(cx.view, &key)?.is_none() {
            records::write(cx.view, key, &successor.id);
        }
        Ok(())
    }

    /// Tells all partners, and all who are to be members, what is known of a proposal.
    pub(super) fn pass_on(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, candidacy: &Candidacy) {
        let mut to = self.partners();
        let me = self.rules.node.public();
        to.extend(candidacy.proposal.configuration.members.iter().map(|member| member.peer));
        for peer in to.into_iter().filter(|peer| *peer != me && self.memory.online.contains(peer)) {
            let request = ToValidator::Candidacy(Box::new(candidacy.clone()));
            self.ask(cx, delta, peer, Errand::Told, request);
        }
    }
}
