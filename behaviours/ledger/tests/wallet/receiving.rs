//! Being paid: what is shown is checked, each output is credited once, and nothing else is believed.

use covey_kernel::{Input, RequestId};
use covey_ledger::{
    Amount, Asset, AssetId, Error, InvalidLink, Output, Reason, Receipt,
    limits::{LINKS, LINKS_EVERY, RECEIPT_BYTES},
    wallet::{Asked, Command, Event, LineView, Reply},
    wire::{FromValidator, FromWallet, NotReady, Request, ToValidator, ToWallet},
};

use crate::{
    money::{Foreign, output},
    net::{Ask, Net, genesis, somebody},
};

fn receive(receipt: &Receipt) -> Command {
    Command::Receive(Box::new(receipt.clone()))
}

/// What shows that the wallet is paid so much at a new address.
fn receipt(net: &mut Net, amount: u64) -> Receipt {
    let address = net.address();
    let gift = net.gift(vec![output(somebody(3), 7), output(address, amount)]);
    net.receipt(&gift, 1)
}

/// It is refused, and the store is as it was.
#[track_caller]
fn refused(net: &mut Net, receipt: &Receipt) -> Error {
    let before = net.disk.clone();
    let error = net.order(receive(receipt)).expect_err("refused");
    assert!(net.disk == before, "{error} has changed the store");
    error
}

#[test]
fn an_output_is_credited_once_however_it_is_shown() {
    let mut net = Net::new();
    let receipt = receipt(&mut net, 30);
    net.events.clear();
    let Ok(Reply::Received { came, known: false }) = net.order(receive(&receipt)) else {
        panic!("it is ours")
    };
    assert_eq!(came.output.amount, Amount::new(30));
    assert_eq!(net.events, [Event::Came(Box::new(came))]);
    let again = net.order(receive(&receipt));
    assert!(matches!(again, Ok(Reply::Received { known: true, .. })), "{again:?}");
    let deliver = ToWallet::Deliver(Box::new(receipt.paid.clone()));
    assert_eq!(net.request(somebody(3), deliver.clone()), FromWallet::Received(true));
    net.restart();
    assert_eq!(net.request(somebody(4), deliver.clone()), FromWallet::Received(true));
    assert_eq!((net.amounts(), net.history().len()), ((30, 0, 0), 1));
    // Nor after it was spent.
    let tx = net.pay(30);
    net.certify(&tx);
    assert_eq!(net.request(somebody(4), deliver), FromWallet::Received(true));
    assert_eq!(net.amounts(), (0, 0, 0));
}

#[test]
fn an_output_that_is_shown_twice_in_one_turn_is_credited_once() {
    let mut net = Net::new();
    let receipt = receipt(&mut net, 30);
    let bytes = Request::Wallet(ToWallet::Deliver(Box::new(receipt.paid))).encode();
    let shown = |id| Input::Request { from: somebody(3), id: RequestId(id), bytes: bytes.clone() };
    net.turn(vec![shown(1001), shown(1002)]);
    let answers: Vec<FromWallet> = net.answers.values().cloned().collect();
    assert_eq!(answers, [FromWallet::Received(false), FromWallet::Received(true)]);
    assert_eq!(net.amounts(), (30, 0, 0));
}

fn ask(net: &mut Net, amount: u64) -> covey_kernel::PublicKey {
    let amount = Some(Amount::new(amount));
    let ask = Command::Ask { amount, asset: Asset::COIN, label: Default::default() };
    match net.order(ask) {
        Ok(Reply::Address(address)) => address,
        other => panic!("{other:?}"),
    }
}

fn asked(net: &mut Net) -> Vec<(covey_kernel::PublicKey, Asked)> {
    match net.order(Command::Requests) {
        Ok(Reply::Requests(all)) => all,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_certificate_pays_one_request() {
    let mut net = Net::new();
    let (one, two) = (ask(&mut net, 30), ask(&mut net, 30));
    assert_ne!(one, two, "each request has an address of its own");
    let gift = net.gift(vec![output(one, 30)]);
    let shown = net.receipt(&gift, 0);
    for _ in 0..2 {
        net.order(receive(&shown)).unwrap();
    }
    for (address, request) in asked(&mut net) {
        let paid = if address == one { 30 } else { 0 };
        assert_eq!(request.paid, Amount::new(paid));
    }
}

#[test]
fn a_request_is_paid_in_parts_and_only_with_what_it_asks_for() {
    let mut net = Net::new();
    let address = ask(&mut net, 30);
    net.fund_at(address, &[10, 5]);
    let token = Asset(Some(AssetId(covey_kernel::Hash::of(b"acorn"))));
    let gift = net.gift(vec![Output { asset: token, ..output(address, 99) }]);
    let shown = net.receipt(&gift, 0);
    net.order(receive(&shown)).unwrap();
    assert_eq!(asked(&mut net)[0].1.paid, Amount::new(15));
}

#[test]
fn what_pays_somebody_else_is_not_ours() {
    let mut net = Net::new();
    let mut receipt = receipt(&mut net, 30);
    let gift = net.gift(vec![output(somebody(3), 30)]);
    let theirs = net.receipt(&gift, 0);
    assert_eq!(refused(&mut net, &theirs), Error::NotMine);
    // An output of ours that is not at that place.
    receipt.paid.index = 0;
    assert_eq!(refused(&mut net, &receipt), Error::Invalid(Reason::ProofPath));
    let label = Command::Label(somebody(3), Default::default());
    assert_eq!(net.order(label).unwrap_err(), Error::NotMine);
}

#[test]
fn what_too_few_or_others_have_certified_is_not_credited() {
    let mut net = Net::new();
    let right = receipt(&mut net, 30);
    let votes = |receipt: &Receipt| receipt.paid.certificate.votes.to_vec();
    let with = |votes, signers| {
        let mut receipt = right.clone();
        receipt.paid.certificate.votes = covey_kernel::Bounded::new(votes).unwrap();
        receipt.paid.certificate.signers = signers;
        receipt
    };
    let own = votes(&right);
    let one_twice = vec![own[0].clone(), own[0].clone(), own[1].clone()];
    let mut epoch = right.clone();
    epoch.paid.certificate.epoch = 3;
    let mut more = right.clone();
    more.paid.salted.output.amount = Amount::new(31);
    for (receipt, reason) in [
        (with(own[..2].to_vec(), 0b11), Reason::CertificateVotes),
        (with(own[..2].to_vec(), 0b111), Reason::CertificateSigners),
        (with(one_twice, 0b111), Reason::VoteSignature),
        (with(own.clone(), 0b1110), Reason::VoteSignature),
        (with(own, 1 << 63 | 0b11), Reason::CertificateSigners),
        (epoch, Reason::CertificateEpoch),
        (more, Reason::ProofPath),
    ] {
        assert_eq!(refused(&mut net, &receipt), Error::Invalid(reason));
    }
    assert_eq!(net.amounts(), (0, 0, 0));
    net.order(receive(&right)).unwrap();
}

#[test]
fn a_peer_is_told_why_what_it_delivers_is_none() {
    let mut net = Net::new();
    let mut wrong = receipt(&mut net, 30).paid;
    wrong.certificate.votes = covey_kernel::Bounded::default();
    let answer = net.request(somebody(3), ToWallet::Deliver(Box::new(wrong)));
    assert_eq!(answer, FromWallet::Invalid(Reason::CertificateSigners));
    let answer = net.request_bytes(somebody(3), vec![0x82, 1, 0xff]);
    assert_eq!(answer, FromWallet::Invalid(Reason::Malformed));
}

#[test]
fn a_receipt_of_another_network_or_another_chain_is_none() {
    let mut net = Net::new();
    let mut other = receipt(&mut net, 30);
    other.network = covey_kernel::NetworkId::named("elsewhere");
    assert_eq!(refused(&mut net, &other), Error::Invalid(Reason::Malformed));
    let mut chained = receipt(&mut net, 30);
    let mut link = net.next_epoch();
    link.signers = 0;
    chained.links = covey_kernel::Bounded::new(vec![link]).unwrap();
    let wrong = InvalidLink::Votes { found: 3, wanted: 3 };
    assert_eq!(refused(&mut net, &chained), Error::Configuration(wrong));
}

#[test]
fn a_payment_of_an_epoch_that_is_not_known_is_asked_about_and_not_credited() {
    let mut net = Net::new();
    let address = net.address();
    let link = net.next_epoch();
    let gift = net.gift(vec![output(address, 30)]);
    let deliver = ToWallet::Deliver(Box::new(net.paid(&gift, 0, 1)));
    let refusal = FromWallet::Invalid(Reason::CertificateEpoch);
    for _ in 0..2 {
        assert_eq!(net.request(somebody(3), deliver.clone()), refusal);
    }
    // Whoever shows it is asked, once.
    let ask = net.take(|ask| ask.wallet() == Some(&ToWallet::Links(0))).unwrap();
    assert_eq!(ask.to, somebody(3));
    assert!(net.take(|ask| ask.wallet().is_some()).is_none());
    let links = covey_kernel::Bounded::new(vec![link]).unwrap();
    net.answer_bytes(&ask, Ok(FromWallet::Links(links).encode()));
    assert_eq!(net.request(somebody(3), deliver), FromWallet::Received(false));
    assert_eq!(net.amounts(), (30, 0, 0));
}

#[test]
fn configurations_that_do_not_follow_are_not_followed() {
    let mut net = Net::new();
    let mut link = net.next_epoch();
    link.proposal.approvals = Default::default();
    let links = covey_kernel::Bounded::new(vec![link]).unwrap();
    let ask = net.take(|ask| ask.validator() == Some(&ToValidator::Links(0))).unwrap();
    net.answer_bytes(&ask, Ok(FromValidator::Links(links).encode()));
    assert_eq!(net.status().epoch, 0);
}

#[test]
fn so_many_configurations_are_told_at_once() {
    let mut net = Net::new();
    for _ in 0..=LINKS {
        net.turn_epoch();
    }
    let told = |net: &mut Net, after| match net.request(somebody(3), ToWallet::Links(after)) {
        FromWallet::Links(links) => links.iter().map(covey_ledger::Link::epoch).collect(),
        other => panic!("{other:?}"),
    };
    let first: Vec<u64> = told(&mut net, 0);
    assert_eq!(first, [1, 2, 3, 4]);
    assert_eq!(told(&mut net, 4), [5]);
    assert_eq!(told(&mut net, u64::MAX), []);
    net.restart();
    assert_eq!(net.status().epoch, 5);
}

#[test]
fn a_text_that_is_too_long_is_no_payment() {
    let long = format!("covey-payment:{}", "a".repeat(2 * RECEIPT_BYTES));
    let error = long.parse::<Receipt>().unwrap_err();
    assert_eq!(error, covey_ledger::InvalidReceipt::Malformed);
    let mut net = Net::new();
    let shown = receipt(&mut net, 30);
    assert_eq!(shown.to_string().parse::<Receipt>().unwrap(), shown);
}

#[test]
fn a_wallet_is_no_validator() {
    let mut net = Net::new();
    let bytes = Request::Validator(ToValidator::Links(0)).encode();
    let input = Input::Request { from: somebody(3), id: RequestId(1001), bytes };
    let turn = net.decide(vec![input]);
    let [covey_kernel::Effect::Answer { bytes, .. }] = &turn.effects[..] else { panic!() };
    let refusal = FromValidator::NotReady(NotReady::NoValidator(()));
    assert_eq!(FromValidator::decode(bytes).unwrap(), refusal);
}

#[test]
fn a_coin_is_spent_with_the_certificate_that_was_shown() {
    let mut net = Net::new();
    let shown = receipt(&mut net, 30);
    net.order(receive(&shown)).unwrap();
    let tx = net.pay(30);
    let spend = net.spend(&tx);
    assert_eq!(spend.proofs[0], covey_ledger::Proof::Paid(Box::new(shown.paid)));
}

#[test]
fn the_history_says_what_came() {
    let mut net = Net::new();
    let shown = receipt(&mut net, 30);
    net.order(receive(&shown)).unwrap();
    let lines = net.history();
    let LineView::Came(came) = &lines[0] else { panic!("{lines:?}") };
    assert_eq!((came.outpoint.index, came.at), (1, net.now));
}

#[test]
fn own_change_that_is_shown_before_the_payment_is_final_is_credited_once() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(20);
    let spend = net.spend(&tx);
    let change = (0u16..2).find(|index| net.view(&tx).lines[0].index != *index).unwrap();
    let own = Foreign { body: spend.body, outputs: spend.outputs.to_vec() };
    let shown = net.receipt(&own, change);
    net.order(receive(&shown)).unwrap();
    net.certify(&tx);
    assert_eq!(net.amounts(), (10, 0, 0));
}

#[test]
fn who_finds_too_few_validators_asks_other_wallets_what_has_followed() {
    let is = |ask: &Ask| ask.wallet() == Some(&ToWallet::Links(0));
    let mut net = Net::alone(genesis(4, 1, 0), 7);
    (0..2).for_each(|at| net.connect(at));
    net.feed(Input::Connected(somebody(3)));
    net.wait(LINKS_EVERY.doubled(LINKS_EVERY));
    let links = covey_kernel::Bounded::new(vec![net.next_epoch()]).unwrap();
    let ask = net.take(is).unwrap();
    assert_eq!(ask.to, somebody(3));
    net.answer_bytes(&ask, Ok(FromWallet::Links(links).encode()));
    assert_eq!(net.status().epoch, 1);
    // With enough of them nobody else is asked.
    let mut net = Net::new();
    net.feed(Input::Connected(somebody(3)));
    net.wait(LINKS_EVERY.doubled(LINKS_EVERY));
    assert!(net.take(is).is_none());
}
