//! Getting from a peer what we lack of a chain, a page at a time.

use std::collections::BTreeMap;

use covey_kernel::{AskFailure, Bounded, Effect, Fault, Peer, PublicKey};

use super::{
    desk::Desk,
    ingest::Taken,
    waiting::{Waiting, Way},
    wasted::{Bill, WASTED},
};
use crate::{
    BlockId,
    error::Error,
    flight::Flight,
    graph::Ix,
    limits::{CUT_TIPS, CUTS, TIPS, WANTED, WANTED_PER_AUTHOR},
    loaded::Loaded,
    memory::{Chain, Laid},
    wire::{Asker, Cut, Item, Page, Part, Pull, Refusal, Response, Tally, Tips},
};

impl Desk<'_, '_, '_> {
    /// What we know of a chain, for somebody who is to tell us what we lack.
    pub(super) fn say_known(
        &self,
        chain: &Chain,
        asker: Asker,
        (after, with_cuts): (u32, bool),
        part: Part,
    ) -> Result<Pull, Fault> {
        let mut loaded = chain.load(self.store())?;
        let cuts = if with_cuts { cuts(&loaded) } else { Bounded::default() };
        // The side that was followed before is what others know for sure; then the latest.
        let tips_aside = || loaded.graph.aside_tips().rev();
        let is_offered = |ix: &Ix| loaded.offered.contains(ix);
        let followed = tips_aside().filter(|ix| !is_offered(ix));
        let aside = ids(&loaded, followed.chain(tips_aside().filter(is_offered)));
        Ok(Pull { asker, tips: tips(&mut loaded), aside, cuts, after, part })
    }

    /// A page has come, or not.
    pub(super) fn take_page(
        &mut self,
        from: Peer,
        chain: &Chain,
        answer: Result<Response, AskFailure>,
    ) -> Result<(), Error> {
        match answer {
            Ok(Response::Page(page)) => self.page_came(from, chain, page),
            Ok(Response::Cuts(())) => self.ask_again(chain, from),
            Ok(Response::Refused(why)) => {
                if matches!(why, Refusal::NotHere(()) | Refusal::OtherFirst(_)) {
                    self.memory().live.borrow_mut().without.insert((chain.no, from));
                }
                Ok(self.end(chain, from, Err(refused(why)))?)
            }
            Ok(_) => self.break_off(chain, from, "it broke the protocol"),
            Err(why) => Ok(self.end(chain, from, Err(Error::Peer(why.to_string())))?),
        }
    }

    /// The peer does not know our tips. It is told more, once.
    fn ask_again(&mut self, chain: &Chain, from: Peer) -> Result<(), Error> {
        match self.flight(chain, from, Flight::name_cuts) {
            Some(true) => Ok(self.ask_page(chain, from)?),
            _ => self.break_off(chain, from, "it broke the protocol"),
        }
    }

    /// The peer has done what no honest one does.
    fn break_off(&mut self, chain: &Chain, from: Peer, why: &str) -> Result<(), Error> {
        self.effect(Effect::Strike(from));
        Ok(self.end(chain, from, Err(Error::Peer(why.into())))?)
    }

    /// What a decision asks is asked after it. So that the peer makes the next page while this one is
    /// taken, this one is laid aside until the next decision.
    fn page_came(&mut self, from: Peer, chain: &Chain, page: Page) -> Result<(), Error> {
        let turned = self.flight(chain, from, |flight| (flight.number, flight.turn(&page)));
        let Some((flight, true)) = turned else {
            return self.take_blocks(from, chain, &page, false);
        };
        self.ask_page(chain, from)?;
        let laid = Laid { chain: chain.no, from, flight, page };
        self.memory().live.borrow_mut().laid.push_back(laid);
        self.effect(Effect::Wake(self.now()));
        Ok(())
    }

    /// Takes the pages that were laid aside.
    pub(super) fn take_laid(&mut self) -> Result<(), Error> {
        loop {
            let laid = self.memory().live.borrow_mut().laid.pop_front();
            let Some(Laid { chain, from, flight, page }) = laid else { return Ok(()) };
            let chain = self.memory().chains.get(&chain);
            let Some(chain) = chain.filter(|chain| self.is_flying(chain, from, flight)) else {
                continue;
            };
            self.take_blocks(from, chain, &page, true)?;
        }
    }

    /// Takes a page. Whether the next one is asked for already.
    fn take_blocks(
        &mut self,
        from: Peer,
        chain: &Chain,
        page: &Page,
        asked: bool,
    ) -> Result<(), Error> {
        let Came { accepted, refused, lacked, gaps, broken, .. } =
            self.take_page_items(from, chain, &page.items)?;
        let tally = Tally { accepted, offered: page.items.len() as u64 };
        self.flight(chain, from, |flight| {
            flight.count(tally);
            flight.taken(accepted > 0, lacked);
            flight.refused = flight.refused.saturating_add(refused);
            flight.gaps |= gaps || lacked || matches!(broken, Some(Broken::Wasteful));
        });
        self.memory().tidy(chain.no);
        match broken {
            Some(Broken::Invalid(why)) => return self.break_off(chain, from, why),
            Some(Broken::Wasteful) => {
                return Ok(self.end(chain, from, Err(Error::Peer(WASTED.into())))?);
            }
            None => {}
        }
        if asked {
            return Ok(());
        }
        let goes_on = |flight: &mut Flight| flight.begins_again() || flight.want_all();
        match self.flight(chain, from, goes_on) == Some(true) || self.wants(chain, from)? {
            true => Ok(self.ask_page(chain, from)?),
            false => self.end_of_pages(chain, from),
        }
    }

    /// Takes what is on a page, and tells others of what is new.
    fn take_page_items(
        &mut self,
        from: Peer,
        chain: &Chain,
        items: &[Item],
    ) -> Result<Came, Error> {
        let mut waiting = Waiting::on(Way::Page);
        let carried = self.flight(chain, from, |flight| std::mem::take(&mut flight.carried));
        waiting.go_on(carried.unwrap_or_default());
        self.freeze(chain)?;
        let came = self.take_items(from, chain, items, &mut waiting)?;
        if came.accepted > 0 || came.left {
            self.begin_exchange(chain, from)?;
        }
        self.tell_taken(chain, &mut waiting)?;
        let is_all = |flight: &mut Flight| flight.part() == Part::All(());
        if self.flight(chain, from, is_all) == Some(false) {
            let carried = waiting.carry(&*chain.load(self.store())?);
            self.flight(chain, from, |flight| flight.carried = carried);
        }
        if came.accepted > 0 {
            self.go_on_exchanging(chain, from)?;
            match chain.awaits_first() {
                true => self.tell_neighbours(chain, Some(from)),
                false => self.announce_heads(chain, items)?,
            }
        }
        Ok(came)
    }

    /// Takes them one by one, until the peer's share of what is not taken is used up twice.
    fn take_items(
        &mut self,
        from: Peer,
        chain: &Chain,
        items: &[Item],
        waiting: &mut Waiting,
    ) -> Result<Came, Error> {
        let (mut came, mut sparing, mut bill) = (Came::default(), false, Bill::default());
        for (at, item) in items.iter().enumerate() {
            let like = likes(items, at);
            let taken = match sparing && self.would_crowd(chain, item, like)? {
                true => self.put_aside(chain, item, waiting),
                false => self.take(chain, item, waiting)?,
            };
            came.note(taken);
            if taken == Taken::Unknown {
                let random = self.rng().next_u64();
                let block = &item.block.block;
                self.flight(chain, from, |flight| flight.lacks(block.id(), block, random));
            }
            if came.broken.is_some() {
                break;
            }
            if taken == Taken::Refused && !self.is_of_refused_fork(chain, item) {
                came.gaps = true;
            }
            let owed = bill.next(taken, waiting.sought(), like.is_some());
            if self.waste(chain, from, owed)? {
                // An honest peer does not pass on what is held alone.
                if taken == Taken::Held || self.wastes_twice(chain, from)? {
                    came.broken = Some(Broken::Wasteful);
                    return Ok(came);
                }
                // What comes after somebody's many siblings is of others.
                sparing = true;
            }
        }
        if came.broken.is_none() {
            self.waste(chain, from, bill.last())?;
        }
        Ok(came)
    }

    /// A block is hardly taken by itself, so its place is not sought: it may come in with what builds on it.
    fn put_aside(&self, chain: &Chain, item: &Item, waiting: &mut Waiting) -> Taken {
        let id = item.block.block.id();
        match self.fault(chain, item, &id) {
            None => {
                waiting.refuse(id, item);
                Taken::Refused
            }
            Some(fault) => fault,
        }
    }

    /// Whether some of what lacked its past is to be asked for by name: a few of each author for whose blocks there may
    /// be room, since that past may have been refused on another page. Sometimes one alone: what comes with others may
    /// be more than is remembered.
    fn wants(&mut self, chain: &Chain, from: Peer) -> Result<bool, Fault> {
        let mut lacking = self.flight(chain, from, Flight::lacking).unwrap_or_default();
        let mut room: BTreeMap<PublicKey, usize> = BTreeMap::new();
        let mut wanted = Vec::new();
        let most = WANTED >> self.below(WANTED.ilog2().saturating_add(1).into());
        while wanted.len() < most && !lacking.is_empty() {
            // Any of them: nobody's blocks always come first.
            let at = self.below(lacking.len() as u64);
            let (id, author) = lacking.swap_remove(usize::try_from(at).unwrap_or(0));
            let left = match room.get(&author) {
                Some(left) => *left,
                None if self.is_crowded(chain, &author, &[])? => 0,
                None => WANTED_PER_AUTHOR,
            };
            room.insert(author, left.saturating_sub(1));
            if left > 0 {
                wanted.push(id);
            }
        }
        let is_any = !wanted.is_empty();
        if is_any {
            self.flight(chain, from, |flight| flight.want(wanted));
        }
        Ok(is_any)
    }

    /// A random number.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.rng().next_u64().checked_rem(limit).unwrap_or(0)
    }

    /// Nothing more comes: what is held there is asked for, and payloads.
    fn end_of_pages(&mut self, chain: &Chain, from: Peer) -> Result<(), Error> {
        self.ask_held(chain, from);
        if !self.is_fetching(chain, &from) {
            self.fetch(chain, from)?;
        }
        Ok(())
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

/// What came of a page.
#[derive(Default)]
struct Came {
    /// Blocks that are new.
    accepted: u64,
    /// Blocks that are not taken though they may be.
    refused: u64,
    /// Something is left aside.
    left: bool,
    /// Some of a block's past is not known here.
    lacked: bool,
    /// Something is refused as the order leaves out too much.
    gaps: bool,
    /// Why the rest of it was not looked at.
    broken: Option<Broken>,
}

impl Came {
    fn note(&mut self, taken: Taken) {
        match taken {
            Taken::New => self.accepted = self.accepted.saturating_add(1),
            Taken::Invalid(why) => self.broken = Some(Broken::Invalid(why)),
            Taken::Refused => self.refused = self.refused.saturating_add(1),
            Taken::Forked => self.left = true,
            Taken::Unknown => self.lacked = true,
            Taken::Known | Taken::Held | Taken::Ahead => {}
        }
    }
}

/// The like of a post that comes right after it.
fn likes(items: &[Item], at: usize) -> Option<&Item> {
    let id = items.get(at)?.block.block.id();
    let next = items.get(at.saturating_add(1))?;
    (next.block.block.vouches_for() == Some(id)).then_some(next)
}

enum Broken {
    /// An honest peer would not have sent this.
    Invalid(&'static str),
    /// The peer's share of what is not taken is used up.
    Wasteful,
}

/// Why a peer refuses, in words for the user.
pub(super) fn refused(why: Refusal) -> Error {
    match why {
        Refusal::NotHere(()) => Error::PeerNotHere,
        Refusal::OtherFirst(hash) => Error::PeerOtherFirst(BlockId { height: 1, hash }),
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
