//! What a node asks itself. One node may run both sides of a protocol, as a wallet and a validator: the
//! one asks the other as it asks anybody, without a wire between them.

use std::{collections::BTreeMap, time::Duration};

use covey_kernel::{AskId, Peer, RequestId};
use tokio::time::Instant;

use super::Line;

/// Questions that wait for an answer at once; more are answered busy.
pub(super) const OWN_ASKS: usize = 4096;

/// How long a question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the requests of the own node are marked with. Those of others are counted from 0.
const OWN: u64 = 1 << 63;

/// The questions that are not answered.
pub(super) struct OwnAsks {
    /// The own node.
    pub(super) me: Peer,
    next: u64,
    waiting: BTreeMap<u64, (Line, AskId, Instant)>,
}

impl OwnAsks {
    pub(super) fn new(me: Peer) -> Self {
        Self { me, next: 0, waiting: BTreeMap::new() }
    }

    /// Begins one; none if too many wait.
    pub(super) fn begin(&mut self, line: Line, ask: AskId, now: Instant) -> Option<RequestId> {
        if self.waiting.len() >= OWN_ASKS {
            return None;
        }
        let number = self.next & !OWN;
        self.next = self.next.wrapping_add(1);
        self.waiting.insert(number, (line, ask, now));
        Some(RequestId(number | OWN))
    }

    /// Whether a request is of the own node.
    pub(super) fn is_own(request: RequestId) -> bool {
        request.0 & OWN != 0
    }

    /// Ends one; none if it has ended.
    pub(super) fn end(&mut self, request: RequestId) -> Option<(Line, AskId)> {
        let (line, ask, _) = self.waiting.remove(&(request.0 & !OWN))?;
        Some((line, ask))
    }

    /// Ends those that have waited for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(Line, AskId)> {
        let late = self
            .waiting
            .iter()
            .take_while(|(_, (.., since))| now.saturating_duration_since(*since) >= PATIENCE);
        let late: Vec<u64> = late.map(|(number, _)| *number).collect();
        let ended = late.into_iter().filter_map(|number| self.waiting.remove(&number));
        ended.map(|(line, ask, _)| (line, ask)).collect()
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Keypair;

    use super::*;

    fn nothing_asked() -> OwnAsks {
        OwnAsks::new(Keypair::from_secret(&[1; 32]).public())
    }

    #[test]
    fn each_question_ends_once() {
        let mut asks = nothing_asked();
        let now = Instant::now();
        let request = asks.begin(Line::Ledger, AskId(7), now).unwrap();
        assert!(OwnAsks::is_own(request) && !OwnAsks::is_own(RequestId(0)));
        assert_eq!(asks.end(request), Some((Line::Ledger, AskId(7))));
        assert_eq!(asks.end(request), None);
        asks.begin(Line::Ledger, AskId(8), now).unwrap();
        assert_eq!(asks.expire(now), []);
        assert_eq!(asks.expire(now + PATIENCE), [(Line::Ledger, AskId(8))]);
        assert_eq!(asks.expire(now + PATIENCE), []);
    }

    #[test]
    fn they_are_bounded() {
        let mut asks = nothing_asked();
        let now = Instant::now();
        let begun = (0..).map_while(|ask| asks.begin(Line::Ledger, AskId(ask), now));
        let begun: Vec<_> = begun.collect();
        assert_eq!(begun.len(), OWN_ASKS);
        asks.end(begun[0]).unwrap();
        assert!(asks.begin(Line::Ledger, AskId(0), now).is_some());
    }
}
