//! Everything that nodes say to each other, by name. A variant that is added needs a name, without which this does not
//! compile, and then a value.

use covey_kernel::Bounded;
use covey_ledger::{
    Conflict, Reason, Vote,
    wire::{FromValidator, FromWallet, NotReady, Request, ToValidator, ToWallet},
};

use crate::values::{
    ANN, candidacy, claim, evidence, height, holdings, key, link, log_from, log_page, paid,
    payment, refresh, seal, swap, tx, vote,
};

fn to_validator(request: &ToValidator) -> &'static str {
    match request {
        ToValidator::Spend(_) => "spend",
        ToValidator::Height(_) => "height",
        ToValidator::MyHeight(_) => "my-height",
        ToValidator::Claim(_) => "claim",
        ToValidator::Refresh(_) => "refresh",
        ToValidator::Links(_) => "links",
        ToValidator::Link(_) => "link",
        ToValidator::Candidacy(_) => "candidacy",
        ToValidator::Log(_) => "log",
        ToValidator::Entries(_) => "entries",
    }
}

fn to_wallet(request: &ToWallet) -> &'static str {
    match request {
        ToWallet::Address(()) => "address",
        ToWallet::Deliver(_) => "deliver",
        ToWallet::Links(_) => "links",
    }
}

fn from_validator(answer: &FromValidator) -> &'static str {
    match answer {
        FromValidator::Vote(_) => "vote",
        FromValidator::Conflict(_) => "conflict",
        FromValidator::Invalid(_) => "invalid",
        FromValidator::NotReady(_) => "not-ready",
        FromValidator::Height(_) => "height",
        FromValidator::Noted(()) => "noted",
        FromValidator::Holdings(_) => "holdings",
        FromValidator::Links(_) => "links",
        FromValidator::Log(_) => "log",
        FromValidator::Entries(_) => "entries",
    }
}

fn from_wallet(answer: &FromWallet) -> &'static str {
    match answer {
        FromWallet::Address(_) => "address",
        FromWallet::Received(_) => "received",
        FromWallet::None(()) => "none",
        FromWallet::Invalid(_) => "invalid",
        FromWallet::NotMine(()) => "not-mine",
        FromWallet::Links(_) => "links",
    }
}

fn not_ready(why: NotReady) -> (String, FromValidator) {
    let name = match why {
        NotReady::NoValidator(()) => "no-validator",
        NotReady::Checking(()) => "checking",
        NotReady::Behind(()) => "behind",
        NotReady::Sealed(()) => "sealed",
        NotReady::Importing(()) => "importing",
    };
    (format!("-{name}"), FromValidator::NotReady(why))
}

pub(crate) fn requests() -> Vec<(String, Request)> {
    let outpoint = holdings()[0].outpoint;
    let for_validators = vec![
        ("", ToValidator::Spend(Box::new(payment()))),
        ("-of-each-proof", ToValidator::Spend(Box::new(swap()))),
        ("", ToValidator::Height(height())),
        ("", ToValidator::MyHeight(3)),
        ("", ToValidator::Claim(Box::new(claim(None)))),
        ("-after", ToValidator::Claim(Box::new(claim(Some(outpoint))))),
        ("", ToValidator::Refresh(Box::new(refresh()))),
        ("", ToValidator::Links(0)),
        ("", ToValidator::Link(Box::new(link()))),
        ("", ToValidator::Candidacy(Box::new(candidacy()))),
        ("", ToValidator::Log(log_from())),
        ("", ToValidator::Entries(Bounded::first([tx(&payment()), tx(&swap())]))),
    ];
    let for_wallets = vec![
        ("", ToWallet::Address(())),
        ("", ToWallet::Deliver(Box::new(paid(0, 0)))),
        ("", ToWallet::Links(0)),
    ];
    let named = for_validators.into_iter().map(|(more, request)| {
        let name = format!("validator/{}{more}", to_validator(&request));
        (name, Request::Validator(request))
    });
    let others = for_wallets.into_iter().map(|(more, request)| {
        let name = format!("wallet/{}{more}", to_wallet(&request));
        (name, Request::Wallet(request))
    });
    named.chain(others).collect()
}

fn conflict(vote: Option<Vote>) -> Conflict {
    Conflict { evidence: evidence(), vote }
}

pub(crate) fn validators_answers() -> Vec<(String, FromValidator)> {
    let one = |answer| (String::new(), answer);
    let mut answers = vec![
        one(FromValidator::Vote(vote(0, 0))),
        one(FromValidator::Conflict(Box::new(conflict(None)))),
        ("-with-vote".into(), FromValidator::Conflict(Box::new(conflict(Some(vote(0, 0)))))),
        one(FromValidator::Height(Some(height()))),
        ("-unknown".into(), FromValidator::Height(None)),
        one(FromValidator::Noted(())),
        one(FromValidator::Holdings(Bounded::first(holdings()))),
        one(FromValidator::Links(Bounded::first([link()]))),
        one(FromValidator::Log(Box::new(log_page(None)))),
        ("-sealed".into(), FromValidator::Log(Box::new(log_page(Some(seal()))))),
        one(FromValidator::Entries(Bounded::first([payment(), swap()]))),
    ];
    answers.extend(Reason::ALL.iter().map(|reason| {
        (format!("-{reason:?}").to_ascii_lowercase(), FromValidator::Invalid(*reason))
    }));
    answers.extend(
        [
            NotReady::NoValidator(()),
            NotReady::Checking(()),
            NotReady::Behind(()),
            NotReady::Sealed(()),
            NotReady::Importing(()),
        ]
        .map(not_ready),
    );
    let named = answers.into_iter();
    named
        .map(|(more, answer)| (format!("validator/{}{more}", from_validator(&answer)), answer))
        .collect()
}

pub(crate) fn wallets_answers() -> Vec<(String, FromWallet)> {
    let answers = vec![
        ("", FromWallet::Address(key(ANN).public())),
        ("", FromWallet::Received(false)),
        ("-again", FromWallet::Received(true)),
        ("", FromWallet::None(())),
        ("", FromWallet::Invalid(Reason::ProofPath)),
        ("", FromWallet::NotMine(())),
        ("", FromWallet::Links(Bounded::first([link()]))),
    ];
    let named = answers.into_iter();
    named.map(|(more, answer)| (format!("wallet/{}{more}", from_wallet(&answer)), answer)).collect()
}
