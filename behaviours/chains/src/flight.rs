//! Getting from a peer what we lack of a chain: what is remembered between two pages.

use std::collections::BTreeMap;

use covey_kernel::{Bounded, CommandId, PublicKey, RequestId};

use crate::{
    Block, BlockId,
    limits::{IDLE_PAGES, LACKING, VAIN_BLOCKS, WAITERS},
    wire::{Item, Page, Part, Tally},
};

/// Who waits for a synchronisation to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    Command(CommandId),
    Request(RequestId),
}

/// Which exchange: what was asked in another one counts for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlightNo(pub u64);

/// One exchange with a peer: pages until there are no more, then what is held there.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    pub(crate) number: FlightNo,
    waiters: Vec<Waiter>,
    /// Another is to follow, since more was announced meanwhile, and who waits for that: they would
    /// wait for ever if this one began again each time.
    next: Option<Next>,
    tally: Tally,
    /// It has brought something new, so what was frozen before counts until its end.
    pub(crate) taking: bool,
    /// The peer did not know our tips: it is told the cuts, too.
    cuts: bool,
    /// Where the peer's next page begins.
    after: u32,
    /// Pages in a row of which nothing was new.
    idle: u32,
    /// Something was new since something lacked its past.
    gained: bool,
    /// Something lacked its past, which may be here now.
    lacked: bool,
    /// Blocks that were refused, as there are too many.
    pub(crate) refused: u64,
    /// Not all that the peer has can be taken: something was refused, or lacked its past.
    pub(crate) gaps: bool,
    /// Blocks that lacked their past, which may have been refused on another page and yet come with them; of a line
    /// the last one. And who wrote each.
    lacking: BTreeMap<BlockId, PublicKey>,
    /// What is asked for now.
    stage: Stage,
    /// What was refused of the pages of that: it may come in with what follows.
    pub(crate) carried: Vec<Item>,
}

/// What a peer is asked for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// What is in its order; then all.
    Placed,
    /// All that it has; then some of what lacked its past.
    #[default]
    All,
    /// These, at the end.
    Named(Vec<BlockId>),
}

/// The exchange after this one.
#[derive(Debug, Default)]
struct Next {
    waiters: Vec<Waiter>,
    /// What this one has brought since it was wanted.
    tally: Tally,
}

/// Too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

impl Flight {
    pub(crate) fn new(number: FlightNo, waiters: Vec<Waiter>) -> Self {
        Self { number, waiters, ..Self::default() }
    }

    /// One in which what is in the peer's order comes first: what else it has may use up what we spend on it.
    pub(crate) fn placed_first(self) -> Self {
        Self { stage: Stage::Placed, ..self }
    }

    /// Where the next page begins, and whether the cuts are to be named.
    pub(crate) fn page(&self) -> (u32, bool) {
        (self.after, self.cuts)
    }

    /// Has another follow.
    pub(crate) fn again(&mut self, waiter: Option<Waiter>) -> Result<(), Crowded> {
        let next = self.next.get_or_insert_default();
        if waiter.is_some() && next.waiters.len() >= WAITERS {
            return Err(Crowded);
        }
        next.waiters.extend(waiter);
        Ok(())
    }

    /// Who waits, what they hear, and the exchange that follows.
    pub(crate) fn end(self, number: FlightNo) -> (Vec<Waiter>, Tally, Option<Self>) {
        let next =
            self.next.map(|Next { waiters, tally }| Self { tally, ..Self::new(number, waiters) });
        (self.waiters, self.tally, next)
    }

    /// Whether it has brought nothing but what is refused, and much of that.
    pub(crate) fn is_vain(&self) -> bool {
        self.refused >= VAIN_BLOCKS && self.tally.accepted == 0
    }

    /// Whether nobody waits for it.
    pub(crate) fn is_unheard(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Who waits.
    pub(crate) fn into_waiters(self) -> Vec<Waiter> {
        self.waiters
    }

    /// The peer wants cuts. They are named once: who is not content with them goes on for ever.
    pub(crate) fn name_cuts(&mut self) -> bool {
        !std::mem::replace(&mut self.cuts, true)
    }

    /// Whether the peer is to make another page, given this one. Where nothing new comes, it may go on
    /// only for so long. Where something lacked its past, what follows does too: it begins again.
    pub(crate) fn turn(&mut self, page: &Page) -> bool {
        if std::mem::take(&mut self.lacked) {
            self.after = 0;
            return true;
        }
        let next = page.next.filter(|next| *next > self.after && self.idle < IDLE_PAGES);
        self.after = next.unwrap_or(0);
        next.is_some()
    }

    /// A page was taken. What lacked its past may have it now, if something was new since the last
    /// time.
    pub(crate) fn taken(&mut self, gained: bool, lacked: bool) {
        self.idle = if gained { 0 } else { self.idle.saturating_add(1) };
        self.gained |= gained;
        self.lacked |= lacked && std::mem::take(&mut self.gained);
    }

    /// A block lacked its past. If there are many already, it takes the place of some other one.
    pub(crate) fn lacks(&mut self, id: BlockId, block: &Block, random: u64) {
        for back in block.backs.iter() {
            self.lacking.remove(back);
        }
        let Some(author) = block.author else { return };
        if self.lacking.len() >= LACKING {
            let at = random.checked_rem(self.lacking.len() as u64).unwrap_or(0);
            let other = self.lacking.keys().nth(usize::try_from(at).unwrap_or(0)).copied();
            other.and_then(|other| self.lacking.remove(&other));
        }
        self.lacking.insert(id, author);
    }

    /// What lacked its past, if all has been asked for, and nothing by name.
    pub(crate) fn lacking(&mut self) -> Vec<(BlockId, PublicKey)> {
        let lacking = std::mem::take(&mut self.lacking);
        if self.stage == Stage::All { lacking.into_iter().collect() } else { Vec::new() }
    }

    /// What of all that we lack is asked for.
    pub(crate) fn part(&self) -> Part {
        match &self.stage {
            Stage::Placed => Part::Placed(()),
            Stage::All => Part::All(()),
            Stage::Named(ids) => Part::Named(Bounded::first(ids.iter().copied())),
        }
    }

    /// What is in the peer's order has come: now all that it has is asked for. False if that is done.
    pub(crate) fn want_all(&mut self) -> bool {
        let was_placed = self.stage == Stage::Placed;
        if was_placed {
            self.turn_to(Stage::All);
            // It is refused again, and counts once.
            self.refused = 0;
        }
        was_placed
    }

    /// Now that there are no more pages, these are asked for by name.
    pub(crate) fn want(&mut self, wanted: Vec<BlockId>) {
        self.turn_to(Stage::Named(wanted));
    }

    fn turn_to(&mut self, stage: Stage) {
        self.stage = stage;
        (self.after, self.idle) = (0, 0);
    }

    /// Whether it begins again though the peer has no more pages: something lacked its past.
    pub(crate) fn begins_again(&mut self) -> bool {
        std::mem::take(&mut self.lacked)
    }

    /// Adds to what it has come to.
    pub(crate) fn count(&mut self, more: Tally) {
        let next = self.next.as_mut().map(|next| &mut next.tally);
        for tally in [&mut self.tally].into_iter().chain(next) {
            tally.accepted = tally.accepted.saturating_add(more.accepted);
            tally.offered = tally.offered.saturating_add(more.offered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(next: Option<u32>) -> Page {
        Page { next, ..Page::default() }
    }

    #[test]
    fn pages_go_on_until_there_is_no_next_one() {
        let mut flight = Flight::default();
        assert!(flight.turn(&page(Some(7))));
        assert_eq!(flight.page(), (7, false));
        assert!(!flight.turn(&page(Some(7))), "the same page again");
        assert!(!flight.turn(&page(None)));
    }

    #[test]
    fn pages_of_nothing_new_end() {
        let mut flight = Flight::default();
        let turns = (1..).take_while(|next| {
            let more = flight.turn(&page(Some(*next)));
            flight.taken(*next == 5, false);
            more
        });
        assert_eq!(turns.count() as u32, 5 + IDLE_PAGES);
    }

    #[test]
    fn it_begins_again_for_what_lacked_its_past_only_if_something_was_new() {
        let mut flight = Flight::default();
        flight.taken(false, true);
        assert!(!flight.begins_again());
        flight.taken(true, true);
        assert!(flight.begins_again());
        assert!(!flight.begins_again());
        flight.taken(false, true);
        assert!(!flight.begins_again());
        flight.taken(true, false);
        flight.taken(false, true);
        assert!(flight.turn(&page(Some(9))), "from the start");
        assert_eq!(flight.page(), (0, false));
    }

    #[test]
    fn what_is_in_the_order_comes_first_and_what_is_named_last() {
        let mut flight = Flight::default().placed_first();
        assert_eq!(flight.part(), Part::Placed(()));
        assert!(flight.want_all() && !flight.want_all());
        assert_eq!(flight.part(), Part::All(()));
        let id = BlockId { height: 1, hash: covey_kernel::Hash::of(b"1") };
        flight.want(vec![id]);
        assert_eq!(flight.part(), Part::Named(Bounded::first([id])));
        assert!(!flight.want_all());
    }

    #[test]
    fn of_those_that_lack_their_past_any_may_be_remembered() {
        let key = covey_kernel::Keypair::from_secret(&[1; 32]);
        let id = |number: usize| covey_kernel::Hash::of(&number.to_be_bytes());
        let id = |number| BlockId { height: 9, hash: id(number) };
        let block = Block {
            time: covey_kernel::Time::default(),
            payload: crate::Payload { hash: id(0).hash, size: 0, sealed: false },
            vote: None,
            backs: Bounded::first([id(0)]),
            author: Some(key.public()),
        };
        let mut flight = Flight::default();
        (1..=LACKING + 1).for_each(|number| flight.lacks(id(number), &block, number as u64));
        let lacking = flight.lacking();
        assert_eq!(lacking.len(), LACKING);
        assert!(lacking.iter().any(|(found, _)| *found == id(LACKING + 1)));
    }

    #[test]
    fn cuts_are_named_once() {
        let mut flight = Flight::default();
        assert!(flight.name_cuts());
        assert!(!flight.name_cuts());
    }

    #[test]
    fn only_so_many_wait_for_the_next() {
        let mut flight = Flight::default();
        for id in 0..WAITERS as u64 {
            assert_eq!(flight.again(Some(Waiter::Request(RequestId(id)))), Ok(()));
        }
        assert_eq!(flight.again(Some(Waiter::Request(RequestId(99)))), Err(Crowded));
        assert_eq!(flight.again(None), Ok(()));
        let next = flight.end(FlightNo(1)).2.expect("another follows");
        assert_eq!(next.into_waiters().len(), WAITERS);
    }

    #[test]
    fn who_waits_for_the_next_hears_of_what_came_meanwhile() {
        let one = Tally { accepted: 1, offered: 2 };
        let mut flight = Flight::new(FlightNo(1), vec![Waiter::Request(RequestId(1))]);
        flight.count(one);
        flight.again(Some(Waiter::Request(RequestId(2)))).unwrap();
        flight.count(one);
        let (waiters, tally, next) = flight.end(FlightNo(2));
        assert_eq!(waiters, [Waiter::Request(RequestId(1))]);
        assert_eq!(tally, Tally { accepted: 2, offered: 4 });
        let (waiters, tally, last) = next.expect("another follows").end(FlightNo(3));
        assert_eq!(waiters, [Waiter::Request(RequestId(2))]);
        assert_eq!(tally, one);
        assert!(last.is_none());
    }
}
