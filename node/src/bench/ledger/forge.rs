//! Transactions that are valid, made by whoever has the validators' own keys: to load one of them
//! without the others.

use covey_kernel::{Bounded, Keypair, merkle};
use covey_ledger::{
    Amount, Asset, Ballot, Body, Certificate, Network, Outpoint, Output, Paid, Proof, Salted,
    Spend, TxId, Vote, Witness, leaves, new_salt, quorum,
    wire::{Request, ToValidator},
};

use crate::bench::BenchError;

/// Transactions that a validator signed in one turn, in the certificates under the inputs.
pub(super) const TURN: usize = 128;

/// What each output under an input is worth.
const WORTH: u64 = 100;

/// Makes transactions that are valid, with the validators' own keys.
pub struct Forge<'c> {
    /// The network.
    pub network: &'c Network,
    /// Its validators' voting keys, in the order of their places.
    pub keys: &'c [Keypair],
}

/// An output that can be spent: of a transaction that a quorum has signed.
pub struct Coin {
    owner: Keypair,
    body: Body,
    salted: Salted,
    tx: TxId,
    certificate: Certificate,
}

impl Coin {
    /// What it is called.
    #[must_use]
    pub fn outpoint(&self) -> Outpoint {
        Outpoint { tx: self.tx, index: 0 }
    }
}

/// The same before a quorum has signed.
struct Parent {
    owner: Keypair,
    body: Body,
    salted: Salted,
    tx: TxId,
}

impl Forge<'_> {
    /// So many coins. All validators but the first have signed them.
    pub fn coins(&self, count: usize) -> Result<Vec<Coin>, BenchError> {
        let mut coins = Vec::with_capacity(count);
        for turn in 0..count.div_ceil(TURN) {
            let left = count.saturating_sub(turn.saturating_mul(TURN));
            let parents: Vec<Parent> = (0..left.min(TURN)).map(|_| self.parent()).collect();
            let certificates = self.certificates(turn, &parents)?;
            for (parent, certificate) in parents.into_iter().zip(certificates) {
                let Parent { owner, body, salted, tx } = parent;
                coins.push(Coin { owner, body, salted, tx, certificate });
            }
        }
        Ok(coins)
    }

    /// A request to vote for a transaction that spends a coin; another one each time.
    #[must_use]
    pub fn request(&self, coin: &Coin) -> (TxId, Vec<u8>) {
        let spend = self.spend(coin);
        let tx = spend.body.id(&self.network.id);
        (tx, Request::Validator(ToValidator::Spend(Box::new(spend))).encode())
    }

    fn output(owner: &Keypair) -> Salted {
        let output = Output {
            address: owner.public(),
            amount: Amount::new(WORTH),
            asset: Asset::COIN,
            commitment: None,
        };
        Salted { salt: new_salt(&mut rand::rng()), output }
    }

    /// A transaction out of nothing: the validator never sees more of it than a certificate.
    fn parent(&self) -> Parent {
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
            Certificate::of(0, quorum(self.keys.len()), &votes.collect::<Vec<_>>())
        };
        let all: Option<Vec<Certificate>> = (0..ids.len()).map(of).collect();
        all.ok_or_else(|| BenchError::Wrong("too few votes".into()))
    }

    fn spend(&self, coin: &Coin) -> Spend {
        let (payee, change) =
            (Keypair::generate(&mut rand::rng()), Keypair::generate(&mut rand::rng()));
        let mut outputs = [Self::output(&payee), Self::output(&change)];
        for (output, amount) in outputs.iter_mut().zip([30, WORTH.saturating_sub(30)]) {
            output.output.amount = Amount::new(amount);
        }
        let outpoint = Outpoint { tx: coin.tx, index: 0 };
        let root = merkle::root(&leaves(&outputs));
        let body = Body { inputs: Bounded::first([outpoint]), count: 2, root };
        let witness = Witness::sign(&coin.owner, &self.network.id, &body);
        let paid = Paid {
            body: coin.body.clone(),
            index: 0,
            salted: coin.salted.clone(),
            path: Bounded::default(),
            certificate: coin.certificate.clone(),
        };
        Spend {
            body,
            outputs: Bounded::first(outputs),
            witnesses: Bounded::first([witness]),
            proofs: Bounded::first([Proof::Paid(Box::new(paid))]),
        }
    }
}
