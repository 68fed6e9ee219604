//! Coins, transactions, and votes, as they should be and as only a cheat makes them.

use std::{collections::BTreeMap, sync::LazyLock};

use covey_kernel::{Bounded, Bytes, Hash, Keypair, PublicKey, merkle, verify_all};
use covey_ledger::{
    Amount, Asset, Ballot, Body, Certificate, Conflict, Evidence, Genesis, Outpoint, Output, Paid,
    Proof, SALT_LENGTH, Salted, Spend, TxId, Vote, Witness, leaves, wire::FromValidator,
};

use crate::net::{Net, genesis, vote_key};

static OWNERS: LazyLock<BTreeMap<PublicKey, u8>> =
    LazyLock::new(|| (0..=u8::MAX).map(|seed| (owner(seed).public(), seed)).collect());

pub(crate) fn owner(seed: u8) -> Keypair {
    Keypair::from_secret(&[seed; 32])
}

/// Somebody's secret key.
pub(crate) fn key_of(address: &PublicKey) -> Keypair {
    owner(OWNERS[address])
}

/// So much of the coin, for an owner.
pub(crate) fn to(seed: u8, amount: u64) -> Output {
    let address = owner(seed).public();
    Output { address, amount: Amount::new(amount), asset: Asset::COIN, commitment: None }
}

/// An output that can be spent.
#[derive(Clone)]
pub(crate) struct Coin {
    pub(crate) outpoint: Outpoint,
    pub(crate) output: Output,
    pub(crate) proof: Proof,
}

/// Four validators, and owners 1 to 6 with 10 to 60.
pub(crate) fn four() -> Net {
    Net::of(genesis(4, (1..=6).map(|seed| to(seed, u64::from(seed) * 10)).collect()))
}

pub(crate) fn salted(output: Output, salt: u8) -> Salted {
    Salted { salt: Bytes::new(vec![salt; SALT_LENGTH]).unwrap(), output }
}

/// The body for these inputs, as they are, and these outputs.
pub(crate) fn body(inputs: Vec<Outpoint>, outputs: &[Salted]) -> Body {
    let root = merkle::root(&leaves(outputs));
    let count = u16::try_from(outputs.len()).unwrap();
    Body { inputs: Bounded::new(inputs).unwrap(), count, root }
}

/// The vote in an answer.
#[track_caller]
pub(crate) fn vote_in(answer: &FromValidator) -> Vote {
    let FromValidator::Vote(vote) = answer else { panic!("no vote: {answer:?}") };
    vote.clone()
}

/// The evidence in an answer.
#[track_caller]
pub(crate) fn evidence_in(answer: &FromValidator) -> Evidence {
    conflict_in(answer).evidence
}

/// The conflict in an answer.
#[track_caller]
pub(crate) fn conflict_in(answer: &FromValidator) -> Conflict {
    let FromValidator::Conflict(conflict) = answer else { panic!("no conflict: {answer:?}") };
    *conflict.clone()
}

impl Net {
    /// An output of the genesis.
    pub(crate) fn coin(&self, index: u16) -> Coin {
        Coin {
            outpoint: Genesis::outpoint(&self.network.id, index),
            output: self.network.genesis.outputs[usize::from(index)].clone(),
            proof: Proof::Genesis(()),
        }
    }

    pub(crate) fn id(&self, spend: &Spend) -> TxId {
        spend.body.id(&self.network.id)
    }

    /// A transaction as it should be.
    pub(crate) fn spend(&self, coins: &[&Coin], outputs: &[Output]) -> Spend {
        self.spend_salted(coins, outputs, 1)
    }

    /// With another salt it is another transaction.
    pub(crate) fn spend_salted(&self, coins: &[&Coin], outputs: &[Output], salt: u8) -> Spend {
        let mut coins = coins.to_vec();
        coins.sort_by_key(|coin| coin.outpoint);
        let outputs: Vec<_> = outputs.iter().map(|one| salted(one.clone(), salt)).collect();
        let mut spend = Spend {
            body: body(coins.iter().map(|coin| coin.outpoint).collect(), &outputs),
            outputs: Bounded::new(outputs).unwrap(),
            witnesses: Bounded::default(),
            proofs: Bounded::new(coins.iter().map(|coin| coin.proof.clone()).collect()).unwrap(),
        };
        self.sign(&mut spend, &coins.iter().map(|coin| coin.output.address).collect::<Vec<_>>());
        spend
    }

    /// All of some coins to one owner, less the fee.
    pub(crate) fn all_to(&self, coins: &[&Coin], seed: u8) -> Spend {
        let total = coins.iter().map(|coin| coin.output.amount.units()).sum::<u64>();
        self.spend(coins, &[to(seed, total - self.network.genesis.currency.fee.units())])
    }

    /// Signs with these owners' keys.
    pub(crate) fn sign(&self, spend: &mut Spend, owners: &[PublicKey]) {
        let mut owners = owners.to_vec();
        owners.sort_unstable();
        owners.dedup();
        let sign = |one: &PublicKey| Witness::sign(&key_of(one), &self.network.id, &spend.body);
        spend.witnesses = Bounded::new(owners.iter().map(sign).collect()).unwrap();
    }

    /// Whether a vote is this validator's, for this transaction.
    pub(crate) fn is_vote_of(&self, at: usize, tx: &TxId, vote: &Vote) -> bool {
        let signed = vote.signed(&self.network.id, 0, tx, vote_key(at).public());
        signed.is_ok_and(|signed| verify_all(&[signed])[0].is_ok())
    }

    /// A validator votes.
    #[track_caller]
    pub(crate) fn vote(&mut self, at: usize, spend: &Spend) -> Vote {
        let vote = vote_in(&self.pay(at, spend));
        assert!(self.is_vote_of(at, &self.id(spend), &vote), "not its vote for this");
        vote
    }

    /// The votes of the first q validators.
    #[track_caller]
    pub(crate) fn certify(&mut self, spend: &Spend) -> Certificate {
        let quorum = self.network.newest().quorum();
        let votes: Vec<_> =
            (0u8..).take(quorum).map(|at| (at, self.vote(usize::from(at), spend))).collect();
        Certificate::of(0, quorum, &votes).unwrap()
    }

    /// An output of a transaction, with what proves it.
    pub(crate) fn made_by(&self, spend: &Spend, index: u16, certificate: &Certificate) -> Coin {
        let salted = spend.outputs[usize::from(index)].clone();
        let path = merkle::path(&leaves(&spend.outputs), usize::from(index)).unwrap();
        let paid = Paid {
            body: spend.body.clone(),
            index,
            salted: salted.clone(),
            path: Bounded::new(path).unwrap(),
            certificate: certificate.clone(),
        };
        let outpoint = Outpoint { tx: self.id(spend), index };
        Coin { outpoint, output: salted.output, proof: Proof::Paid(Box::new(paid)) }
    }

    /// A transaction is made final, and what comes of it.
    #[track_caller]
    pub(crate) fn made(&mut self, spend: &Spend) -> Vec<Coin> {
        let certificate = self.certify(spend);
        (0..spend.body.count).map(|index| self.made_by(spend, index, &certificate)).collect()
    }

    /// A certificate that holders of these keys make among themselves, each at a place.
    pub(crate) fn forged(&self, epoch: u64, keys: &[(u8, Keypair)], tx: &TxId) -> Certificate {
        let votes = keys.iter().map(|(place, key)| {
            let signature = Ballot::over(epoch, 0, &[*tx]).sign(key, &self.network.id);
            (*place, Vote::all(0, &[*tx], signature).remove(0))
        });
        Certificate::of(epoch, keys.len(), &votes.collect::<Vec<_>>()).unwrap()
    }

    /// An output of a transaction that nobody ever voted for, under a certificate by these keys.
    pub(crate) fn invented(&self, output: Output, keys: &[(u8, Keypair)]) -> Coin {
        let outputs = [salted(output, 9)];
        let input = Outpoint { tx: TxId(Hash::of(b"never was")), index: 0 };
        let mut spend = self.spend(&[], &[]);
        spend.body = body(vec![input], &outputs);
        spend.outputs = Bounded::new(outputs.to_vec()).unwrap();
        let certificate = self.forged(0, keys, &self.id(&spend));
        self.made_by(&spend, 0, &certificate)
    }

    /// Each of these can still be spent at a validator: nothing has locked it.
    #[track_caller]
    pub(crate) fn still_free(&mut self, at: usize, coins: &[&Coin]) {
        for coin in coins {
            let mut output = coin.output.clone();
            let fee = self.network.genesis.currency.fee;
            output.address = owner(250).public();
            output.amount = output.amount.checked_sub(fee).unwrap();
            let spend = self.spend_salted(&[coin], &[output], 250);
            self.vote(at, &spend);
        }
    }
}
