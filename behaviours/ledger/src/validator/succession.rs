//! Following the chain of configurations.

use covey_kernel::{Bounded, Effect, Fault, Peer, RequestId};

use super::{Change, Cx, Delta, Errand, Stage, Validator, answer, layout, records};
use crate::{
    configuration::Configuration,
    error::Error,
    limits::{LINKS, LINKS_EVERY, SUCCESSION_EVERY},
    reconfigure::Link,
    wire::{FromValidator, ToValidator},
};

impl Validator {
    /// Stays connected with the members of configurations.
    pub(super) fn seek<'c>(
        &self,
        cx: &mut Cx<'_, '_>,
        configurations: impl Iterator<Item = &'c Configuration>,
    ) {
        let partners = self.partners();
        let me = self.rules.node.public();
        for configuration in configurations {
            // Those of long ago are not needed any more.
            let needed = configuration.epoch > self.memory.network.newest().epoch;
            for member in configuration.members.iter().filter(|member| member.peer != me) {
                if needed || partners.contains(&member.peer) {
                    let addresses = member.addresses.to_vec();
                    cx.effects.push(Effect::Seek { peer: member.peer, addresses });
                }
            }
        }
    }

    /// Anybody is told the configurations after an epoch.
    pub(super) fn tell_links(&self, cx: &mut Cx<'_, '_>, id: RequestId, after: u64) -> Delta {
        let links = self.memory.network.links_after(after).take(LINKS).cloned();
        answer(cx, id, &FromValidator::Links(Bounded::first(links)));
        Delta::default()
    }

    /// Another node shows the next configuration, which was checked.
    pub(super) fn heard_link(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        link: Link,
    ) -> Result<Delta, Error> {
        let mut delta = Delta::default();
        self.adopt(cx, &mut delta, vec![link])?;
        answer(cx, id, &FromValidator::Noted(()));
        Ok(delta)
    }

    /// Takes certified configurations that follow the newest one, and does what they demand: a member
    /// of the epoch that ends seals, if it has finished its own import; a candidate enters.
    pub(super) fn adopt(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        links: Vec<Link>,
    ) -> Result<(), Fault> {
        let mut network = self.memory.network.clone();
        let mut newest = None;
        for link in links {
            let configuration = &link.proposal.configuration;
            // What was checked against may have been followed in this very turn.
            if configuration.previous != network.newest().id(&network.id) {
                continue;
            }
            self.seek(cx, std::iter::once(configuration));
            records::write(cx.view, layout::link(link.epoch()), &link);
            network.resume(link.clone());
            delta.0.push(Change::Follow(Box::new(link.clone())));
            newest = Some(link);
        }
        let Some(newest) = newest else { return Ok(()) };
        // They were for the epoch that has begun.
        for id in self.memory.candidacies.keys() {
            cx.view.delete(layout::candidacy(id));
            delta.0.push(Change::Candidacy(*id, None));
        }
        let members = newest.proposal.configuration.members.iter().map(|member| member.peer);
        let mut to = self.partners();
        to.extend(members.filter(|peer| *peer != self.rules.node.public()));
        for peer in to.into_iter().filter(|peer| self.memory.online.contains(peer)) {
            let request = ToValidator::Link(Box::new(newest.clone()));
            self.ask(cx, delta, peer, Errand::Told, request);
        }
        delta.0.push(Change::SuccessionAt(Some(cx.now)));
        cx.effects.push(Effect::Wake(cx.now));
        match &self.memory.stage {
            Stage::Voting => delta.0.push(self.becomes(cx, Stage::Sealing)),
            // It has nothing to seal, or must not: it goes on with the key of the next epoch.
            Stage::Candidate | Stage::Sealed | Stage::Behind => {
                delta.and(self.go_on_unsealed(cx, &network)?);
            }
            Stage::Checking(_) | Stage::Importing | Stage::Sealing => {}
        }
        Ok(())
    }

    /// A connection exists: asks what happened meanwhile, and tells what is open.
    pub(super) fn meet(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, peer: Peer) {
        if !self.partners().contains(&peer) {
            return;
        }
        self.ask_links(cx, delta, peer);
        for kept in self.memory.candidacies.values() {
            let request = ToValidator::Candidacy(Box::new(kept.candidacy.clone()));
            self.ask(cx, delta, peer, Errand::Told, request);
        }
        cx.effects.push(Effect::Wake(cx.now));
        delta.0.push(Change::ImportAt(Some(cx.now)));
    }

    /// Somebody speaks of an epoch that is further on than is known here.
    pub(super) fn heard_ahead(&self, cx: &mut Cx<'_, '_>, from: Peer, id: RequestId) -> Delta {
        let mut delta = Delta::default();
        self.ask_links(cx, &mut delta, from);
        answer(cx, id, &FromValidator::Noted(()));
        delta
    }

    /// Somebody has told configurations, which were checked.
    pub(super) fn told_links(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        from: Peer,
        links: Vec<Link>,
    ) -> Result<(), Fault> {
        let known = self.memory.network.newest().epoch;
        let last = links.last().map(Link::epoch);
        // Who tells what is known already is not asked on.
        let more = links.len() == LINKS && last.is_some_and(|last| last > known);
        self.adopt(cx, delta, links)?;
        if let Some(last) = last.filter(|_| more) {
            self.ask(cx, delta, from, Errand::Links, ToValidator::Links(last));
        }
        Ok(())
    }

    fn ask_links(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, peer: Peer) {
        if !self.is_asked(delta, &peer, |errand| *errand == Errand::Links) {
            let after = self.memory.network.newest().epoch;
            self.ask(cx, delta, peer, Errand::Links, ToValidator::Links(after));
        }
    }

    /// Asks and tells again while something is open.
    pub(super) fn wake_succession(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        let Some(at) = self.memory.succession_at else { return Ok(()) };
        if at > cx.now {
            cx.effects.push(Effect::Wake(at));
            return Ok(());
        }
        let kept: Vec<_> = self.memory.candidacies.values().cloned().collect();
        let idle = self.memory.stage == Stage::Voting && kept.is_empty();
        for peer in self.partners() {
            if self.memory.online.contains(&peer) {
                self.ask_links(cx, delta, peer);
            }
        }
        for one in kept {
            self.go_on(cx, delta, one, true)?;
        }
        let at = cx.now.plus(if idle { LINKS_EVERY } else { SUCCESSION_EVERY });
        delta.0.push(Change::SuccessionAt(Some(at)));
        cx.effects.push(Effect::Wake(at));
        Ok(())
    }
}
