//! Exchanges with peers: one at a time for each chain and peer.

use covey_kernel::{CommandId, Effect, Fault, Peer, Span};

use super::{desk::Desk, wasted::WASTED};
use crate::{
    command::{Direction, Reply, Selector},
    error::Error,
    flight::{Flight, FlightNo, Waiter},
    limits::{PAUSE_MILLIS, ROUND_MILLIS},
    memory::{Chain, Errand, Pause},
    wire::{Refusal, Request, Response, Tally},
};

impl Desk<'_, '_, '_> {
    /// Synchronises with a peer because the user asks for it.
    pub(super) fn sync(
        &mut self,
        id: CommandId,
        which: &Selector,
        peer: Peer,
        direction: Direction,
    ) -> Result<(), Error> {
        let chain = self.chain(which)?;
        if direction == Direction::Receive {
            self.memory().live.borrow_mut().without.remove(&(chain.no, peer));
            return Ok(self.pull(chain, peer, Some(Waiter::Command(id)))?);
        }
        let asker = self.asker(chain, &peer);
        self.ask(peer, Errand::Nudge { waiter: id }, &Request::Nudge(asker));
        Ok(())
    }

    /// Asks a peer for what we lack; if that is under way, once more after it.
    pub(super) fn pull(
        &mut self,
        chain: &Chain,
        peer: Peer,
        waiter: Option<Waiter>,
    ) -> Result<(), Fault> {
        if waiter.is_none() && self.is_paused(chain, peer) {
            return Ok(());
        }
        if self.wastes(chain, peer)? {
            let why = Err(Error::Peer(WASTED.into()));
            waiter.into_iter().for_each(|waiter| self.hear(waiter, &why));
            return Ok(());
        }
        match self.flight(chain, peer, |flight| flight.again(waiter)) {
            None => {
                let number = self.memory().live.borrow_mut().next_flight();
                self.take_off(chain, peer, Flight::new(number, waiter.into_iter().collect()))
            }
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => {
                let busy = Err(Error::Peer("too many wait for it: try again later".into()));
                waiter.into_iter().for_each(|waiter| self.hear(waiter, &busy));
                Ok(())
            }
        }
    }

    fn take_off(&mut self, chain: &Chain, peer: Peer, flight: Flight) -> Result<(), Fault> {
        let mut live = self.memory().live.borrow_mut();
        let key = (chain.no, peer);
        let flight = if live.parted.contains(&key) { flight.placed_first() } else { flight };
        live.flights.insert(key, flight);
        drop(live);
        self.ask_page(chain, peer)
    }

    /// Asks for the next page.
    pub(super) fn ask_page(&mut self, chain: &Chain, peer: Peer) -> Result<(), Fault> {
        let under_way =
            self.flight(chain, peer, |flight| (flight.number, flight.page(), flight.part()));
        let Some((flight, page, part)) = under_way else { return Ok(()) };
        let pull = self.say_known(chain, self.asker(chain, &peer), page, part)?;
        self.ask(peer, Errand::Pull { chain: chain.no, flight }, &Request::Pull(pull));
        Ok(())
    }

    /// What an exchange with a peer remembers, if one is under way.
    pub(super) fn flight<T>(
        &self,
        chain: &Chain,
        peer: Peer,
        with: impl FnOnce(&mut Flight) -> T,
    ) -> Option<T> {
        self.memory().live.borrow_mut().flights.get_mut(&(chain.no, peer)).map(with)
    }

    /// Whether it is the exchange of this number that is under way.
    pub(super) fn is_flying(&self, chain: &Chain, peer: Peer, number: FlightNo) -> bool {
        self.flight(chain, peer, |flight| flight.number == number).unwrap_or(false)
    }

    /// An exchange has ended: those who wait for it hear what it came to, and another may follow.
    pub(super) fn end(
        &mut self,
        chain: &Chain,
        from: Peer,
        outcome: Result<(), Error>,
    ) -> Result<(), Fault> {
        let (flight, number) = {
            let mut live = self.memory().live.borrow_mut();
            (live.flights.remove(&(chain.no, from)), live.next_flight())
        };
        let Some(flight) = flight else { return Ok(()) };
        if outcome.is_ok() || flight.gaps {
            self.part(chain, from, flight.gaps);
        }
        if outcome.is_ok() || flight.is_vain() {
            self.pause(chain, from, flight.is_vain());
        }
        if outcome.is_ok() {
            self.end_exchange(chain, from, flight.taking)?;
        }
        let (waiters, tally, next) = flight.end(number);
        let outcome = outcome.map(|()| tally);
        waiters.into_iter().for_each(|waiter| self.hear(waiter, &outcome));
        let next = next.filter(|next| !(next.is_unheard() && self.is_paused(chain, from)));
        match next {
            Some(next) if outcome.is_ok() => self.take_off(chain, from, next),
            Some(next) => {
                next.into_waiters().into_iter().for_each(|waiter| self.hear(waiter, &outcome));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// An exchange has ended. If it was in vain, as with a hard fork that is larger than what is remembered of
    /// one, the next one waits, unless the user wants it.
    fn pause(&self, chain: &Chain, peer: Peer, in_vain: bool) {
        let mut live = self.memory().live.borrow_mut();
        let key = (chain.no, peer);
        if !in_vain {
            live.pauses.remove(&key);
            return;
        }
        let most = Span::millis(PAUSE_MILLIS);
        let before = live.pauses.get(&key).map(|pause| pause.span);
        let span = before.map_or(Span::millis(ROUND_MILLIS), |span| span.doubled(most));
        live.pauses.insert(key, Pause { until: self.now().plus(span), span });
    }

    /// Whether a peer has something that cannot be taken.
    fn part(&self, chain: &Chain, peer: Peer, gaps: bool) {
        let mut live = self.memory().live.borrow_mut();
        match gaps && live.online.contains(&peer) {
            true => live.parted.insert((chain.no, peer)),
            false => live.parted.remove(&(chain.no, peer)),
        };
    }

    fn is_paused(&self, chain: &Chain, peer: Peer) -> bool {
        let live = self.memory().live.borrow();
        let pause = live.pauses.get(&(chain.no, peer));
        // The clock may have been set back.
        pause.is_some_and(|pause| {
            self.now() < pause.until && pause.until.since(self.now()) <= pause.span
        })
    }

    fn hear(&mut self, waiter: Waiter, outcome: &Result<Tally, Error>) {
        match waiter {
            Waiter::Command(to) => {
                let reply = outcome.clone().map(Reply::Synced);
                self.effect(Effect::Reply { to, reply });
            }
            Waiter::Request(to) => {
                let answer = match outcome {
                    Ok(tally) => Response::Tally(*tally),
                    Err(_) => Response::Refused(Refusal::Later(())),
                };
                self.effect(Effect::Answer { to, bytes: answer.encode() });
            }
        }
    }

    /// A chain is left: who waits for its exchanges hears so.
    pub(super) fn abandon(&mut self, chain: &Chain) -> Result<(), Fault> {
        let peers: Vec<Peer> = {
            let live = self.memory().live.borrow();
            let of = live.flights.keys().filter(|(no, _)| *no == chain.no);
            of.map(|(_, peer)| *peer).collect()
        };
        for peer in peers {
            let left = Error::UnknownChain(chain.info().name.to_string());
            self.end(chain, peer, Err(left))?;
        }
        self.memory().live.borrow_mut().leave(chain.no);
        Ok(())
    }
}
