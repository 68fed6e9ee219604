//! Votes: an output is locked for one transaction, and all that was locked in a turn is signed at its
//! end, so that a signature never leaves before its locks are on the disk, and one serves a whole turn.

use covey_kernel::{Bounded, Effect, Fault, RequestId};

use super::{
    Change, Cx, Delta, DoubleSpendView, Event, Validator, answer, check,
    earlier::Before,
    importing::note_entry,
    layout,
    records::{self, DoubleSpend, Entry, Lock, Signed},
};
use crate::{
    error::Error,
    evidence::Conflict,
    limits::BATCH,
    output::{Outpoint, TxId},
    reason::Reason,
    spend::Spend,
    vote::{Ballot, Vote},
    wire::{FromValidator, NotReady},
};

impl Validator {
    /// Locks all inputs of a valid transaction for it, unless one is locked already.
    pub(super) fn spend(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        tx: TxId,
        spend: Spend,
    ) -> Result<Delta, Error> {
        if let Some(why) = self.memory.stage.not_ready() {
            return Err(Error::NotReady(why));
        }
        self.vote(cx, id, tx, spend, false)
    }

    /// The same, also if a certificate of it was shown (`certified`), which thaws what it spends.
    pub(super) fn vote(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        tx: TxId,
        spend: Spend,
        certified: bool,
    ) -> Result<Delta, Error> {
        let epoch = self.memory.epoch();
        // What this turn has locked is not in the store that the check saw.
        if let Some((input, lock)) = check::first_lock(cx.view, epoch, &spend)?
            && (lock.tx != tx || lock.is_signed())
        {
            return self.locked(cx, id, tx, spend, (input, lock));
        }
        for outpoint in spend.body.inputs.iter() {
            match self.before(cx.view, outpoint, &tx)? {
                Before::Free => {}
                Before::Frozen if certified => {}
                Before::Frozen => return Err(Reason::Frozen.into()),
                Before::Spent(other) => {
                    let evidence = check::evidence(cx.view, &other, *outpoint)?;
                    let conflict = Conflict { evidence, vote: None };
                    return self.conflict(cx, id, conflict, spend);
                }
            }
        }
        let locks = self.earlier_locks(cx.view, &spend)?;
        if self.memory.open.len() >= BATCH {
            // Claims have filled the turn.
            return Err(Error::NotReady(NotReady::Checking(())));
        }
        let index = self.memory.open.len();
        self.lock(cx, (tx, spend), locks, index, Some(id))
    }

    /// Locks what nothing is against, at a place of this turn's ballot.
    pub(super) fn lock(
        &self,
        cx: &mut Cx<'_, '_>,
        (tx, spend): (TxId, Spend),
        locks: Vec<(Outpoint, Lock)>,
        index: usize,
        id: Option<RequestId>,
    ) -> Result<Delta, Error> {
        let epoch = self.memory.epoch();
        for (outpoint, lock) in locks {
            records::write(cx.view, layout::lock(epoch, &outpoint), &lock);
        }
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let lock = Lock { tx, first: self.memory.next, index };
        for outpoint in spend.body.inputs.iter() {
            records::write(cx.view, layout::lock(epoch, outpoint), &lock);
        }
        let mut delta = Delta::from(Change::Locked(tx, id));
        if !self.is_imported(cx.view, &tx)?
            && let Some(term) = &self.memory.term
        {
            records::write(cx.view, layout::log(term.log.count()), &tx);
            delta.0.push(Change::Logged(tx));
        }
        let known = match epoch {
            // Nothing was handed over.
            0 => None,
            _ => records::read::<Entry>(cx.view, &layout::entry(&tx))?,
        };
        match known {
            // Handed over as it was shown first.
            Some(known) => {
                let entry = Entry { epoch, first: lock.first, index, ..known };
                records::write(cx.view, layout::entry(&tx), &entry);
            }
            None => note_entry(cx, tx, Entry { epoch, first: lock.first, index, spend }),
        }
        Ok(delta)
    }

    /// Something is locked already: for this transaction or for another one.
    fn locked(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        tx: TxId,
        spend: Spend,
        (input, lock): (usize, Lock),
    ) -> Result<Delta, Error> {
        let is_of_this_turn = lock.first == self.memory.next;
        if lock.tx != tx {
            let outpoint = spend.body.inputs.get(input).copied().ok_or(Reason::ProofCount)?;
            let evidence = check::evidence(cx.view, &lock.tx, outpoint)?;
            let is_signed = lock.is_signed() && !is_of_this_turn;
            let vote = is_signed.then(|| check::vote(cx.view, &lock)).transpose()?;
            return self.conflict(cx, id, Conflict { evidence, vote }, spend);
        }
        if is_of_this_turn {
            // Of this turn: the vote is made at its end.
            return Ok(Change::Waits(id, usize::from(lock.index)).into());
        }
        let vote = check::vote(cx.view, &lock)?;
        answer(cx, id, &FromValidator::Vote(vote));
        Ok(Delta::default())
    }

    /// Shows the owner of an output what it was promised to, and notes the attempt.
    pub(super) fn conflict(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        conflict: Conflict,
        spend: Spend,
    ) -> Result<Delta, Error> {
        let evidence = &conflict.evidence;
        let key = layout::evidence(&evidence.outpoint);
        if records::read::<DoubleSpend>(cx.view, &key)?.is_none() {
            let network = &self.rules.network.id;
            cx.effects.push(Effect::Tell(Event::DoubleSpend(DoubleSpendView {
                outpoint: evidence.outpoint,
                first: evidence.tx(network),
                second: spend.body.id(network),
            })));
            let Spend { body: second, witnesses, .. } = spend;
            let attempt = DoubleSpend { first: evidence.clone(), second, witnesses };
            records::write(cx.view, key, &attempt);
        }
        answer(cx, id, &FromValidator::Conflict(Box::new(conflict)));
        Ok(Delta::default())
    }

    /// Signs what this turn has locked, and answers all who wait for it.
    pub(super) fn sign(&self, cx: &mut Cx<'_, '_>) -> Result<Option<Delta>, Fault> {
        let memory = &self.memory;
        if memory.open.is_empty() {
            return Ok(None);
        }
        let term = memory.term.as_ref();
        let term = term.ok_or_else(|| Fault::Corrupt("locks without an epoch".into()))?;
        let ballot = Ballot::over(term.epoch, memory.next, &memory.open);
        let network = &self.rules.network.id;
        let signature = ballot.sign(&term.key, network);
        // It comes back under what is spent next.
        self.rules.ballots.know(&ballot.signed(network, term.key.public(), signature));
        let transactions = Bounded::new(memory.open.clone())
            .map_err(|_| Fault::Corrupt("a turn with more inputs than it may have".into()))?;
        let signed = Signed { transactions, epoch: term.epoch, signature };
        records::write(cx.view, layout::LOGGED.to_vec(), &term.log);
        records::write(cx.view, layout::ballot(memory.next), &signed);
        let votes = Vote::all(memory.next, &memory.open, signature);
        for (request, at) in &memory.waiting {
            if let Some(vote) = votes.get(*at) {
                answer(cx, *request, &FromValidator::Vote(vote.clone()));
            }
        }
        for (request, claim) in &memory.claims {
            self.tell_holdings(cx, *request, claim)?;
        }
        let mut changes = vec![Change::Signed];
        changes.extend(self.tell_soon(cx));
        Ok(Some(Delta(changes)))
    }
}
