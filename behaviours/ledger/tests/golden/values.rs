//! One fixed value of every kind: a small network, two of its transactions, its second epoch, and what
//! nodes say of all that. Secret keys are 32 bytes of one number each, salts 16.

use std::sync::Arc;

use covey_kernel::{Bounded, Bytes, Domain, Hash, Keypair, NetworkId, Text, merkle};
use covey_ledger::{
    ACKNOWLEDGE, Acceptance, Amount, Asset, Ballot, Body, Candidacy, Certificate, Claim,
    Configuration, Currency, Decimals, Evidence, Genesis, Governance, Height, Holding, Link,
    LockSet, LogFrom, LogPage, Manifest, Member, Network, Outpoint, Output, Paid, PaymentUri,
    Placed, Prefix, Proof, Proposal, Receipt, Refresh, SUCCESSOR, Salt, Salted, Seal, Signatures,
    SignedHeight, Spend, TxId, Vote, Voted, Witness, leaves,
};

/// Owners.
pub(crate) const ANN: u8 = 1;
pub(crate) const BEN: u8 = 2;
pub(crate) const CAI: u8 = 3;

/// The first of the keys of validators' nodes.
pub(crate) const NODES: u8 = 10;
/// The first of the voting keys of epoch 0.
const VOTES: u8 = 20;
/// The first of the governance keys.
const GOVERNORS: u8 = 30;
/// The first of the voting keys of epoch 1.
const LATER_VOTES: u8 = 40;

/// Those whose votes make certificates.
const SIGNERS: [u8; 3] = [0, 1, 3];

/// The sequence number of the first transaction of every ballot.
const FIRST: u64 = 70_000;

pub(crate) fn key(number: u8) -> Keypair {
    Keypair::from_secret(&[number; 32])
}

fn salt(number: u8) -> Salt {
    Salt::new(vec![number; 16]).unwrap()
}

fn text<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).unwrap()
}

pub(crate) fn prefix() -> Prefix {
    Prefix::new("leaf").unwrap()
}

pub(crate) fn decimals() -> Decimals {
    Decimals::new(2).unwrap()
}

fn coins(owner: u8, units: u64) -> Output {
    let address = key(owner).public();
    Output { address, amount: Amount::new(units), asset: Asset::COIN, commitment: None }
}

fn members(count: u8, node: u8, vote: u8) -> Bounded<Member, 64> {
    let member = |place| Member {
        name: text(&format!("validator {place}")),
        peer: key(node + place).public(),
        vote: key(vote + place).public(),
        addresses: Bounded::first(
            (place == 0).then(|| Bytes::new(vec![4, 127, 0, 0, 1, 6, 15, 161]).unwrap()),
        ),
    };
    Bounded::first((0..count).map(member))
}

pub(crate) fn genesis() -> Genesis {
    let governors = (0..3).map(|place| key(GOVERNORS + place).public());
    Genesis {
        name: text("village"),
        nonce: Bytes::new(vec![7; 16]).unwrap(),
        currency: Currency {
            unit: text("leaf"),
            decimals: decimals(),
            prefix: prefix(),
            minimum: Amount::new(5),
            fee: Amount::new(1),
        },
        members: members(4, NODES, VOTES),
        governance: Governance { threshold: 2, keys: Bounded::first(governors) },
        outputs: Bounded::first([coins(ANN, 100_000), coins(BEN, 500)]),
    }
}

/// As whoever has only the genesis knows it.
pub(crate) fn network() -> Network {
    Network::new(Arc::new(genesis()))
}

pub(crate) fn id() -> NetworkId {
    genesis().network()
}

fn spend(mut inputs: Vec<(Outpoint, Proof)>, owners: &[u8], outputs: Vec<Salted>) -> Spend {
    inputs.sort_by_key(|(outpoint, _)| *outpoint);
    let (outpoints, proofs): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
    let body = Body {
        inputs: Bounded::first(outpoints),
        count: u16::try_from(outputs.len()).unwrap(),
        root: merkle::root(&leaves(&outputs)),
    };
    let sign = |owner: &u8| Witness::sign(&key(*owner), &id(), &body);
    let mut witnesses: Vec<Witness> = owners.iter().map(sign).collect();
    witnesses.sort_by_key(|witness| witness.address);
    let witnesses = Bounded::first(witnesses);
    Spend { body, outputs: Bounded::first(outputs), witnesses, proofs: Bounded::first(proofs) }
}

fn of_genesis(index: u16) -> (Outpoint, Proof) {
    (Genesis::outpoint(&id(), index), Proof::Genesis(()))
}

/// Ann pays Ben, who wants it to name an invoice.
pub(crate) fn payment() -> Spend {
    let to_ben = Output { commitment: Some(Hash::of(b"invoice 17")), ..coins(BEN, 70_000) };
    let outputs = vec![
        Salted { salt: salt(101), output: to_ben },
        Salted { salt: salt(102), output: coins(ANN, 29_999) },
    ];
    spend(vec![of_genesis(0)], &[ANN], outputs)
}

/// Ann pays the same to herself.
pub(crate) fn rival() -> Spend {
    let outputs = vec![Salted { salt: salt(103), output: coins(ANN, 99_999) }];
    spend(vec![of_genesis(0)], &[ANN], outputs)
}

pub(crate) fn manifest() -> Manifest {
    let amount = Amount::new(1_000_000);
    Manifest { issuer: key(CAI).public(), name: text("seat"), amount, decimals: Decimals::NONE }
}

/// Ben and Cai spend what exists for each of the three reasons: Cai issues a token for Ben's coins.
pub(crate) fn swap() -> Spend {
    let paid = paid(0, 0);
    let (outpoint, issued) = manifest().issue(&id());
    let inputs = vec![
        of_genesis(1),
        (paid.outpoint(&network()).unwrap(), Proof::Paid(Box::new(paid))),
        (outpoint, Proof::Issue(Box::new(manifest()))),
    ];
    let outputs = vec![
        Salted { salt: salt(104), output: coins(CAI, 70_499) },
        Salted { salt: salt(105), output: Output { address: key(BEN).public(), ..issued } },
    ];
    spend(inputs, &[BEN, CAI], outputs)
}

pub(crate) fn tx(spend: &Spend) -> TxId {
    spend.body.id(&id())
}

/// What every ballot is over: another transaction, then the payment.
fn together() -> [TxId; 2] {
    [TxId(Hash::of(b"another transaction")), tx(&payment())]
}

pub(crate) fn ballot(epoch: u64) -> Ballot {
    Ballot::over(epoch, FIRST, &together())
}

/// The vote of the member at a place for the payment.
pub(crate) fn vote(epoch: u64, place: u8) -> Vote {
    let first = if epoch == 0 { VOTES } else { LATER_VOTES };
    let signature = ballot(epoch).sign(&key(first + place), &id());
    Vote::one(FIRST, &together(), 1, signature).unwrap()
}

pub(crate) fn certificate(epoch: u64) -> Certificate {
    Certificate::of(epoch, 3, &SIGNERS.map(|place| (place, vote(epoch, place)))).unwrap()
}

/// An output of the payment.
pub(crate) fn paid(index: u16, epoch: u64) -> Paid {
    let Spend { body, outputs, .. } = payment();
    let path = merkle::path(&leaves(&outputs), usize::from(index)).unwrap();
    Paid {
        body,
        index,
        salted: outputs[usize::from(index)].clone(),
        path: Bounded::first(path),
        certificate: certificate(epoch),
    }
}

/// What shows Ben that he was paid: in epoch 0, or in epoch 1 with its beginning.
pub(crate) fn receipt(epoch: u64) -> Receipt {
    let links = Bounded::first((epoch == 1).then(link));
    Receipt { network: id(), links, paid: paid(0, epoch) }
}

pub(crate) fn evidence() -> Evidence {
    let Spend { body, witnesses, .. } = payment();
    Evidence { outpoint: of_genesis(0).0, body, witnesses }
}

/// One node leaves, another comes, and all have new voting keys.
pub(crate) fn next() -> Configuration {
    Configuration {
        epoch: 1,
        members: members(4, NODES + 1, LATER_VOTES),
        governance: genesis().governance,
        previous: network().newest().id(&id()),
    }
}

pub(crate) fn proposal() -> Proposal {
    let mut proposal = Proposal::new(next());
    let successor = proposal.successor(&id());
    for place in [0, 2] {
        assert!(proposal.approve(&id(), network().newest(), &key(GOVERNORS + place)));
    }
    let accept = |place| {
        let keys = (&key(LATER_VOTES + place), &key(NODES + 1 + place));
        Acceptance::sign(place, keys, &id(), &successor)
    };
    proposal.acceptances = Bounded::first((0..4).map(accept));
    proposal
}

fn signatures(domain: Domain, places: [u8; 3]) -> Signatures {
    let successor = proposal().successor(&id());
    let sign = |place| key(VOTES + place).sign(domain, &id(), &successor);
    Bounded::first(places.map(|place| Placed { place, signature: sign(place) }))
}

pub(crate) fn candidacy() -> Candidacy {
    Candidacy {
        proposal: proposal(),
        acknowledgements: signatures(ACKNOWLEDGE, [0, 1, 2]),
        votes: signatures(SUCCESSOR, SIGNERS),
    }
}

pub(crate) fn link() -> Link {
    candidacy().link(3).unwrap()
}

pub(crate) fn height() -> SignedHeight {
    SignedHeight::sign(&key(VOTES), &id(), Height { epoch: 0, next: FIRST + 2 })
}

/// A claim of Ben's at the first validator.
pub(crate) fn claim(after: Option<Outpoint>) -> Claim {
    Claim::sign(&key(BEN), &id(), &key(NODES).public(), after)
}

pub(crate) fn lock_set() -> LockSet {
    let leaves = together().map(|tx| covey_ledger::leaf(&tx));
    LockSet { epoch: 0, count: 2, root: merkle::root(&leaves) }
}

pub(crate) fn seal() -> Seal {
    Seal::sign(&key(VOTES), &id(), lock_set())
}

pub(crate) fn log_from() -> LogFrom {
    LogFrom { epoch: 0, from: 2048 }
}

pub(crate) fn log_page(seal: Option<Seal>) -> LogPage {
    LogPage { seal, ids: Bounded::first(together()) }
}

pub(crate) fn refresh() -> Refresh {
    Refresh { tx: tx(&payment()), certificate: certificate(0) }
}

/// What the first validator tells Ben of his two outputs.
pub(crate) fn holdings() -> [Holding; 2] {
    let Paid { body, index, salted, path, .. } = paid(0, 0);
    let outpoint = Outpoint { tx: tx(&payment()), index };
    let voted = Voted { body, salted, path, epoch: 0, vote: vote(0, 0) };
    [
        Holding { outpoint: of_genesis(1).0, spent_by: Some(tx(&swap())), voted: None },
        Holding { outpoint, spent_by: None, voted: Some(voted) },
    ]
}

/// What Ben asks to be paid: as little as can be said, and all.
pub(crate) fn uris() -> [PaymentUri; 2] {
    let plain =
        PaymentUri { to: key(BEN).public(), amount: None, asset: None, label: None, message: None };
    let whole = PaymentUri {
        amount: Some(Amount::new(1250)),
        asset: Some(manifest().id(&id()).0),
        label: Some("Bäcker & Co".into()),
        message: Some("2+2 = 100%?".into()),
        ..plain.clone()
    };
    [plain, whole]
}
