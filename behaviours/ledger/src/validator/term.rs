//! The epoch that a validator is in. It is in one at a time: when it has sealed one, or left it as one
//! that came too late, it enters the next of which it is a member, with the key that it made for it.

use std::collections::BTreeSet;

use covey_kernel::{Effect, Fault, Keypair, Scan, Store, View, cbor, merkle::Builder};

use super::{
    Change, Cx, Delta, Event, Rules, Stage, Validator,
    importing::own_list,
    layout,
    memory::Term,
    records::{self, Imported, Me},
};
use crate::{
    chain::Network,
    configuration::{Configuration, Member},
    error::Error,
    height::SignedHeight,
    seal::{LockSet, Seal},
};

/// Counts a start, and refuses one on a store that is not the key's newest.
pub(super) fn started(rules: &Rules, network: &Network, view: &mut View<'_>) -> Result<Me, Error> {
    let me = match records::read::<Me>(view, layout::ME)? {
        Some(me) if me.starts < rules.starts => {
            return Err(Error::LocksOld { found: me.starts, wanted: rules.starts });
        }
        Some(me) => Me { starts: me.starts.saturating_add(1), ..me },
        None if rules.starts > 0 => return Err(Error::LocksMissing),
        None => Me { starts: 1, sealed: false, term: first_term(rules, network)? },
    };
    records::write(view, layout::ME.to_vec(), &me);
    Ok(me)
}

/// The epoch that the key with which the node was set up is for; a node without one is a candidate.
fn first_term(rules: &Rules, network: &Network) -> Result<Option<records::Term>, Error> {
    let Some(key) = &rules.key else { return Ok(None) };
    let epoch = network
        .configurations()
        .find(|configuration| place_of(configuration, rules, key).is_some())
        .map(|configuration| configuration.epoch);
    let epoch = epoch.ok_or(Error::NotThisValidator)?;
    Ok(Some(records::Term::new(epoch, key)))
}

/// The own place among members, if the key is the one named there.
fn place_of(configuration: &Configuration, rules: &Rules, key: &Keypair) -> Option<usize> {
    let place = configuration.place(&rules.node.public())?;
    let member = configuration.members.get(place)?;
    (member.vote == key.public()).then_some(place)
}

/// The epoch that is stored, as it is remembered.
pub(super) fn resumed(
    rules: &Rules,
    network: &Network,
    me: &Me,
    store: &dyn Store,
) -> Result<Option<Term>, Error> {
    let Some(records::Term { epoch, .. }) = me.term else { return Ok(None) };
    let key = me.term.as_ref().map(records::Term::key).transpose()?;
    let key = key.ok_or(Error::NotThisValidator)?;
    let configuration = network.configuration(epoch);
    let place = configuration.and_then(|configuration| place_of(configuration, rules, &key));
    let place = place.ok_or(Error::NotThisValidator)?;
    let imported = match epoch {
        // Nothing comes before it.
        0 => Some(0),
        _ => records::read::<Imported>(store, &layout::imported(epoch))?.map(|one| one.places),
    };
    let log = match imported {
        Some(_) => own_list(store)?,
        None => Default::default(),
    };
    Ok(Some(Term { epoch, key, place, imported, log }))
}

/// Whether it has kept its own word that it had come further than it is.
pub(super) fn is_behind(term: &Term, next: u64, store: &dyn Store) -> Result<bool, Fault> {
    let own = records::read::<SignedHeight>(store, &layout::height(&term.key.public()))?;
    Ok(own.is_some_and(|own| own.height.next > next))
}

/// The keys that it has made for epochs that it has still to enter, by epoch.
pub(super) fn keys(store: &dyn Store) -> Result<Vec<records::Term>, Fault> {
    let all = store.scan(&Scan::prefix(layout::NEXT))?.into_iter();
    all.map(|(_, bytes)| cbor::decode_stored(&bytes)).collect()
}

/// How an epoch is left for another one.
pub(super) struct Entering {
    /// The first that may be entered.
    pub(super) from: u64,
    /// Whether the one before is sealed.
    pub(super) sealed: bool,
    /// The import for the one that is entered, if it is complete: whose lock sets, and the tree over the
    /// own list with them.
    pub(super) imported: Option<(u64, Builder)>,
}

impl Validator {
    /// The members of the epoch that it is in; of a node that is in none, of the newest one known.
    pub(super) fn configuration(&self) -> &Configuration {
        let network = &self.memory.network;
        network.configuration(self.memory.epoch()).unwrap_or_else(|| network.newest())
    }

    /// Its place in the epoch that it is in.
    pub(super) fn place(&self) -> Option<usize> {
        self.memory.term.as_ref().map(|term| term.place)
    }

    /// The other members of the epoch that it is in, with their places.
    pub(super) fn others(&self) -> impl Iterator<Item = (usize, &Member)> {
        let me = self.rules.node.public();
        self.configuration().members.iter().enumerate().filter(move |(_, one)| one.peer != me)
    }

    pub(super) fn becomes(&self, cx: &mut Cx<'_, '_>, stage: Stage) -> Change {
        if stage.not_ready() != self.memory.stage.not_ready() {
            cx.effects.push(Effect::Tell(Event::Ready(stage.not_ready())));
        }
        Change::Stage(stage)
    }

    /// What it does once nothing is against voting; with the import as it is known to this decision.
    pub(super) fn able(&self, imported: bool) -> Stage {
        if !imported {
            Stage::Importing
        } else if self.memory.network.newest().epoch > self.memory.epoch() {
            Stage::Sealing
        } else {
            Stage::Voting
        }
    }

    /// Stops voting for good in the epoch that it is in, signs its lock set, erases the key and enters
    /// the next epoch: all in one write, at the end of a turn, so that what was locked in it is in the
    /// set and nothing is ever locked after it.
    pub(super) fn seal(&self, cx: &mut Cx<'_, '_>) -> Result<Delta, Fault> {
        let Some(Term { epoch, key, log, .. }) = &self.memory.term else {
            return Ok(Delta::default());
        };
        let set = LockSet { epoch: *epoch, count: log.count(), root: log.root() };
        let seal = Seal::sign(key, &self.rules.network.id, set);
        records::write(cx.view, layout::seal(*epoch), &seal);
        records::write(cx.view, layout::LOGGED.to_vec(), log);
        let mut delta = self.tell_sealed(cx);
        delta.and(self.enter(
            cx,
            &self.memory.network,
            Entering { from: epoch.saturating_add(1), sealed: true, imported: None },
        )?);
        Ok(delta)
    }

    /// What a validator does first in an epoch. It may be a copy from before, of one that has voted in it
    /// already; so it asks the other members, if there are any.
    fn entered(&self, network: &Network, term: Option<&Term>) -> Stage {
        let Some(term) = term else { return Stage::Sealed };
        let quorum = network.configuration(term.epoch).map(Configuration::quorum);
        match (quorum, term.imported) {
            (Some(1), None) => Stage::Importing,
            (Some(1), Some(_)) if network.newest().epoch == term.epoch => Stage::Voting,
            (Some(1), Some(_)) => Stage::Sealing,
            _ => Stage::Checking(BTreeSet::new()),
        }
    }

    /// Who has nothing to seal, or must not, goes on in the next epoch for which it has a key.
    pub(super) fn go_on_unsealed(
        &self,
        cx: &mut Cx<'_, '_>,
        network: &Network,
    ) -> Result<Delta, Fault> {
        let from = self.memory.term.as_ref().map_or(0, |term| term.epoch.saturating_add(1));
        self.enter(cx, network, Entering { from, sealed: false, imported: None })
    }

    /// Enters the first epoch from one on of which it is a member with the key that it made for it; else
    /// it is in none. Keys of the epochs that it leaves out are erased: it never votes in them.
    pub(super) fn enter(
        &self,
        cx: &mut Cx<'_, '_>,
        network: &Network,
        Entering { from, sealed, imported }: Entering,
    ) -> Result<Delta, Fault> {
        let mut term = None;
        for next in keys(cx.view)? {
            // One that is not certified may become a member's.
            let Some(configuration) = network.configuration(next.epoch) else { break };
            cx.view.delete(layout::next(next.epoch));
            let key = next.key()?;
            let place = place_of(configuration, &self.rules, &key);
            if let Some(place) = place.filter(|_| next.epoch >= from) {
                let log = Default::default();
                term = Some(Term { epoch: next.epoch, key, place, imported: None, log });
                break;
            }
        }
        if term.is_none() && !sealed {
            return Ok(Delta::default());
        }
        if let (Some(term), Some((places, log))) = (&mut term, imported) {
            records::write(cx.view, layout::LOGGED.to_vec(), &log);
            records::write(cx.view, layout::imported(term.epoch), &Imported { places });
            (term.imported, term.log) = (Some(places), log);
        }
        let me: Me = records::must(cx.view, layout::ME)?;
        let stored = term.as_ref().map(|term| records::Term::new(term.epoch, &term.key));
        let me = Me { sealed: sealed || me.sealed, term: stored, ..me };
        records::write(cx.view, layout::ME.to_vec(), &me);
        let stage = self.becomes(cx, self.entered(network, term.as_ref()));
        cx.effects.push(Effect::Wake(cx.now));
        let term = Change::Term(term.map(Box::new));
        Ok(Delta(vec![term, stage, Change::ImportAt(Some(cx.now)), Change::Settling(None)]))
    }
}
