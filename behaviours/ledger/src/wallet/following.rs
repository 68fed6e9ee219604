//! Following the chain of configurations: who validates now.

use covey_kernel::{AskFailure, Bounded, Effect, Peer, RequestId};

use super::{Change, desk::Desk, layout, memory::Errand, records};
use crate::{
    error::Error,
    limits::{LINKS, LINKS_EVERY, OTHERS_ASKED, SUCCESSION_EVERY},
    reason::Reason,
    reconfigure::Link,
    wire::{FromWallet, ToValidator, ToWallet},
};

impl Desk<'_, '_, '_> {
    /// Whether a peer is, or was, a validator.
    fn validates(&self, peer: &Peer) -> bool {
        let network = &self.memory().network;
        network.configurations().any(|configuration| configuration.place(peer).is_some())
    }

    fn asks_links(&self, peer: &Peer) -> bool {
        let is = |errand: &Errand| matches!(errand, Errand::Links(one) if one == peer);
        let now = self.asked_now().any(is);
        now || self.memory().asks.values().any(is)
    }

    /// Asks a validator for configurations that are not known here.
    pub(super) fn ask_links(&mut self, peer: Peer) {
        if self.validates(&peer) && self.is_online(&peer) && !self.asks_links(&peer) {
            let after = self.memory().network.newest().epoch;
            self.ask_validator(peer, Errand::Links(peer), ToValidator::Links(after));
        }
    }

    /// Asks all validators now and then: one that is connected does not say by itself what has followed.
    pub(super) fn look_for_links(&mut self) {
        let waiting = !self.memory().flights.is_empty();
        let pause = if waiting { SUCCESSION_EVERY } else { LINKS_EVERY };
        let at = self.memory().looked_at.plus(pause);
        if at > self.now() {
            self.wake_at(at);
            return;
        }
        for (_, member) in self.members() {
            self.ask_links(member.peer);
        }
        self.ask_others();
        self.wake_at(self.now().plus(pause));
        self.change(Change::LookedAt(self.now()));
    }

    /// Whoever has slept through the replacing of many validators finds too few of those that are known
    /// here. Anybody else's wallet may know what has followed; what it says is checked like anything.
    fn ask_others(&mut self) {
        let there = self.members().filter(|(_, member)| self.is_online(&member.peer)).count();
        if there >= self.configuration().quorum() {
            return;
        }
        let after = self.memory().network.newest().epoch;
        let others = self.memory().online.iter().copied();
        let others = others.filter(|peer| !self.validates(peer) && !self.asks_links(peer));
        let mut others: Vec<Peer> = others.collect();
        // Others each time: some may keep silent on purpose.
        super::paying::shuffle(self.rng(), &mut others);
        for peer in others.into_iter().take(OTHERS_ASKED) {
            self.ask_wallet(peer, Errand::Links(peer), ToWallet::Links(after));
        }
    }

    /// Somebody shows a payment of an epoch that is not known here: whoever pays knows it. The payment
    /// is shown again.
    pub(super) fn paid_ahead(&mut self, peer: Peer, id: RequestId) {
        if !self.asks_links(&peer) {
            let after = self.memory().network.newest().epoch;
            self.ask_wallet(peer, Errand::Links(peer), ToWallet::Links(after));
        }
        self.answer(id, &FromWallet::Invalid(Reason::CertificateEpoch));
    }

    /// Somebody asks for configurations.
    pub(super) fn tell_links(&mut self, id: RequestId, after: u64) {
        let links = self.memory().network.links_after(after).take(LINKS).cloned();
        let links = Bounded::first(links);
        self.answer(id, &FromWallet::Links(links));
    }

    /// Somebody has told configurations; they were checked.
    pub(super) fn told_links(&mut self, peer: Peer, links: Result<Vec<Link>, AskFailure>) {
        let links = links.unwrap_or_default();
        let known = self.memory().network.newest().epoch;
        let last = links.last().map(Link::epoch);
        // Who tells what is known already is not asked on.
        let more = links.len() == LINKS && last.is_some_and(|last| last > known);
        self.follow(links);
        if let Some(last) = last.filter(|_| more && self.validates(&peer)) {
            self.ask_validator(peer, Errand::Links(peer), ToValidator::Links(last));
        }
    }

    /// Takes configurations that follow the newest one. What they change is done at once after.
    pub(super) fn follow(&mut self, links: Vec<Link>) {
        let mut network = self.memory().network.clone();
        for link in links {
            // What was checked against may have been followed in this very turn.
            if link.proposal.configuration.previous != network.newest().id(&network.id) {
                continue;
            }
            let key = crate::chain::link_key(layout::LINKS, link.epoch());
            records::write(self.view(), key, &link);
            network.resume(link.clone());
            self.change(Change::Follow(Box::new(link)));
            self.wake_at(self.now());
        }
    }

    /// Another epoch has begun: its validators are sought, and asked for what is not final. What was
    /// sent to the last ones is sent to them, byte by byte.
    pub(super) fn turn(&mut self) -> Result<(), Error> {
        if !self.memory().turned {
            return Ok(());
        }
        self.change(Change::Turned);
        let network = &self.memory().network;
        // Those of the last epoch still tell who is late what has followed.
        let before = network.newest().epoch.checked_sub(2);
        let before = before.and_then(|before| network.configuration(before)).cloned();
        for member in before.iter().flat_map(|before| before.members.iter()) {
            let newer = network.configurations().take(2);
            let stays = newer.into_iter().any(|newer| newer.place(&member.peer).is_some());
            let told = self.memory().tellings.values().any(|telling| telling.to == member.peer);
            if !stays && !told {
                self.effect(Effect::Release(member.peer));
            }
        }
        self.seek();
        self.resume_now()?;
        Ok(())
    }

    /// Stays connected with the validators.
    pub(super) fn seek(&mut self) {
        for (_, member) in self.members() {
            let addresses = member.addresses.to_vec();
            self.effect(Effect::Seek { peer: member.peer, addresses });
        }
    }
}
