//! A validator that is killed again and again under load. An account of every signature that it ever
//! gave is kept outside: it never signs a second transaction for an output, and forgets none.

use std::{collections::BTreeMap, time::Duration};

use covey::bench::ledger::{Coin, Feeder, Forge};
use covey_ledger::{Network, Outpoint, TxId, Vote, wire::FromValidator};
use covey_tests::process::{
    Node, PATIENCE,
    town::{Town, votes},
    within,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How often it is killed.
const KILLS: usize = 200;

/// Coins that transactions fight over, between two kills.
const COINS: usize = 24;

/// What was asked under one number.
pub(super) struct Asked {
    outpoint: Outpoint,
    tx: TxId,
    request: Vec<u8>,
}

/// Every vote that ever came, with the request that it was for.
#[derive(Default)]
pub(super) struct Account(pub(super) BTreeMap<Outpoint, (TxId, Vote, Vec<u8>)>);

impl Account {
    fn add(&mut self, asked: &Asked, vote: Vote) {
        let Asked { outpoint, tx, request } = asked;
        let first = self.0.entry(*outpoint).or_insert((*tx, vote.clone(), request.clone()));
        assert_eq!(first.0, *tx, "it signed two transactions that spend {outpoint}");
        assert_eq!(first.1, vote, "it signed {tx} in two ways");
    }

    /// Each vote that was ever given is given again, to the last byte.
    pub(super) async fn is_remembered(&self, feeder: &mut Feeder) {
        for (number, (tx, vote, request)) in (0..).zip(self.0.values()) {
            feeder.ask(number, request.clone()).unwrap();
            let (_, outcome) = within("an answer", PATIENCE, feeder.next()).await;
            assert_eq!(outcome, Ok(FromValidator::Vote(vote.clone())), "{tx}");
        }
    }
}

/// Whoever asks the validator of a node.
pub(super) fn feeder(node: &Node, network: &Network) -> Feeder {
    let address = format!("/ip4/127.0.0.1/tcp/{}", node.home().port()).parse().unwrap();
    Feeder::new(&network.id, network.newest().members[0].peer, address).unwrap()
}

/// Two transactions for each coin, in any order, some of them twice.
pub(super) fn rivals(forge: &Forge<'_>, coins: &[Coin], rng: &mut ChaCha8Rng) -> Vec<Asked> {
    let mut all = Vec::new();
    for coin in coins {
        for _ in 0..2 {
            let (tx, request) = forge.request(coin);
            let outpoint = coin.outpoint();
            if rng.random_bool(0.3) {
                all.push(Asked { outpoint, tx, request: request.clone() });
            }
            all.push(Asked { outpoint, tx, request });
        }
    }
    for last in (1..all.len()).rev() {
        all.swap(last, rng.random_range(0..=last));
    }
    all
}

/// Asks everything, and books what comes until all is answered; how much was. An answer that does not
/// come is none.
pub(super) async fn book(feeder: &mut Feeder, asked: &[Asked], account: &mut Account) -> usize {
    let mut answered = 0;
    let mut open = 0;
    for (number, one) in (0u64..).zip(asked) {
        open += usize::from(feeder.ask(number, one.request.clone()).is_ok());
    }
    while open > 0 {
        let (number, outcome) = within("an answer", PATIENCE, feeder.next()).await;
        open -= 1;
        let one = &asked[usize::try_from(number).unwrap()];
        match outcome {
            Ok(FromValidator::Vote(vote)) => account.add(one, vote),
            Ok(FromValidator::Conflict(conflict)) => {
                assert_eq!(conflict.evidence.outpoint, one.outpoint);
            }
            Ok(FromValidator::NotReady(_)) | Err(_) => continue,
            Ok(other) => panic!("{other:?}"),
        }
        answered += 1;
    }
    answered
}

#[tokio::test]
async fn a_validator_killed_two_hundred_times_never_signs_twice_and_forgets_nothing() {
    let town = Town::found(4).await;
    let mut validators = town.validators().await;
    let (network, keys) = (town.network(), town.voting_keys());
    let forge = Forge { network: &network, keys: &keys };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut account = Account::default();
    let mut node = validators.remove(0);
    for _ in 0..KILLS {
        votes(&node).await;
        let mut feeder = feeder(&node, &network);
        let coins = forge.coins(COINS).unwrap();
        let asked = rivals(&forge, &coins, &mut rng);
        let moment = Duration::from_micros(rng.random_range(0..40_000));
        let killing = async {
            tokio::time::sleep(moment).await;
            node.kill().await
        };
        let (home, _) = tokio::join!(killing, book(&mut feeder, &asked, &mut account));
        node = home.start().await;
    }
    assert!(account.0.len() > KILLS, "only {} votes were given", account.0.len());
    votes(&node).await;
    account.is_remembered(&mut feeder(&node, &network)).await;
}
