//! Getting from a peer what we lack of a chain, a page at a time.

use covey_kernel::{AskFailure, Bounded, CommandId, Effect, Fault, Peer};

use super::{
    desk::Desk,
    ingest::{Taken, Waiting},
};
use crate::{
    BlockId,
    command::{Direction, Reply, Selector},
    error::Error,
    graph::Ix,
    limits::{CUT_TIPS, CUTS, IDLE_PAGES, TIPS},
    loaded::Loaded,
    memory::{Chain, Errand, Flight, Waiter},
    wire::{Cut, Item, Page, Pull, Refusal, Request, Response, Tally, Tips},
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

    /// Asks a peer for what we lack. One question at a time for each chain and peer.
    pub(super) fn pull(
        &mut self,
        chain: &Chain,
        peer: Peer,
        waiter: Option<Waiter>,
    ) -> Result<(), Fault> {
        let key = (chain.no, peer);
        {
            let mut live = self.memory().live.borrow_mut();
            if let Some(flight) = live.flights.get_mut(&key) {
                flight.waiters.extend(waiter);
                flight.again = true;
                return Ok(());
            }
            let waiters = waiter.into_iter().collect();
            live.flights.insert(key, Flight { waiters, ..Flight::default() });
        }
        self.ask_page(chain, peer)
    }

    fn ask_page(&mut self, chain: &Chain, peer: Peer) -> Result<(), Fault> {
        let (with_cuts, after) = {
            let live = self.memory().live.borrow();
            let flight = live.flights.get(&(chain.no, peer));
            flight.map_or((false, 0), |flight| (flight.cuts, flight.after))
        };
        let (tips, cuts) = {
            let mut loaded = chain.load(self.store())?;
            let cuts = if with_cuts { cuts(&loaded) } else { Bounded::default() };
            (tips(&mut loaded), cuts)
        };
        let pull = Pull { asker: self.asker(chain, &peer), tips, cuts, after };
        self.ask(peer, Errand::Pull { chain: chain.no }, &Request::Pull(pull));
        Ok(())
    }

    /// A page has come, or not.
    pub(super) fn take_page(
        &mut self,
        from: Peer,
        chain: &Chain,
        answer: Result<Response, AskFailure>,
    ) -> Result<(), Error> {
        if !self.memory().live.borrow().flights.contains_key(&(chain.no, from)) {
            // It was asked before the exchange was broken off.
            return Ok(());
        }
        match answer {
            Ok(Response::Page(page)) => self.take_blocks(from, chain, &page),
            Ok(Response::Cuts(())) => self.ask_again(chain, from),
            Ok(Response::Refused(why)) => {
                if matches!(why, Refusal::NotHere(()) | Refusal::OtherFirst(_)) {
                    self.memory().live.borrow_mut().without.insert((chain.no, from));
                }
                self.end(chain, from, Err(refused(why)));
                Ok(())
            }
            Ok(_) => {
                self.effect(Effect::Strike(from));
                self.end(chain, from, Err(Error::Peer("it broke the protocol".into())));
                Ok(())
            }
            Err(why) => {
                self.end(chain, from, Err(Error::Peer(why.to_string())));
                Ok(())
            }
        }
    }

    /// The peer does not know our tips. It is told more; who is not content with that goes on for ever.
    fn ask_again(&mut self, chain: &Chain, from: Peer) -> Result<(), Error> {
        let cut = {
            let mut live = self.memory().live.borrow_mut();
            let flight = live.flights.get_mut(&(chain.no, from));
            flight.is_some_and(|flight| std::mem::replace(&mut flight.cuts, true))
        };
        if cut {
            self.effect(Effect::Strike(from));
            self.end(chain, from, Err(Error::Peer("it broke the protocol".into())));
            return Ok(());
        }
        Ok(self.ask_page(chain, from)?)
    }

    /// A chain is left: who waits for its exchanges hears so.
    pub(super) fn abandon(&mut self, chain: &Chain) {
        let peers: Vec<Peer> = {
            let live = self.memory().live.borrow();
            let of = live.flights.keys().filter(|(no, _)| *no == chain.no);
            of.map(|(_, peer)| *peer).collect()
        };
        for peer in peers {
            self.end(chain, peer, Err(Error::UnknownChain(chain.info().name.to_string())));
        }
        self.memory().live.borrow_mut().leave(chain.no);
    }

    fn take_blocks(&mut self, from: Peer, chain: &Chain, page: &Page) -> Result<(), Error> {
        // The peer makes the next page while this one is taken.
        let asked = self.turn_page(chain, from, page);
        if asked {
            self.ask_page(chain, from)?;
        }
        let mut waiting = Waiting::default();
        let mut tally = Tally { accepted: 0, offered: page.items.len() as u64 };
        let (mut broken, mut lacked) = (None, false);
        if !page.items.is_empty() {
            self.begin_exchange(chain)?;
        }
        for item in &*page.items {
            match self.take(chain, item, &mut waiting)? {
                Taken::New => tally.accepted = tally.accepted.saturating_add(1),
                Taken::Invalid(why) => {
                    broken = Some(why);
                    break;
                }
                Taken::Unknown => lacked = true,
                _ => {}
            }
        }
        self.tell_taken(chain, &mut waiting)?;
        if tally.accepted > 0 {
            match chain.awaits_first() {
                true => self.tell_neighbours(chain, Some(from)),
                false => self.announce_heads(chain, &page.items)?,
            }
        }
        self.count(chain, from, tally);
        self.page_taken(chain, from, tally.accepted > 0, lacked);
        self.memory().tidy(chain.no);
        if let Some(why) = broken {
            self.effect(Effect::Strike(from));
            self.end(chain, from, Err(Error::Peer(why.into())));
            return Ok(());
        }
        if asked {
            return Ok(());
        }
        match self.asks_again(chain, from) {
            true => Ok(self.ask_page(chain, from)?),
            false => self.end_of_pages(chain, from),
        }
    }

    /// Nothing more comes: what is held there is asked for, and payloads.
    fn end_of_pages(&mut self, chain: &Chain, from: Peer) -> Result<(), Error> {
        self.end_exchange(chain)?;
        self.ask_held(chain, from);
        if !self.is_fetching(chain, &from) {
            self.fetch(chain, from)?;
        }
        Ok(())
    }

    /// Whether the peer is to make another page. Where nothing new comes, it may go on only for so
    /// long. Where something lacked its past, what follows does too: it begins again.
    fn turn_page(&mut self, chain: &Chain, from: Peer, page: &Page) -> bool {
        let mut live = self.memory().live.borrow_mut();
        let Some(flight) = live.flights.get_mut(&(chain.no, from)) else { return false };
        if std::mem::take(&mut flight.lacked) {
            flight.after = 0;
            return true;
        }
        let next = page.next.filter(|next| *next > flight.after && flight.idle < IDLE_PAGES);
        flight.after = next.unwrap_or(0);
        next.is_some()
    }

    /// Adds to what a synchronisation has come to.
    pub(super) fn count(&mut self, chain: &Chain, from: Peer, tally: Tally) {
        let mut live = self.memory().live.borrow_mut();
        let Some(flight) = live.flights.get_mut(&(chain.no, from)) else { return };
        flight.tally.accepted = flight.tally.accepted.saturating_add(tally.accepted);
        flight.tally.offered = flight.tally.offered.saturating_add(tally.offered);
    }

    /// A page was taken. What lacked its past may have it now, if something was new since the last
    /// time.
    fn page_taken(&mut self, chain: &Chain, from: Peer, gained: bool, lacked: bool) {
        let mut live = self.memory().live.borrow_mut();
        let Some(flight) = live.flights.get_mut(&(chain.no, from)) else { return };
        flight.idle = if gained { 0 } else { flight.idle.saturating_add(1) };
        flight.gained |= gained;
        flight.lacked |= lacked && std::mem::take(&mut flight.gained);
    }

    /// Whether a peer without more pages is asked from the start again: more was announced
    /// meanwhile, or something lacked its past.
    fn asks_again(&mut self, chain: &Chain, from: Peer) -> bool {
        let mut live = self.memory().live.borrow_mut();
        let Some(flight) = live.flights.get_mut(&(chain.no, from)) else { return false };
        std::mem::take(&mut flight.again) | std::mem::take(&mut flight.lacked)
    }

    /// A synchronisation has ended: those who wait for it hear what it came to.
    pub(super) fn end(&mut self, chain: &Chain, from: Peer, outcome: Result<(), Error>) {
        let flight = self.memory().live.borrow_mut().flights.remove(&(chain.no, from));
        let Some(flight) = flight else { return };
        for waiter in flight.waiters {
            match waiter {
                Waiter::Command(to) => {
                    let reply = outcome.clone().map(|()| Reply::Synced(flight.tally));
                    self.effect(Effect::Reply { to, reply });
                }
                Waiter::Request(to) => {
                    let answer = match &outcome {
                        Ok(()) => Response::Tally(flight.tally),
                        Err(_) => Response::Refused(Refusal::Later(())),
                    };
                    self.effect(Effect::Answer { to, bytes: answer.encode() });
                }
            }
        }
    }

    /// Tells others of the blocks among these on which nothing builds.
    fn announce_heads(&mut self, chain: &Chain, items: &[Item]) -> Result<(), Fault> {
        for item in items {
            let id = item.block.block.id();
            let is_head = {
                let loaded = chain.load(self.store())?;
                loaded.find(&id).is_some_and(|ix| loaded.graph.children(ix).is_empty())
            };
            if is_head && self.is_placed(chain, item)? {
                self.announce(chain, item)?;
            }
        }
        Ok(())
    }
}

/// Why a peer refuses, in words for the user.
pub(super) fn refused(why: Refusal) -> Error {
    match why {
        Refusal::NotHere(()) => Error::PeerNotHere,
        Refusal::OtherFirst(first) => Error::PeerOtherFirst(first.to_string()),
        Refusal::Later(()) => Error::Peer("it is busy: try again later".into()),
        Refusal::Invalid(()) | Refusal::NoPayload(()) => {
            Error::Peer("it does not understand the question".into())
        }
    }
}

fn ids<const MOST: usize>(
    loaded: &Loaded,
    blocks: impl IntoIterator<Item = Ix>,
) -> Bounded<BlockId, MOST> {
    Bounded::first(blocks.into_iter().filter_map(|ix| loaded.graph.id(ix)))
}

/// The blocks on which nothing builds. If they are too many, those at the end of the order count
/// most, since all that is placed comes before them; and then the latest.
fn tips(loaded: &mut Loaded) -> Tips {
    let mut tips: Vec<Ix> = loaded.graph.tips().collect();
    tips.reverse();
    if tips.len() > TIPS {
        tips.retain(|ix| loaded.graph.place(*ix).is_none());
        tips.splice(0..0, loaded.graph.heads().iter().copied());
    }
    ids(loaded, tips)
}

/// What was known 1, 2, 4, 8 … blocks earlier. There is always one, if there is more than the genesis,
/// so who does not know the tips has no reason to ask for cuts again.
fn cuts(loaded: &Loaded) -> Bounded<Cut, CUTS> {
    let lengths = (0..CUTS).map_while(|power| {
        let back = 1usize.checked_shl(u32::try_from(power).ok()?)?;
        loaded.graph.len().checked_sub(back).filter(|length| *length > 0)
    });
    let tips = lengths.map(|length| loaded.graph.tips_of_first(length, CUT_TIPS));
    Bounded::first(tips.map(|tips| ids(loaded, tips)))
}
