//! Whatever is asked of validators in whatever order, and whatever crashes: nobody promises an output
//! twice, nobody forgets a promise, and the money stays what it was.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use covey_ledger::{Certificate, Outpoint, Spend, TxId, Vote, wire::FromValidator};
use proptest::{
    prelude::*,
    test_runner::{TestError, TestRunner},
};

use crate::{
    money::{Coin, evidence_in, to, vote_in},
    net::{Net, genesis},
};

const VALIDATORS: usize = 4;
const COINS: u16 = 5;
const EACH: u64 = 8;

/// A transaction that somebody sends.
#[derive(Debug, Clone, Copy)]
enum Sent {
    /// Of one or two of the coins that there have ever been, spent or not.
    New { coins: [u8; 2], one: bool, payee: u8 },
    /// One of those that were sent before.
    Again(u8),
}

/// What becomes of a turn.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    /// It is on the disk, and then comes the crash.
    AnswersLost,
    /// It never was.
    CommitFails,
}

#[derive(Debug, Clone)]
enum Step {
    Turn {
        at: u8,
        sent: Vec<Sent>,
        fate: Fate,
    },
    /// As an honest wallet sends it.
    ToAll(Sent),
    Crash(u8),
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        3 => (any::<[u8; 2]>(), any::<bool>(), 0u8..3)
            .prop_map(|(coins, one, payee)| Sent::New { coins, one, payee }),
        4 => any::<u8>().prop_map(Sent::Again),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        8 => Just(Fate::Answered),
        1 => Just(Fate::AnswersLost),
        1 => Just(Fate::CommitFails),
    ];
    prop_oneof![
        4 => sent().prop_map(Step::ToAll),
        9 => (any::<u8>(), proptest::collection::vec(sent(), 1..6), fate)
            .prop_map(|(at, sent, fate)| Step::Turn { at, sent, fate }),
        1 => any::<u8>().prop_map(Step::Crash),
    ]
}

struct World {
    net: Net,
    /// All outputs that were ever final.
    coins: Vec<Coin>,
    sent: Vec<Spend>,
    /// What each validator was ever heard to vote for.
    votes: BTreeMap<TxId, BTreeMap<u8, Vote>>,
    promised: [BTreeMap<Outpoint, TxId>; VALIDATORS],
    /// What lies on its disk, heard or not.
    locked: [BTreeMap<Outpoint, TxId>; VALIDATORS],
    /// What is spent for good, by what.
    spent: BTreeMap<Outpoint, TxId>,
    conflicts: usize,
}

impl World {
    fn new() -> Self {
        let net = Net::of(genesis(VALIDATORS, (0..COINS).map(|_| to(1, EACH)).collect()));
        Self {
            coins: (0..COINS).map(|index| net.coin(index)).collect(),
            net,
            sent: Vec::new(),
            votes: BTreeMap::new(),
            promised: Default::default(),
            locked: Default::default(),
            spent: BTreeMap::new(),
            conflicts: 0,
        }
    }

    fn spend(&mut self, sent: Sent) -> Spend {
        match sent {
            Sent::Again(number) if !self.sent.is_empty() => {
                self.sent[usize::from(number) % self.sent.len()].clone()
            }
            Sent::Again(_) => self.spend(Sent::New { coins: [0, 1], one: false, payee: 0 }),
            Sent::New { coins, one, payee } => {
                let [first, second] = coins.map(|at| usize::from(at) % self.coins.len());
                let mut coins = vec![&self.coins[first]];
                if !one && first != second {
                    coins.push(&self.coins[second]);
                }
                let total: u64 = coins.iter().map(|coin| coin.output.amount.units()).sum();
                let outputs = [to(30 + payee, total / 2), to(33, total - total / 2)];
                let from = usize::from(total == 1);
                let spend = self.net.spend(&coins, &outputs[from..]);
                self.sent.push(spend.clone());
                spend
            }
        }
    }

    /// What a naive validator would have its inputs locked for: if all for this transaction it votes,
    /// else there is a conflict with one of these.
    fn expected(locked: &mut BTreeMap<Outpoint, TxId>, tx: TxId, spend: &Spend) -> BTreeSet<TxId> {
        let inputs = &spend.body.inputs;
        let first: BTreeSet<_> = inputs.iter().filter_map(|one| locked.get(one)).copied().collect();
        if first.is_empty() {
            locked.extend(inputs.iter().map(|input| (*input, tx)));
            return BTreeSet::from([tx]);
        }
        first
    }

    fn turn(&mut self, at: u8, spends: &[Spend], fate: Fate) {
        let place = usize::from(at);
        let all: Vec<&Spend> = spends.iter().collect();
        let (ids, inputs) = self.net.requests(&all);
        if matches!(fate, Fate::CommitFails) {
            return self.net.turn_that_fails(place, inputs);
        }
        let mut answers = self.net.turn(place, inputs).answers;
        let mut locked = std::mem::take(&mut self.locked[place]);
        for (id, spend) in ids.iter().zip(spends) {
            let tx = self.net.id(spend);
            let first = Self::expected(&mut locked, tx, spend);
            let answer = answers.remove(id).expect("each is answered");
            if matches!(fate, Fate::Answered) {
                self.heard(at, spend, &answer, &first);
            }
        }
        self.locked[place] = locked;
        if matches!(fate, Fate::AnswersLost) {
            self.net.crash(place);
        }
    }

    fn heard(&mut self, at: u8, spend: &Spend, answer: &FromValidator, first: &BTreeSet<TxId>) {
        let tx = self.net.id(spend);
        if !first.contains(&tx) {
            let evidence = evidence_in(answer);
            let network = &self.net.network.id;
            assert_eq!(evidence.check(network, &spend.body, &spend.witnesses), Ok(()));
            assert!(first.contains(&evidence.tx(network)), "a conflict with nothing");
            self.conflicts += 1;
            return;
        }
        let vote = vote_in(answer);
        assert!(self.net.is_vote_of(usize::from(at), &tx, &vote));
        for input in spend.body.inputs.iter() {
            let before = self.promised[usize::from(at)].insert(*input, tx);
            assert!(before.is_none_or(|before| before == tx), "{input} is promised twice");
        }
        let votes = self.votes.entry(tx).or_default();
        let known = votes.entry(at).or_insert_with(|| vote.clone());
        assert_eq!(*known, vote, "another vote than the first time");
        self.certify(spend, tx);
    }

    /// What has a quorum is final.
    fn certify(&mut self, spend: &Spend, tx: TxId) {
        if self.spent.get(&spend.body.inputs[0]) == Some(&tx) {
            return;
        }
        let votes: Vec<_> = self.votes[&tx].clone().into_iter().collect();
        let quorum = self.net.network.newest().quorum();
        let Some(certificate) = Certificate::of(0, quorum, &votes) else { return };
        for input in spend.body.inputs.iter() {
            assert_eq!(self.spent.insert(*input, tx), None, "{input} is spent twice");
        }
        let made = (0..spend.body.count).map(|at| self.net.made_by(spend, at, &certificate));
        self.coins.extend(made);
        let unspent = self.coins.iter().filter(|coin| !self.spent.contains_key(&coin.outpoint));
        let sum: u64 = unspent.map(|coin| coin.output.amount.units()).sum();
        assert_eq!(sum, EACH * u64::from(COINS), "money was made, or lost");
    }

    fn step(&mut self, step: &Step) {
        let place = |at: u8| at % u8::try_from(VALIDATORS).unwrap();
        match step {
            Step::Turn { at, sent, fate } => {
                let spends: Vec<Spend> = sent.iter().map(|sent| self.spend(*sent)).collect();
                self.turn(place(*at), &spends, *fate);
            }
            Step::ToAll(sent) => {
                let spend = [self.spend(*sent)];
                (0..4).for_each(|at| self.turn(at, &spend, Fate::Answered));
            }
            Step::Crash(at) => self.net.crash(usize::from(place(*at))),
        }
    }

    /// Every vote that was ever heard is given again.
    fn nothing_is_forgotten(&mut self) {
        for spend in &self.sent {
            let votes = self.votes.get(&self.net.id(spend)).cloned().unwrap_or_default();
            for (at, vote) in votes {
                assert_eq!(self.net.pay(usize::from(at), spend), FromValidator::Vote(vote));
            }
        }
    }
}

#[test]
fn nothing_is_promised_twice_and_no_promise_is_forgotten() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) };
    let sums = [const { Cell::new(0) }; 3];
    let steps = proptest::collection::vec(step(), 1..60);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        let mut world = World::new();
        steps.iter().for_each(|step| world.step(step));
        world.nothing_is_forgotten();
        (0..VALIDATORS).for_each(|at| world.net.crash(at));
        world.nothing_is_forgotten();
        let finals = world.spent.values().collect::<BTreeSet<_>>().len();
        for (sum, more) in sums.iter().zip([world.votes.len(), world.conflicts, finals]) {
            sum.set(sum.get() + more);
        }
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}: {steps:?}"),
        Err(error) => panic!("{error}"),
    }
    // Otherwise there would be little to get wrong.
    let sums = sums.map(Cell::into_inner);
    assert!(sums[0] > 500 && sums[1] > 2_000 && sums[2] > 150, "{sums:?}");
}
