//! Money for the wallet, its payments, and what validators and others say of them.

use covey_kernel::{Bounded, Bytes, Hash, Keypair, PublicKey, merkle};
use covey_ledger::{
    Acceptance, Amount, Asset, Ballot, Body, Branch, Certificate, Configuration, Conflict,
    Evidence, KeyTree, Link, Outpoint, Output, Paid, Phrase, Proposal, Receipt, SALT_LENGTH,
    SUCCESSOR, Salted, Spend, TxId, Vote, Witness, leaves,
    limits::{LINKS_EVERY, RETRY_FIRST},
    new_salt,
    wallet::{
        Balance, Coin, Command, Event, LineView, Order, PaymentView, Progress, Reply, Status,
    },
    wire::{FromValidator, ToValidator},
};

use crate::net::{Ask, Net, governor, members, node_key, somebody, vote_key};

/// So much of the coin for somebody else.
pub(crate) fn order(amount: u64) -> Order {
    pays(&[(1, amount)])
}

/// So much of the coin for each of these.
pub(crate) fn pays(to: &[(usize, u64)]) -> Order {
    Order {
        to: to.iter().map(|(at, amount)| (somebody(*at), Amount::new(*amount))).collect(),
        asset: Asset::COIN,
        note: Default::default(),
        payee: None,
        twice: false,
    }
}

pub(crate) fn output(address: PublicKey, amount: u64) -> Output {
    Output { address, amount: Amount::new(amount), asset: Asset::COIN, commitment: None }
}

/// A transaction of somebody else: its body, and its outputs.
#[derive(Clone)]
pub(crate) struct Foreign {
    pub(crate) body: Body,
    pub(crate) outputs: Vec<Salted>,
}

/// One that spends this.
pub(crate) fn foreign(inputs: Vec<Outpoint>, outputs: Vec<Output>) -> Foreign {
    let salted = |output| Salted { salt: Bytes::new(vec![3; SALT_LENGTH]).unwrap(), output };
    let outputs: Vec<Salted> = outputs.into_iter().map(salted).collect();
    let mut inputs = inputs;
    inputs.sort_unstable();
    let root = merkle::root(&leaves(&outputs));
    let count = u16::try_from(outputs.len()).unwrap();
    Foreign { body: Body { inputs: Bounded::new(inputs).unwrap(), count, root }, outputs }
}

/// A validator's vote, under its ballot's number.
pub(crate) fn signed(net: &Net, epoch: u64, key: &Keypair, tx: &TxId) -> Vote {
    let signature = Ballot::over(epoch, 5, &[*tx]).sign(key, &net.network.id);
    Vote::one(5, &[*tx], 0, signature).unwrap()
}

impl Net {
    pub(crate) fn epoch(&self) -> u64 {
        self.network.newest().epoch
    }

    /// The vote of a validator in the present epoch.
    pub(crate) fn vote(&self, at: usize, tx: &TxId) -> FromValidator {
        let epoch = self.epoch();
        FromValidator::Vote(signed(self, epoch, &vote_key(epoch, at), tx))
    }

    /// A certificate of an epoch by the first q validators.
    pub(crate) fn certificate(&self, epoch: u64, tx: &TxId) -> Certificate {
        let quorum = self.network.configuration(epoch).unwrap().quorum();
        let votes = (0..quorum)
            .map(|at| (u8::try_from(at).unwrap(), signed(self, epoch, &vote_key(epoch, at), tx)));
        Certificate::of(epoch, quorum, &votes.collect::<Vec<_>>()).unwrap()
    }

    pub(crate) fn id(&self, body: &Body) -> TxId {
        body.id(&self.network.id)
    }

    /// What shows that somebody was paid by a transaction that this epoch has certified.
    pub(crate) fn paid(&self, by: &Foreign, index: u16, epoch: u64) -> Paid {
        let place = usize::from(index);
        Paid {
            body: by.body.clone(),
            index,
            salted: by.outputs[place].clone(),
            path: Bounded::new(merkle::path(&leaves(&by.outputs), place).unwrap()).unwrap(),
            certificate: self.certificate(epoch, &self.id(&by.body)),
        }
    }

    /// The same for a file.
    pub(crate) fn receipt(&self, by: &Foreign, index: u16) -> Receipt {
        let links = Bounded::first(self.network.links_after(0).cloned());
        Receipt { network: self.network.id, links, paid: self.paid(by, index, self.epoch()) }
    }

    /// A transaction of somebody else that pays these, each time another one.
    pub(crate) fn gift(&mut self, outputs: Vec<Output>) -> Foreign {
        let name = Hash::of(&new_salt(&mut self.rng));
        foreign(vec![Outpoint { tx: TxId(name), index: 0 }], outputs)
    }

    pub(crate) fn address(&mut self) -> PublicKey {
        match self.order(Command::Address(Default::default())) {
            Ok(Reply::Address(address)) => address,
            other => panic!("{other:?}"),
        }
    }

    /// The wallet is paid so much at a new address, each by a transaction of its own.
    pub(crate) fn fund(&mut self, amounts: &[u64]) -> Vec<Outpoint> {
        amounts.iter().map(|amount| self.fund_one(*amount)).collect()
    }

    fn fund_one(&mut self, amount: u64) -> Outpoint {
        let address = self.address();
        self.fund_at(address, &[amount]).remove(0)
    }

    /// It is paid so much at one address by one transaction.
    pub(crate) fn fund_at(&mut self, address: PublicKey, amounts: &[u64]) -> Vec<Outpoint> {
        let gift = self.gift(amounts.iter().map(|amount| output(address, *amount)).collect());
        let tx = self.id(&gift.body);
        let paid = (0u16..).take(amounts.len()).map(|index| {
            let receipt = Box::new(self.receipt(&gift, index));
            let reply = self.order(Command::Receive(receipt)).unwrap();
            assert!(matches!(reply, Reply::Received { known: false, .. }), "{reply:?}");
            Outpoint { tx, index }
        });
        paid.collect()
    }

    pub(crate) fn send(&mut self, order: Order) -> TxId {
        match self.order(Command::Send(order)) {
            Ok(Reply::Payment(view)) => view.tx,
            other => panic!("{other:?}"),
        }
    }

    /// Pays somebody else so much.
    pub(crate) fn pay(&mut self, amount: u64) -> TxId {
        self.send(order(amount))
    }

    /// A quorum votes.
    pub(crate) fn certify(&mut self, tx: &TxId) {
        for at in 0..self.network.newest().quorum() {
            self.says(at, tx, &self.vote(at, tx));
        }
        assert!(matches!(self.progress(tx), Progress::Certified(_)));
    }

    /// What the validators were asked to vote for.
    pub(crate) fn spend(&self, tx: &TxId) -> Spend {
        let spends = self.asks.iter().filter_map(|ask| ask.spend());
        spends.into_iter().find(|spend| self.id(&spend.body) == *tx).unwrap().clone()
    }

    pub(crate) fn view(&mut self, tx: &TxId) -> PaymentView {
        match self.order(Command::Payment(*tx)) {
            Ok(Reply::Payment(view)) => *view,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn progress(&mut self, tx: &TxId) -> Progress {
        self.view(tx).progress
    }

    /// The progress of a payment, as the owner was told; and forgets it.
    pub(crate) fn told(&mut self, tx: &TxId) -> Vec<Progress> {
        let events = std::mem::take(&mut self.events).into_iter();
        let views = events.filter_map(|event| match event {
            Event::Payment(view) if view.tx == *tx => Some(view.progress),
            _ => None,
        });
        views.collect()
    }

    pub(crate) fn balance(&mut self) -> Balance {
        match self.order(Command::Balance) {
            Ok(Reply::Balances(balances)) => balances[0].1,
            other => panic!("{other:?}"),
        }
    }

    /// What may be spent, is reserved and is held.
    pub(crate) fn amounts(&mut self) -> (u64, u64, u64) {
        let Balance { free, reserved, held, .. } = self.balance();
        (free.units(), reserved.units(), held.units())
    }

    pub(crate) fn coins(&mut self) -> Vec<(Outpoint, Coin)> {
        match self.order(Command::Coins { asset: Asset::COIN, limit: 1000, after: None }) {
            Ok(Reply::Coins(coins)) => coins,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn history(&mut self) -> Vec<LineView> {
        match self.order(Command::History { limit: 1000, before: None }) {
            Ok(Reply::History(lines)) => lines.into_iter().map(|(_, line)| line).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn status(&mut self) -> Status {
        match self.order(Command::Status) {
            Ok(Reply::Status(status)) => *status,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn phrase(&mut self) -> Phrase {
        match self.order(Command::Phrase) {
            Ok(Reply::Phrase(words)) => Phrase::parse(&words).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The secret key of one of the wallet's addresses.
    pub(crate) fn key_of(&mut self, address: &PublicKey) -> Keypair {
        let tree = KeyTree::new(&self.phrase());
        let branches = [Branch::Own, Branch::Handed].into_iter();
        let mut keys = branches.flat_map(|branch| (0..400).map(move |index| (branch, index)));
        let is = |key: &Keypair| key.public() == *address;
        keys.find_map(|(branch, index)| tree.key(branch, index).filter(is)).unwrap()
    }

    /// Another transaction of the owner, made with the same phrase elsewhere: it spends these of a
    /// payment's inputs, and pays somebody.
    pub(crate) fn rival(&mut self, tx: &TxId, inputs: &[usize]) -> Rival {
        self.rival_for(tx, inputs, 500)
    }

    /// The same for another payee, so that it is another transaction.
    pub(crate) fn rival_for(&mut self, tx: &TxId, inputs: &[usize], payee: usize) -> Rival {
        let spend = self.spend(tx);
        let inputs: Vec<Outpoint> = inputs.iter().map(|at| spend.body.inputs[*at]).collect();
        let foreign = foreign(inputs.clone(), vec![output(somebody(payee), 1)]);
        let network = self.network.id;
        let owners: Vec<Keypair> =
            spend.witnesses.iter().map(|witness| self.key_of(&witness.address)).collect();
        let witnesses = owners.iter().map(|owner| Witness::sign(owner, &network, &foreign.body));
        let evidence = Evidence {
            outpoint: inputs[0],
            body: foreign.body.clone(),
            witnesses: Bounded::new(witnesses.collect()).unwrap(),
        };
        Rival { tx: self.id(&foreign.body), foreign, evidence }
    }

    /// A validator says that it has promised an input to another transaction, and shows its vote.
    pub(crate) fn conflict(&self, at: usize, rival: &Rival) -> FromValidator {
        let FromValidator::Vote(vote) = self.vote(at, &rival.tx) else { panic!() };
        let conflict = Conflict { evidence: rival.evidence.clone(), vote: Some(vote) };
        FromValidator::Conflict(Box::new(conflict))
    }

    /// The next epoch begins, and the wallet hears of it.
    pub(crate) fn turn_epoch(&mut self) {
        let before = self.epoch();
        self.wait(LINKS_EVERY.doubled(LINKS_EVERY));
        let is = |ask: &Ask| ask.validator() == Some(&ToValidator::Links(before));
        let ask = self.take(is).unwrap();
        self.asks.clear();
        let links = Bounded::new(vec![self.next_epoch()]).unwrap();
        self.answer_bytes(&ask, Ok(FromValidator::Links(links).encode()));
        self.wait(RETRY_FIRST);
        assert_eq!(self.status().epoch, before + 1);
    }

    /// The next epoch begins with the same nodes; what certifies that.
    pub(crate) fn next_epoch(&mut self) -> Link {
        let before = self.network.newest().clone();
        let network = self.network.id;
        let count = before.members.len();
        let epoch = before.epoch + 1;
        let mut proposal = Proposal::new(Configuration {
            epoch,
            members: Bounded::new(members(epoch, count)).unwrap(),
            governance: before.governance.clone(),
            previous: before.id(&network),
        });
        assert!(proposal.approve(&network, &before, &governor()));
        let successor = proposal.successor(&network);
        let accepted = (0..count).map(|at| {
            let keys = (&vote_key(epoch, at), &node_key(at));
            Acceptance::sign(u8::try_from(at).unwrap(), keys, &network, &successor)
        });
        proposal.acceptances = Bounded::new(accepted.collect()).unwrap();
        let quorum = before.quorum();
        let votes =
            (0..quorum).map(|at| vote_key(before.epoch, at).sign(SUCCESSOR, &network, &successor));
        let link = Link {
            proposal,
            signers: (1 << quorum) - 1,
            votes: Bounded::new(votes.collect()).unwrap(),
        };
        self.network.follow(&link).unwrap();
        link
    }
}

/// What spends the same as a payment.
#[derive(Clone)]
pub(crate) struct Rival {
    pub(crate) tx: TxId,
    pub(crate) foreign: Foreign,
    pub(crate) evidence: Evidence,
}

impl Rival {
    /// A validator says so without a vote to show.
    pub(crate) fn without_vote(&self) -> FromValidator {
        FromValidator::Conflict(Box::new(Conflict { evidence: self.evidence.clone(), vote: None }))
    }
}
