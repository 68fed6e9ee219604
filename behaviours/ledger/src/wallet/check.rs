//! Decoding and signatures, before anything is decided.

use covey_kernel::{AskFailure, AskId, CommandId, Input, Peer, RequestId};

use super::{Rules, Wallet, command::Command};
use crate::{
    error::Error,
    output::Outpoint,
    proof::Paid,
    reason::Reason,
    vote::Signed,
    wire::{FromValidator, FromWallet, Request, ToWallet},
};

/// An input that is decoded, within bounds and correctly signed.
#[derive(Debug)]
pub enum Checked {
    /// The node has started.
    Start,
    /// Time has passed.
    Wake,
    /// The owner wants something.
    Command(CommandId, Command),
    /// The owner shows that we were paid, and it is certified.
    Receive(CommandId, Outpoint, Box<Paid>),
    /// A peer shows that we were paid, and it is certified.
    Delivered(Peer, RequestId, Outpoint, Box<Paid>),
    /// A peer asks where to pay us.
    AskedAddress(Peer, RequestId),
    /// A validator is asked for, and there is none.
    NoValidator(RequestId),
    /// A validator has answered, or not.
    Validator(AskId, Result<FromValidator, AskFailure>),
    /// A wallet has answered, or not.
    Wallet(AskId, Result<FromWallet, AskFailure>),
    /// A connection exists.
    Connected(Peer),
    /// No connection exists any more.
    Disconnected(Peer),
}

/// Checks all inputs; the certificates of all of them together.
pub(super) fn check(rules: &Rules, inputs: Vec<Input<Wallet>>) -> Vec<Result<Checked, Error>> {
    let mut votes: Vec<Signed> = Vec::new();
    let mut shares = Vec::with_capacity(inputs.len());
    let mut checked = Vec::with_capacity(inputs.len());
    for input in inputs {
        let before = votes.len();
        checked.push(decode(rules, input, &mut votes));
        shares.push(votes.len().saturating_sub(before));
    }
    let mut verdicts = rules.ballots.verify(&votes).into_iter();
    for (one, share) in checked.iter_mut().zip(shares) {
        let right = verdicts.by_ref().take(share).fold(true, |all, one| all & one);
        if !right && one.is_ok() {
            *one = Err(Reason::VoteSignature.into());
        }
    }
    checked
}

fn decode(rules: &Rules, input: Input<Wallet>, votes: &mut Vec<Signed>) -> Result<Checked, Error> {
    Ok(match input {
        Input::Start => Checked::Start,
        Input::Wake => Checked::Wake,
        Input::Command { id, command: Command::Receive(paid) } => {
            Checked::Receive(id, outpoint(rules, &paid, votes)?, paid)
        }
        Input::Command { id, command } => Checked::Command(id, command),
        Input::Request { from, id, bytes } => {
            match Request::decode(&bytes).map_err(|_| Reason::Malformed)? {
                Request::Wallet(ToWallet::Address(())) => Checked::AskedAddress(from, id),
                Request::Wallet(ToWallet::Deliver(paid)) => {
                    Checked::Delivered(from, id, outpoint(rules, &paid, votes)?, paid)
                }
                // The node sends these to its validator, if it has one.
                Request::Validator(_) => Checked::NoValidator(id),
            }
        }
        Input::Answer { ask, outcome, .. } => {
            // As the question was numbered.
            if ask.0 & 1 == 0 {
                Checked::Validator(ask, decoded(outcome, FromValidator::decode))
            } else {
                Checked::Wallet(ask, decoded(outcome, FromWallet::decode))
            }
        }
        // It joins no topic.
        Input::Gossip { .. } => return Err(Error::NoSuchPayment),
        Input::Connected(peer) => Checked::Connected(peer),
        Input::Disconnected(peer) => Checked::Disconnected(peer),
    })
}

/// The name of an output that is shown, and what must be verified of it.
fn outpoint(rules: &Rules, paid: &Paid, votes: &mut Vec<Signed>) -> Result<Outpoint, Reason> {
    let outpoint = paid.outpoint(&rules.network)?;
    votes.extend(paid.signed(&rules.network, &outpoint.tx)?);
    Ok(outpoint)
}

fn decoded<T, E>(
    outcome: Result<Vec<u8>, AskFailure>,
    decode: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<T, AskFailure> {
    outcome.and_then(|bytes| decode(&bytes).map_err(|_| AskFailure::Broken))
}
