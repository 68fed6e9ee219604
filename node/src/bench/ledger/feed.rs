//! One validator alone: fed over libp2p by a process that made all transactions, and the other
//! validators' votes under their inputs, beforehand.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use covey_kernel::{AskId, Bounded, Keypair, Peer, merkle};
use covey_ledger::{
    Amount, Asset, Ballot, Body, Certificate, Network, Output, Paid, Proof, Salted, Spend, TxId,
    Vote, Witness, leaves, new_salt, quorum,
    wire::{FRAMES, FromValidator, PROTOCOL, Request, ToValidator},
};
use covey_shell::{Budget, Config, Event, Protocol, Shell};
use futures::StreamExt as _;
use libp2p::{Multiaddr, Swarm, noise, swarm::SwarmEvent, tcp, yamux};
use serde::Serialize;

use super::{Limits, VALIDATORS};
use crate::{
    bench::{BenchError, processor_time, rate},
    local::{Community, Local, Transport},
};

/// Requests in flight: two full turns of the validator, so that it never waits for the next.
const IN_FLIGHT: usize = 1024;

/// Transactions that a validator signed in one turn, in the certificates under the inputs.
const TURN: usize = 128;

/// What one validator did.
#[derive(Debug, Clone, Serialize)]
pub struct Fed {
    /// Transactions, each with one input, two outputs and a certificate of three votes.
    pub transactions: usize,
    /// Transactions a second.
    pub rate: f64,
    /// Transactions a second of the validator's processor time.
    pub per_core: f64,
    /// Processor time for one transaction, in microseconds.
    pub cpu_micros: f64,
    /// How much of that the owner's signature takes at the limit measured in the same run.
    pub owner_micros: f64,
    /// The same for the votes under the input.
    pub votes_micros: f64,
    /// The same for its own signature.
    pub sign_micros: f64,
}

fn wrong(error: impl ToString) -> BenchError {
    BenchError::Wrong(error.to_string())
}

/// Feeds one validator with so many transactions, which it has never seen the parents of.
pub(super) async fn measure(
    place: &Path,
    transactions: usize,
    limits: &Limits,
) -> Result<Fed, BenchError> {
    std::fs::create_dir_all(place).map_err(crate::local::io("cannot make a folder"))?;
    let community = Community::found(place, VALIDATORS, 1_000_000, Vec::new())?;
    let keys = community.voting_keys()?;
    let requests = Forge { network: community.network(), keys: &keys }.requests(transactions)?;
    let mut validators = community.validators(Transport::Tcp).await?;
    ready(&validators).await?;
    // The others have told it that it is not behind: from now on it is alone.
    for other in validators.split_off(1) {
        drop(other);
    }
    let validator = validators.pop().ok_or_else(|| wrong("no validator"))?;
    let fed = feed(&community, &validator, requests).await?;
    Ok(fed.beside(limits))
}

async fn ready(validators: &[Local]) -> Result<(), BenchError> {
    for validator in validators {
        let votes = |status: &crate::api::validator::ValidatorStatus| status.ready;
        let none = serde_json::json!({});
        validator.wait("a validator to vote", "validator_status", &none, votes).await?;
    }
    Ok(())
}

/// Makes transactions that are valid, with the validators' own keys.
struct Forge<'c> {
    network: &'c Network,
    keys: &'c [Keypair],
}

/// A transaction whose output will be spent.
struct Parent {
    owner: Keypair,
    body: Body,
    salted: Salted,
    tx: TxId,
}

impl Forge<'_> {
    fn requests(&self, count: usize) -> Result<Vec<Vec<u8>>, BenchError> {
        let parents: Vec<Parent> = (0..count).map(|number| self.parent(number)).collect();
        let mut requests = Vec::with_capacity(count);
        for (number, parents) in parents.chunks(TURN).enumerate() {
            let certificates = self.certificates(number, parents)?;
            for (parent, certificate) in parents.iter().zip(certificates) {
                let spend = Box::new(self.spend(parent, certificate));
                requests.push(Request::Validator(ToValidator::Spend(spend)).encode());
            }
        }
        Ok(requests)
    }

    fn output(owner: &Keypair) -> Salted {
        let output = Output {
            address: owner.public(),
            amount: Amount::new(100),
            asset: Asset::COIN,
            commitment: None,
        };
        Salted { salt: new_salt(&mut rand::rng()), output }
    }

    /// A transaction out of nothing: the validator never sees more of it than a certificate.
    fn parent(&self, _number: usize) -> Parent {
        let owner = Keypair::generate(&mut rand::rng());
        let salted = Self::output(&owner);
        let root = merkle::root(&leaves(std::slice::from_ref(&salted)));
        let body = Body { inputs: Bounded::default(), count: 1, root };
        let tx = body.id(&self.network.id);
        Parent { owner, body, salted, tx }
    }

    /// The votes of a quorum for as many transactions as one turn has.
    fn certificates(
        &self,
        number: usize,
        parents: &[Parent],
    ) -> Result<Vec<Certificate>, BenchError> {
        let ids: Vec<TxId> = parents.iter().map(|parent| parent.tx).collect();
        let first = u64::try_from(number.saturating_mul(TURN)).unwrap_or(u64::MAX);
        let ballot = Ballot::over(0, first, &ids);
        // The fed one comes first, and has not voted.
        let voters = (0u8..).zip(self.keys).skip(1);
        let votes: Vec<(u8, Vec<Vote>)> = voters
            .map(|(place, key)| (place, Vote::all(first, &ids, ballot.sign(key, &self.network.id))))
            .collect();
        let of = |at: usize| {
            let votes =
                votes.iter().filter_map(|(place, all)| Some((*place, all.get(at)?.clone())));
            Certificate::of(0, quorum(VALIDATORS), &votes.collect::<Vec<_>>())
        };
        let all: Option<Vec<Certificate>> = (0..ids.len()).map(of).collect();
        all.ok_or_else(|| wrong("too few votes"))
    }

    fn spend(&self, parent: &Parent, certificate: Certificate) -> Spend {
        let (payee, change) =
            (Keypair::generate(&mut rand::rng()), Keypair::generate(&mut rand::rng()));
        let mut outputs = [Self::output(&payee), Self::output(&change)];
        for (output, amount) in outputs.iter_mut().zip([30, 70]) {
            output.output.amount = Amount::new(amount);
        }
        let outpoint = covey_ledger::Outpoint { tx: parent.tx, index: 0 };
        let root = merkle::root(&leaves(&outputs));
        let body = Body { inputs: Bounded::first([outpoint]), count: 2, root };
        let witness = Witness::sign(&parent.owner, &self.network.id, &body);
        let paid = Paid {
            body: parent.body.clone(),
            index: 0,
            salted: parent.salted.clone(),
            path: Bounded::default(),
            certificate,
        };
        Spend {
            body,
            outputs: Bounded::first(outputs),
            witnesses: Bounded::first([witness]),
            proofs: Bounded::first([Proof::Paid(Box::new(paid))]),
        }
    }
}

async fn feed(
    community: &Community,
    validator: &Local,
    requests: Vec<Vec<u8>>,
) -> Result<Fed, BenchError> {
    let member = community.network().newest().members.first().cloned();
    let member = member.ok_or_else(|| wrong("no validator"))?;
    let address = member.addresses.last().and_then(|one| Multiaddr::try_from(one.to_vec()).ok());
    let address = address.ok_or_else(|| wrong("a validator without an address"))?;
    let protocol = Protocol { name: PROTOCOL, frames: FRAMES };
    let shell = Shell::new(protocol, &community.network().id, Config::default(), Budget::default());
    let mut swarm = libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(wrong)?
        .with_behaviour(|_| shell)
        .map_err(wrong)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    swarm.add_peer_address(covey_shell::peer_id(&member.peer), address);
    let status: crate::api::types::Status =
        validator.call("node_status", &serde_json::json!({})).await?;
    let transactions = requests.len();
    let mut requests = requests.into_iter();
    // Once around, so that dialing is not measured.
    answers(&mut swarm, &member.peer, requests.by_ref().take(1)).await?;
    let (begun, cpu) = (Instant::now(), processor_time(status.pid));
    answers(&mut swarm, &member.peer, requests).await?;
    let (elapsed, cpu) = (begun.elapsed(), processor_time(status.pid).saturating_sub(cpu));
    Ok(Fed::of(transactions.saturating_sub(1), elapsed, cpu))
}

/// Asks for a vote on each, and makes sure that it is given.
async fn answers(
    swarm: &mut Swarm<Shell>,
    peer: &Peer,
    requests: impl Iterator<Item = Vec<u8>>,
) -> Result<(), BenchError> {
    let mut requests = requests.enumerate().fuse();
    let mut open = 0usize;
    loop {
        while open < IN_FLIGHT
            && let Some((number, bytes)) = requests.next()
        {
            let ask = AskId(u64::try_from(number).unwrap_or(u64::MAX));
            swarm.behaviour_mut().ask(*peer, ask, bytes).map_err(wrong)?;
            open = open.saturating_add(1);
        }
        if open == 0 {
            return Ok(());
        }
        if let SwarmEvent::Behaviour(Event::Answer { outcome, .. }) = swarm.select_next_some().await
        {
            match FromValidator::decode(&outcome.map_err(wrong)?).map_err(wrong)? {
                FromValidator::Vote(_) => open = open.saturating_sub(1),
                other => return Err(wrong(format!("no vote but {other:?}"))),
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)] // counts of a benchmark are small
impl Fed {
    fn of(transactions: usize, elapsed: Duration, cpu: Duration) -> Self {
        let each = cpu.as_secs_f64() * 1e6 / transactions.max(1) as f64;
        Self {
            transactions,
            rate: rate(transactions, elapsed),
            per_core: 1e6 / each.max(1e-9),
            cpu_micros: each,
            owner_micros: 0.0,
            votes_micros: 0.0,
            sign_micros: 0.0,
        }
    }

    /// What its signatures alone would have taken.
    fn beside(self, limits: &Limits) -> Self {
        let votes = (quorum(VALIDATORS) as f64) / (TURN as f64);
        Self {
            owner_micros: 1e6 / limits.verify_owners,
            votes_micros: 1e6 / limits.verify_validators * votes,
            // One signature for a whole turn.
            sign_micros: 1e6 / limits.sign / covey_kernel::limits::TURN_INPUTS as f64,
            ..self
        }
    }
}
