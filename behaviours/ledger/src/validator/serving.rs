//! Handing a lock set over: its ids part by part, and its entries. They are served before the seal too,
//! so that little is left to copy when payments pause.

use covey_kernel::{Bounded, Fault, Peer, RequestId, Scan, Store, cbor};

use super::{
    Cx, Delta, Validator, answer, layout,
    records::{self, Entry},
};
use crate::{
    error::Error,
    limits::{LOG_PAGE, RESPONSE_BYTES},
    output::TxId,
    reason::Reason,
    seal::{LogFrom, LogPage, Seal},
    wire::{FromValidator, NotReady},
};

/// Bytes of entries in one answer: what is left is for the answer itself.
const ENTRIES_BYTES: usize = RESPONSE_BYTES - 512;

impl Validator {
    /// Whether a node may take lock sets over from this one: it is, or was, a validator, or is proposed
    /// as one. Who was late in an epoch of long ago may still need what was sealed then.
    fn serves(&self, peer: &Peer) -> Result<(), Error> {
        let mut known = self.memory.network.configurations();
        if known.any(|one| one.place(peer).is_some()) || self.partners().contains(peer) {
            return Ok(());
        }
        Err(Reason::CertificateSigners.into())
    }

    /// The own seal of an epoch, and how many transactions are in the set.
    pub(super) fn own_set(
        &self,
        store: &dyn Store,
        epoch: u64,
    ) -> Result<Option<(Option<Seal>, u64)>, Fault> {
        if let Some(seal) = records::read::<Seal>(store, &layout::seal(epoch))? {
            return Ok(Some((Some(seal), seal.set.count)));
        }
        let term = self.memory.term.as_ref();
        let term = term.filter(|term| term.epoch == epoch && term.imported.is_some());
        Ok(term.map(|term| (None, term.log.count())))
    }

    /// Ids of the own list. What lies behind its end is of an import that was broken off.
    pub(super) fn own_log(
        &self,
        store: &dyn Store,
        from: u64,
        count: u64,
    ) -> Result<Vec<TxId>, Fault> {
        let mut scan = Scan::prefix(layout::LOG).limit(LOG_PAGE);
        scan.from = layout::log(from);
        scan = scan.before(&layout::log(count));
        let ids = store.scan(&scan)?.into_iter();
        ids.map(|(_, bytes)| cbor::decode_stored(&bytes)).collect()
    }

    pub(super) fn tell_log(
        &self,
        cx: &mut Cx<'_, '_>,
        peer: Peer,
        id: RequestId,
        part: LogFrom,
    ) -> Result<Delta, Error> {
        self.serves(&peer)?;
        let set = self.own_set(cx.view, part.epoch)?;
        let (seal, count) = set.ok_or(Error::NotReady(NotReady::Importing(())))?;
        let ids = Bounded::first(self.own_log(cx.view, part.from, count)?);
        answer(cx, id, &FromValidator::Log(Box::new(LogPage { seal, ids })));
        Ok(Delta::default())
    }

    pub(super) fn tell_entries(
        &self,
        cx: &mut Cx<'_, '_>,
        peer: Peer,
        id: RequestId,
        ids: &[TxId],
    ) -> Result<Delta, Error> {
        self.serves(&peer)?;
        let mut entries = Vec::new();
        let mut bytes = 0usize;
        for tx in ids {
            let Some(entry) = records::read::<Entry>(cx.view, &layout::entry(tx))? else { break };
            bytes = bytes.saturating_add(cbor::encode(&entry.spend).len());
            if bytes > ENTRIES_BYTES && !entries.is_empty() {
                break;
            }
            entries.push(entry.spend);
        }
        answer(cx, id, &FromValidator::Entries(Bounded::first(entries)));
        Ok(Delta::default())
    }
}
