//! What there is at an address, for whoever proves that it is theirs.

use covey_kernel::{Bounded, Fault, RequestId, Scan, Store, merkle};

use super::{Cx, Delta, Validator, answer, check, layout, records};
use crate::{
    error::Error,
    holdings::{Claim, Holding, Voted},
    limits::{HOLDINGS, RESPONSE_BYTES},
    output::{Outpoint, leaves},
    wire::FromValidator,
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
        let mut bytes = 0usize;
        for (key, _) in cx.view.scan(&scan)? {
            let outpoint = key.get(prefix.len()..).and_then(Outpoint::from_key);
            let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("an address's key".into()))?;
            // Locked in this turn: its vote is not there yet.
            let Some(holding) = self.holding(cx.view, outpoint)? else { continue };
            bytes = bytes.saturating_add(covey_kernel::cbor::encode(&holding).len());
            holdings.push(holding);
            if bytes > PAGE_BYTES {
                break;
            }
        }
        answer(cx, id, &FromValidator::Holdings(Bounded::first(holdings)));
        Ok(Delta::default())
    }

    /// An output as this validator knows it; none if its vote is only made at the end of this turn.
    fn holding(&self, store: &dyn Store, outpoint: Outpoint) -> Result<Option<Holding>, Fault> {
        let lock = records::lock(store, self.memory.epoch(), &outpoint)?;
        let spent_by = lock.map(|lock| lock.tx);
        if outpoint.tx.0 == self.rules.network.id.hash() {
            return Ok(Some(Holding { outpoint, spent_by, voted: None }));
        }
        let entry: records::Entry = records::must(store, &layout::entry(&outpoint.tx))?;
        if entry.first >= self.memory.next {
            return Ok(None);
        }
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
        Ok(Some(Holding { outpoint, spent_by, voted: Some(voted) }))
    }
}
