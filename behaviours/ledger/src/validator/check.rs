//! Decoding, and everything that can be judged before anything is decided. What is answered from the
//! committed store is final: a lock never changes.

use std::collections::BTreeSet;

use covey_kernel::{
    AskFailure, AskId, CommandId, Fault, Input, Peer, RequestId, Store, verify_all,
};

use super::{
    Rules, Validator,
    command::Command,
    layout,
    records::{self, Entry, Lock, Me, Signed as SignedBallot},
};
use crate::{
    error::Error,
    evidence::Evidence,
    height::SignedHeight,
    holdings::Claim,
    output::{Outpoint, TxId},
    reason::Reason,
    spend::{Judged, Spend},
    vote::{Signed, Vote},
    wire::{FromValidator, NotReady, Request, ToValidator},
};

/// An input that is decoded, within bounds and correctly signed.
#[derive(Debug)]
pub enum Checked {
    /// The node has started.
    Start,
    /// Time has passed.
    Wake,
    /// The operator wants something.
    Command(CommandId, Command),
    /// A valid transaction, unless something it spends has been locked meanwhile.
    Spend(RequestId, TxId, Box<Spend>),
    /// A transaction that was voted for before.
    Repeated(RequestId, Box<Vote>),
    /// A transaction that spends what is locked for another, signed by an owner of it.
    Conflict(RequestId, Box<(Evidence, Spend)>),
    /// A member tells how far it has come.
    Height(RequestId, usize, SignedHeight),
    /// A member asks how far it had come.
    MyHeight(RequestId, usize),
    /// The owner of an address asks what is there.
    Claim(RequestId, Box<Claim>),
    /// A member has answered, or not.
    Answer(AskId, Result<FromValidator, AskFailure>),
    /// A connection exists.
    Connected(Peer),
    /// No connection exists any more.
    Disconnected(Peer),
}

/// A request for a vote on its way through the checks.
struct Candidate {
    at: usize,
    id: RequestId,
    spend: Box<Spend>,
    judged: Judged,
}

/// Checks all inputs; the signatures of all of them together.
pub(super) fn check(
    rules: &Rules,
    base: &dyn Store,
    inputs: Vec<Input<Validator>>,
) -> Vec<Result<Checked, Error>> {
    let epoch = match records::must::<Me>(base, layout::ME) {
        Ok(me) => me.epoch,
        Err(fault) => return inputs.iter().map(|_| Err(fault.clone().into())).collect(),
    };
    let mut candidates = Vec::new();
    let mut checked = Vec::with_capacity(inputs.len());
    for input in inputs {
        let at = checked.len();
        let one = match decode(rules, input) {
            Ok(Decoded::Done(done)) => Ok(done),
            Ok(Decoded::Spend(id, spend)) => {
                match first_look(rules, base, epoch, id, *spend) {
                    Ok(Look::Answered(answer)) => Ok(answer),
                    Ok(Look::New(spend, judged)) => {
                        candidates.push(Candidate { at, id, spend, judged });
                        // Stands until the signatures are verified.
                        Err(Reason::OwnerSignature.into())
                    }
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        checked.push(one);
    }
    for (at, verdict) in verify(rules, candidates) {
        if let Some(place) = checked.get_mut(at) {
            *place = verdict;
        }
    }
    checked
}

enum Decoded {
    Done(Checked),
    Spend(RequestId, Box<Spend>),
}

fn decode(rules: &Rules, input: Input<Validator>) -> Result<Decoded, Error> {
    Ok(Decoded::Done(match input {
        Input::Start => Checked::Start,
        Input::Wake => Checked::Wake,
        Input::Command { id, command } => Checked::Command(id, command),
        Input::Request { from, id, bytes } => {
            let request = Request::decode(&bytes).map_err(|_| Reason::Malformed)?;
            let Request::Validator(request) = request else {
                return Err(Reason::Malformed.into());
            };
            return asked(rules, &from, id, request);
        }
        Input::Answer { ask, outcome, .. } => {
            let response =
                |bytes: Vec<u8>| FromValidator::decode(&bytes).map_err(|_| AskFailure::Broken);
            Checked::Answer(ask, outcome.and_then(response))
        }
        // It joins no topic.
        Input::Gossip { .. } => return Err(Error::NotReady(NotReady::NoValidator(()))),
        Input::Connected(peer) => Checked::Connected(peer),
        Input::Disconnected(peer) => Checked::Disconnected(peer),
    }))
}

fn asked(
    rules: &Rules,
    from: &Peer,
    id: RequestId,
    request: ToValidator,
) -> Result<Decoded, Error> {
    let configuration = rules.network.newest();
    // Who asks is proven by the transport, never told by a message.
    let member = || configuration.place(from).ok_or(Reason::CertificateSigners);
    Ok(Decoded::Done(match request {
        ToValidator::Spend(spend) => return Ok(Decoded::Spend(id, spend)),
        ToValidator::Height(height) => {
            let place = member()?;
            let key = configuration.members.get(place).ok_or(Reason::CertificateSigners)?.vote;
            if height.height.epoch != configuration.epoch {
                return Err(Reason::CertificateEpoch.into());
            }
            let right = height.verify(&rules.network.id, &key);
            right.map_err(|_| Reason::VoteSignature)?;
            Checked::Height(id, place, height)
        }
        ToValidator::MyHeight(()) => Checked::MyHeight(id, member()?),
        ToValidator::Claim(claim) => {
            let right = claim.verify(&rules.network.id, &rules.peer);
            right.map_err(|_| Reason::OwnerSignature)?;
            Checked::Claim(id, claim)
        }
    }))
}

enum Look {
    Answered(Checked),
    New(Box<Spend>, Judged),
}

/// All that is cheap: shape and amounts, then the locks.
fn first_look(
    rules: &Rules,
    base: &dyn Store,
    epoch: u64,
    id: RequestId,
    spend: Spend,
) -> Result<Look, Error> {
    let judged = spend.judge(&rules.network)?;
    let Some((first, lock)) = first_lock(base, epoch, &spend)? else {
        return Ok(Look::New(Box::new(spend), judged));
    };
    if lock.tx == judged.tx {
        let vote = vote(base, &lock)?;
        return Ok(Look::Answered(Checked::Repeated(id, Box::new(vote))));
    }
    // Only what who asks can sign for is shown, else anybody could find out which transaction spent an
    // output; and what is locked besides makes no difference, else he could find out whether one has.
    let signed = signed_inputs(&judged);
    for (outpoint, signed) in spend.body.inputs.iter().zip(signed).skip(first) {
        if signed && let Some(lock) = records::lock(base, epoch, outpoint)? {
            let evidence = evidence(base, &lock.tx, *outpoint)?;
            return Ok(Look::Answered(Checked::Conflict(id, Box::new((evidence, spend)))));
        }
    }
    Err(Reason::OwnerSignature.into())
}

/// The first of the inputs that is locked, by its place. If this very transaction has been locked, all
/// are.
pub(super) fn first_lock(
    base: &dyn Store,
    epoch: u64,
    spend: &Spend,
) -> Result<Option<(usize, Lock)>, Fault> {
    for (input, outpoint) in spend.body.inputs.iter().enumerate() {
        if let Some(lock) = records::lock(base, epoch, outpoint)? {
            return Ok(Some((input, lock)));
        }
    }
    Ok(None)
}

/// The vote that was given.
pub(super) fn vote(store: &dyn Store, lock: &Lock) -> Result<Vote, Fault> {
    let signed: SignedBallot = records::must(store, &layout::ballot(lock.first))?;
    let vote = Vote::one(lock.first, &signed.transactions, lock.index, signed.signature);
    vote.ok_or_else(|| Fault::Corrupt("a ballot is too short".into()))
}

/// What shows that an output is locked for a transaction.
pub(super) fn evidence(
    store: &dyn Store,
    tx: &TxId,
    outpoint: Outpoint,
) -> Result<Evidence, Fault> {
    let entry: Entry = records::must(store, &layout::entry(tx))?;
    let Spend { body, witnesses, .. } = entry.spend;
    Ok(Evidence { outpoint, body, witnesses })
}

/// For each input, whether its owner has signed the transaction. Whose it is shows without a
/// certificate: its name is a hash over the way to it.
fn signed_inputs(judged: &Judged) -> Vec<bool> {
    let right = verify_all(&judged.owners);
    let signed: BTreeSet<_> = judged
        .owners
        .iter()
        .zip(right)
        .filter(|(_, right)| right.is_ok())
        .map(|(owner, _)| owner.0)
        .collect();
    judged.inputs.iter().map(|input| signed.contains(&input.address)).collect()
}

/// Verifies all signatures of all candidates: validators' first by what is known, owners' in one batch.
fn verify(rules: &Rules, candidates: Vec<Candidate>) -> Vec<(usize, Result<Checked, Error>)> {
    let all = |pick: fn(&Judged) -> &[Signed]| -> Vec<Signed> {
        candidates.iter().flat_map(|one| pick(&one.judged).iter().cloned()).collect()
    };
    let votes = rules.ballots.verify(&all(|judged| &judged.votes));
    let owners = verify_all(&all(|judged| &judged.owners));
    let (mut votes, mut owners) = (votes.into_iter(), owners.into_iter());
    let mut verdicts = Vec::with_capacity(candidates.len());
    for Candidate { at, id, spend, judged } in candidates {
        // All of each must be taken, so that the next one's come next.
        let certified = votes.by_ref().take(judged.votes.len()).fold(true, |all, one| all & one);
        let signed =
            owners.by_ref().take(judged.owners.len()).fold(true, |all, one| all & one.is_ok());
        let verdict = match (certified, signed) {
            // The owners' first, as where a lock is found: else it would show whether there is one.
            (_, false) => Err(Reason::OwnerSignature.into()),
            (false, true) => Err(Reason::VoteSignature.into()),
            (true, true) => Ok(Checked::Spend(id, judged.tx, spend)),
        };
        verdicts.push((at, verdict));
    }
    verdicts
}
