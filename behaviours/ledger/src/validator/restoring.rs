//! What there is at an address, for whoever proves that it is theirs.

use covey_kernel::{Bounded, Fault, Peer, RequestId, Scan, Store, merkle};

use super::{Change, Cx, Delta, Validator, answer, check, layout, records};
use crate::{
    error::Error,
    holdings::{Claim, Holding, Voted},
    limits::{HOLDINGS, PASS_AGAIN, PASSING, RESPONSE_BYTES},
    output::{Outpoint, leaves},
    wire::{FromValidator, ToValidator},
};

/// Bytes of outputs in one answer: what is left is for the answer itself, and for the last output.
const PAGE_BYTES: usize = RESPONSE_BYTES / 2;

impl Validator {
    /// A page of the outputs at an address.
    pub(super) fn holdings(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        claim: &Claim,
    ) -> Result<Delta, Error> {
        if let Some(why) = self.memory.stage.not_ready() {
            return Err(Error::NotReady(why));
        }
        let prefix = layout::owned_by(&claim.address);
        let mut scan = Scan::prefix(&prefix).limit(HOLDINGS);
        if let Some(after) = &claim.after {
            scan = scan.after(&layout::owned(&claim.address, after));
        }
        let mut holdings = Vec::new();
        let mut delta = Delta::default();
        let mut bytes = 0usize;
        'pages: loop {
            let found = cx.view.scan(&scan)?;
            let Some((last, _)) = found.last() else { break };
            scan = scan.after(last);
            for (key, _) in &found {
                let outpoint = key.get(prefix.len()..).and_then(Outpoint::from_key);
                let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("an address's key".into()))?;
                // Locked in this turn: its vote is not there yet.
                if self.memory.open.contains(&outpoint.tx) {
                    continue;
                }
                let holding = self.holding(cx.view, outpoint)?;
                self.pass_on(cx, &mut delta, &holding)?;
                bytes = bytes.saturating_add(covey_kernel::cbor::encode(&holding).len());
                holdings.push(holding);
                if bytes > PAGE_BYTES {
                    break 'pages;
                }
            }
            // An empty page is the last one.
            if !holdings.is_empty() {
                break;
            }
        }
        answer(cx, id, &FromValidator::Holdings(Bounded::first(holdings)));
        Ok(delta)
    }

    /// Shows the other members what made an output that is claimed, and what spends it: whoever has
    /// only a phrase cannot, and some may have missed it, so that a quorum's votes would not be found
    /// while one of those who voted is away.
    fn pass_on(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        holding: &Holding,
    ) -> Result<(), Fault> {
        for tx in [Some(holding.outpoint.tx), holding.spent_by].into_iter().flatten() {
            let passed = self.memory.passed.get(&tx);
            let now = |change: &Change| matches!(change, Change::Passed(one, _) if *one == tx);
            if passed.is_some_and(|at| !cx.now.is_past(*at, PASS_AGAIN)) || delta.0.iter().any(now)
            {
                continue;
            }
            let Some(entry) = records::read::<records::Entry>(cx.view, &layout::entry(&tx))? else {
                continue;
            };
            let asked = delta.0.iter().filter(|change| matches!(change, Change::Asked(..))).count();
            let full = self.memory.asks.len().saturating_add(asked) >= PASSING;
            if entry.first >= self.memory.next || full {
                continue;
            }
            delta.0.push(Change::Passed(tx, cx.now));
            let there = |one: &crate::configuration::Member| self.memory.online.contains(&one.peer);
            let others: Vec<(usize, Peer)> = self
                .others()
                .filter(|(_, one)| there(one))
                .map(|(place, one)| (place, one.peer))
                .collect();
            for to in others {
                self.ask(cx, delta, to, ToValidator::Spend(Box::new(entry.spend.clone())));
            }
        }
        Ok(())
    }

    /// An output as this validator knows it.
    fn holding(&self, store: &dyn Store, outpoint: Outpoint) -> Result<Holding, Fault> {
        let lock = records::lock(store, self.memory.epoch, &outpoint)?;
        let spent_by = lock.map(|lock| lock.tx);
        if outpoint.tx.0 == self.rules.network.id.hash() {
            return Ok(Holding { outpoint, spent_by, voted: None });
        }
        let entry: records::Entry = records::must(store, &layout::entry(&outpoint.tx))?;
        let index = usize::from(outpoint.index);
        let short = || Fault::Corrupt("a transaction has too few outputs".into());
        let salted = entry.spend.outputs.get(index).cloned().ok_or_else(short)?;
        let path = merkle::path(&leaves(&entry.spend.outputs), index).ok_or_else(short)?;
        let given = records::Lock { tx: outpoint.tx, first: entry.first, index: entry.index };
        let voted = Voted {
            vote: check::vote(store, &given)?,
            body: entry.spend.body,
            salted,
            path: Bounded::first(path),
            epoch: entry.epoch,
        };
        Ok(Holding { outpoint, spent_by, voted: Some(voted) })
    }
}
