//! What is done at the start, on each new connection, and from time to time.

use covey_kernel::{AskFailure, AskId, Effect, Fault, Peer, Scan, Span, Time};

use super::desk::Desk;
use crate::{
    error::Error,
    layout::{self, ChainNo},
    limits::{ASK_MILLIS, ASKED_PER_TURN, ROUND_MILLIS, ROUND_PEERS, SOON_MILLIS},
};

/// Entries of a chain that was left which are cleared away in one turn.
const CLEARED: usize = 1024;

impl Desk<'_, '_, '_> {
    /// Listens again, and clears away what was left.
    pub(super) fn start(&mut self) -> Result<(), Error> {
        for chain in self.memory().chains.values() {
            self.listen(chain);
        }
        self.next_round();
        self.clear()
    }

    pub(super) fn connected(&mut self, peer: Peer) -> Result<(), Error> {
        {
            let mut live = self.memory().live.borrow_mut();
            live.online.insert(peer);
            live.due.extend(self.memory().chains.keys().map(|no| (*no, peer)));
        }
        self.effect(Effect::Wake(self.now()));
        Ok(())
    }

    pub(super) fn wake(&mut self) -> Result<(), Error> {
        self.take_laid()?;
        self.give_up()?;
        self.clear()?;
        let due = self.memory().live.borrow().round.is_none_or(|at| self.is_due(at));
        if due {
            self.begin_round();
            for chain in self.memory().chains.values() {
                self.expire_exchange(chain)?;
                self.make_room(chain)?;
                self.round(chain.no);
            }
            self.next_round();
        }
        self.ask_due()?;
        let live = self.memory().live.borrow();
        let next = live.asks.values().map(|ask| ask.until).chain(live.round).min();
        drop(live);
        next.into_iter().for_each(|at| self.effect(Effect::Wake(at)));
        Ok(())
    }

    /// Whether a time has come; or it will not come for long, since the clock was set back.
    fn is_due(&self, at: Time) -> bool {
        let longest = Span::millis(ROUND_MILLIS.max(ASK_MILLIS).saturating_mul(2));
        at <= self.now() || at.since(self.now()) > longest
    }

    /// Asks some of the neighbours who are due, and the others in the next turn.
    fn ask_due(&mut self) -> Result<(), Fault> {
        for _ in 0..ASKED_PER_TURN {
            let Some((no, peer)) = self.memory().live.borrow_mut().due.pop_first() else {
                return Ok(());
            };
            let online = self.memory().live.borrow().online.contains(&peer);
            let Some(chain) = self.memory().chains.get(&no).filter(|_| online) else { continue };
            self.pull(chain, peer, None)?;
        }
        self.effect(Effect::Wake(self.now()));
        Ok(())
    }

    /// What is counted between two rounds is counted anew.
    fn begin_round(&mut self) {
        let mut live = self.memory().live.borrow_mut();
        live.named.clear();
        live.wasted.clear();
    }

    fn next_round(&mut self) {
        // Up to a quarter more, so that nodes do not ask in step.
        let spread = self.rng().next_u64().checked_rem(ROUND_MILLIS / 4).unwrap_or(0);
        let at = self.now().plus(Span::millis(ROUND_MILLIS.saturating_add(spread)));
        self.memory().live.borrow_mut().round = Some(at);
        self.effect(Effect::Wake(at));
    }

    /// The next round comes soon: what is gossiped before others know that we listen is missed.
    pub(super) fn round_soon(&mut self) {
        let soon = self.now().plus(Span::millis(SOON_MILLIS));
        let mut live = self.memory().live.borrow_mut();
        let at = live.round.map_or(soon, |round| round.min(soon));
        live.round = Some(at);
        drop(live);
        self.effect(Effect::Wake(at));
    }

    /// Some neighbours are to be asked for what gossip may have missed.
    fn round(&mut self, no: ChainNo) {
        let mut peers: Vec<Peer> = {
            let live = self.memory().live.borrow();
            let having = |peer: &&Peer| !live.without.contains(&(no, **peer));
            live.online.iter().filter(having).copied().collect()
        };
        for _ in 0..ROUND_PEERS {
            let at = self.rng().next_u64().checked_rem(peers.len() as u64);
            let Some(at) = at.and_then(|at| usize::try_from(at).ok()) else { return };
            let peer = peers.swap_remove(at);
            self.memory().live.borrow_mut().due.insert((no, peer));
        }
    }

    /// What was asked long ago is lost.
    fn give_up(&mut self) -> Result<(), Error> {
        let lost: Vec<(AskId, Peer)> = {
            let live = self.memory().live.borrow();
            let lost = live.asks.iter().filter(|(_, ask)| self.is_due(ask.until));
            lost.map(|(id, ask)| (*id, ask.to)).collect()
        };
        for (id, to) in lost {
            self.answered(to, id, Err(AskFailure::Timeout))?;
        }
        Ok(())
    }

    /// Clears away a part of a chain that was left.
    fn clear(&mut self) -> Result<(), Error> {
        let Some((key, _)) = self.store().scan(&Scan::prefix(layout::LEAVING).limit(1))?.pop()
        else {
            return Ok(());
        };
        let no = layout::number(&key).map(ChainNo);
        let no = no.ok_or_else(|| Fault::Corrupt("the key of a chain that was left".into()))?;
        for kind in layout::KINDS {
            let found = self.store().scan(&Scan::prefix(&layout::all(kind, no)).limit(CLEARED))?;
            if !found.is_empty() {
                found.into_iter().for_each(|(key, _)| self.view().delete(key));
                self.effect(Effect::Wake(self.now()));
                return Ok(());
            }
        }
        self.view().delete(key);
        Ok(())
    }
}
