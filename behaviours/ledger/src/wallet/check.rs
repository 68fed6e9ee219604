//! Decoding and signatures, before anything is decided.

use covey_kernel::{AskFailure, AskId, CommandId, Input, Peer, RequestId, Store};

use super::{Rules, Wallet, command::Command, layout};
use crate::{
    chain::Network,
    error::Error,
    output::Outpoint,
    proof::Paid,
    reason::Reason,
    receipt::{InvalidReceipt, Receipt},
    reconfigure::Link,
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
    /// The owner shows that we were paid, and it is certified; with the configurations shown.
    Receive(CommandId, Outpoint, Box<Receipt>),
    /// A peer shows that we were paid, and it is certified.
    Delivered(Peer, RequestId, Outpoint, Box<Paid>),
    /// A peer asks where to pay us.
    AskedAddress(Peer, RequestId),
    /// A peer shows a payment of an epoch that is not known.
    PaidAhead(Peer, RequestId),
    /// A peer asks for the configurations after an epoch.
    AskedLinks(RequestId, u64),
    /// A validator is asked for, and there is none.
    NoValidator(RequestId),
    /// Somebody has told configurations; each follows the one before it.
    Links(AskId, Result<Vec<Link>, AskFailure>),
    /// A validator has answered, or not.
    Validator(AskId, Result<FromValidator, AskFailure>),
    /// A wallet has answered, or not.
    Wallet(AskId, Result<FromWallet, AskFailure>),
    /// A connection exists.
    Connected(Peer),
    /// No connection exists any more.
    Disconnected(Peer),
}

/// Checks all inputs; the certificates of all of them together, and the votes that are waited for: these
/// are not judged yet, but known to be right when they are.
pub(super) fn check(
    rules: &Rules,
    base: &dyn Store,
    inputs: Vec<Input<Wallet>>,
) -> Vec<Result<Checked, Error>> {
    let network = match rules.network.as_stored(base, layout::LINKS) {
        Ok(network) => network,
        Err(fault) => return inputs.iter().map(|_| Err(fault.clone().into())).collect(),
    };
    let mut votes: Vec<Signed> = Vec::new();
    let mut awaited: Vec<Signed> = Vec::new();
    let mut shares = Vec::with_capacity(inputs.len());
    let mut checked = Vec::with_capacity(inputs.len());
    for input in inputs {
        let before = votes.len();
        let one = decode(&network, input, &mut votes);
        if let Ok(Checked::Validator(ask, Ok(FromValidator::Vote(vote)))) = &one {
            awaited.extend(rules.expected.signed(&network, *ask, vote));
        }
        checked.push(one);
        shares.push(votes.len().saturating_sub(before));
    }
    votes.append(&mut awaited);
    let mut verdicts = rules.ballots.verify(&votes).into_iter();
    for (one, share) in checked.iter_mut().zip(shares) {
        let right = verdicts.by_ref().take(share).fold(true, |all, one| all & one);
        if !right && one.is_ok() {
            *one = Err(Reason::VoteSignature.into());
        }
    }
    checked
}

fn decode(
    network: &Network,
    input: Input<Wallet>,
    votes: &mut Vec<Signed>,
) -> Result<Checked, Error> {
    Ok(match input {
        Input::Start => Checked::Start,
        Input::Wake => Checked::Wake,
        Input::Command { id, command: Command::Receive(receipt) } => {
            let network = receipt.follow(network).map_err(|error| match error {
                InvalidReceipt::Chain(link) => Error::Configuration(link),
                _ => Reason::Malformed.into(),
            })?;
            Checked::Receive(id, outpoint(&network, &receipt.paid, votes)?, receipt)
        }
        Input::Command { id, command } => Checked::Command(id, command),
        Input::Request { from, id, bytes } => {
            match Request::decode(&bytes).map_err(|_| Reason::Malformed)? {
                Request::Wallet(ToWallet::Address(())) => Checked::AskedAddress(from, id),
                Request::Wallet(ToWallet::Deliver(paid))
                    if paid.certificate.epoch > network.newest().epoch =>
                {
                    Checked::PaidAhead(from, id)
                }
                Request::Wallet(ToWallet::Deliver(paid)) => {
                    Checked::Delivered(from, id, outpoint(network, &paid, votes)?, paid)
                }
                Request::Wallet(ToWallet::Links(after)) => Checked::AskedLinks(id, after),
                // The node sends these to its validator, if it has one.
                Request::Validator(_) => Checked::NoValidator(id),
            }
        }
        Input::Answer { ask, outcome, .. } => {
            // As the question was numbered.
            if ask.0 & 1 == 0 {
                match decoded(outcome, FromValidator::decode) {
                    Ok(FromValidator::Links(links)) => {
                        Checked::Links(ask, chained(network, links.into_vec()))
                    }
                    outcome => Checked::Validator(ask, outcome),
                }
            } else {
                match decoded(outcome, FromWallet::decode) {
                    Ok(FromWallet::Links(links)) => {
                        Checked::Links(ask, chained(network, links.into_vec()))
                    }
                    outcome => Checked::Wallet(ask, outcome),
                }
            }
        }
        // It joins no topic.
        Input::Gossip { .. } => return Err(Error::NoSuchPayment),
        Input::Connected(peer) => Checked::Connected(peer),
        Input::Disconnected(peer) => Checked::Disconnected(peer),
    })
}

/// The name of an output that is shown, and what must be verified of it.
fn outpoint(network: &Network, paid: &Paid, votes: &mut Vec<Signed>) -> Result<Outpoint, Reason> {
    let outpoint = paid.outpoint(network)?;
    votes.extend(paid.signed(network, &outpoint.tx)?);
    Ok(outpoint)
}

/// Configurations, if they follow those known.
fn chained(network: &Network, links: Vec<Link>) -> Result<Vec<Link>, AskFailure> {
    let mut network = network.clone();
    for link in &links {
        network.follow(link).map_err(|_| AskFailure::Broken)?;
    }
    Ok(links)
}

fn decoded<T, E>(
    outcome: Result<Vec<u8>, AskFailure>,
    decode: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<T, AskFailure> {
    outcome.and_then(|bytes| decode(&bytes).map_err(|_| AskFailure::Broken))
}
