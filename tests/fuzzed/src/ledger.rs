use std::{str::FromStr, sync::LazyLock};

use covey_kernel::{NetworkId, verify_all};
use covey_ledger::{
    Body, Certificate, Decimals, Genesis, Link, Manifest, Network, Paid, PaymentUri, Phrase,
    Prefix, Proposal, Receipt, Seal, Signed, SignedHeight, Spend, Vote, Voted, address_text,
    limits::{GENESIS_BYTES, RECEIPT_BYTES, REQUEST_BYTES, RESPONSE_BYTES},
    parse_address,
    wire::{FromValidator, FromWallet, Request, ToValidator, ToWallet},
};

use crate::{
    decoders::canonical,
    ledger_values::{NODES, key, network, payment, prefix, rival, tx},
};

/// The network of the golden values, which the seeds are of.
static NETWORK: LazyLock<Network> = LazyLock::new(network);

/// Together and one by one they are found right or wrong alike.
fn verify(all: &[Signed]) {
    let one = |(key, message, signature): &Signed| key.verify_bytes(message, signature).is_ok();
    let together = verify_all(all);
    assert!(together.iter().map(Result::is_ok).eq(all.iter().map(one)));
}

/// Each is looked at as the machines do it. Verifying may fail, but not panic.
fn look_at_spend(spend: &Spend) {
    if let Ok(judged) = spend.judge(&NETWORK) {
        assert_eq!(judged.inputs.len(), spend.body.inputs.len());
        verify(&[judged.votes, judged.owners].concat());
    }
    look_at_body(&spend.body);
}

/// An id is of one network.
fn look_at_body(body: &Body) {
    assert_ne!(body.id(&NETWORK.id), body.id(&NetworkId::open()));
}

fn look_at_vote(epoch: u64, vote: &Vote) {
    let tx = tx(&payment());
    if let Ok(signed) = vote.signed(&NETWORK.id, epoch, &tx, key(NODES).public()) {
        verify(&[signed]);
    }
    assert!(vote.sequence() >= vote.first);
}

fn look_at_certificate(certificate: &Certificate) {
    let Some(configuration) = NETWORK.configuration(certificate.epoch) else { return };
    if let Ok(signed) = certificate.signed(&NETWORK.id, &tx(&payment()), configuration) {
        assert_eq!(signed.len(), configuration.quorum());
        verify(&signed);
    }
}

fn look_at_paid(paid: &Paid) {
    if let Ok(outpoint) = paid.outpoint(&NETWORK) {
        assert!(usize::from(outpoint.index) < usize::from(paid.body.count));
        paid.signed(&NETWORK, &outpoint.tx).ok();
    }
    look_at_certificate(&paid.certificate);
}

fn look_at_proposal(proposal: &Proposal) {
    proposal.check(&NETWORK.id, NETWORK.newest()).ok();
    assert!(proposal.id(&NETWORK.id) == proposal.successor(&NETWORK.id).id);
}

fn look_at_links(links: &[Link]) {
    let mut network = NETWORK.clone();
    for link in links {
        let before = network.newest().epoch;
        if network.follow(link).is_ok() {
            assert!(network.newest().epoch <= before + 1);
        }
    }
}

fn look_at_height(height: &SignedHeight) {
    height.verify(&NETWORK.id, &NETWORK.newest().members[0].vote).ok();
}

fn look_at_seal(seal: &Seal) {
    seal.verify(&NETWORK.id, &NETWORK.newest().members[0].vote).ok();
}

fn look_at_voted(voted: &Voted) {
    look_at_vote(voted.epoch, &voted.vote);
    look_at_body(&voted.body);
}

/// Requests to validators and to wallets.
pub fn ledger_request(bytes: &[u8]) {
    let request = canonical::<Request>(bytes, REQUEST_BYTES);
    // Whoever sorts requests looks only at the first bytes.
    let for_validator = Request::is_for_validator(bytes);
    match request {
        Some(Request::Validator(request)) => {
            assert!(for_validator);
            look_at_question(request);
        }
        Some(Request::Wallet(request)) => {
            assert!(!for_validator);
            if let ToWallet::Deliver(paid) = request {
                look_at_paid(&paid);
            }
        }
        None => {}
    }
}

fn look_at_question(request: ToValidator) {
    match request {
        ToValidator::Spend(spend) => look_at_spend(&spend),
        ToValidator::Height(height) => look_at_height(&height),
        ToValidator::Claim(claim) => {
            claim.verify(&NETWORK.id, &key(NODES).public()).ok();
        }
        ToValidator::Refresh(refresh) => look_at_certificate(&refresh.certificate),
        ToValidator::Link(link) => look_at_links(&[*link]),
        ToValidator::Candidacy(candidacy) => {
            candidacy.check(&NETWORK.id, NETWORK.newest()).ok();
            look_at_proposal(&candidacy.proposal);
            if let Some(link) = candidacy.link(NETWORK.newest().quorum()) {
                look_at_links(&[link]);
            }
            let mut twice = (*candidacy).clone();
            twice.merge(&candidacy);
            assert!(!twice.clone().merge(&candidacy), "what is there is new");
        }
        ToValidator::MyHeight(_)
        | ToValidator::Links(_)
        | ToValidator::Log(_)
        | ToValidator::Entries(_) => {}
    }
}

/// Answers of validators and of wallets.
pub fn ledger_response(bytes: &[u8]) {
    match canonical::<FromValidator>(bytes, RESPONSE_BYTES) {
        Some(FromValidator::Vote(vote)) => look_at_vote(0, &vote),
        Some(FromValidator::Conflict(conflict)) => {
            let Spend { body, witnesses, .. } = rival();
            conflict.evidence.check(&NETWORK.id, &body, &witnesses).ok();
            look_at_body(&conflict.evidence.body);
            conflict.vote.iter().for_each(|vote| look_at_vote(0, vote));
        }
        Some(FromValidator::Height(Some(height))) => look_at_height(&height),
        Some(FromValidator::Holdings(holdings)) => {
            holdings.iter().filter_map(|one| one.voted.as_ref()).for_each(look_at_voted);
        }
        Some(FromValidator::Links(links)) => look_at_links(&links),
        Some(FromValidator::Log(page)) => {
            page.seal.iter().for_each(look_at_seal);
        }
        Some(FromValidator::Entries(entries)) => entries.iter().for_each(look_at_spend),
        _ => {}
    }
    if let Some(FromWallet::Links(links)) = canonical::<FromWallet>(bytes, RESPONSE_BYTES) {
        look_at_links(&links);
    }
}

/// How a network begins, and what else is signed or lies in files.
pub fn ledger_records(bytes: &[u8]) {
    canonical::<Genesis>(bytes, GENESIS_BYTES);
    if let Ok(genesis) = Genesis::decode(bytes) {
        let network = Network::new(genesis.clone().into());
        assert_eq!(network.newest().check(), Ok(()));
        assert_eq!(genesis.network(), network.id);
    }
    if let Some(manifest) = canonical::<Manifest>(bytes, REQUEST_BYTES) {
        assert_eq!(manifest.issue(&NETWORK.id).0.tx.0, manifest.id(&NETWORK.id).0);
    }
    if let Some(proposal) = canonical::<Proposal>(bytes, REQUEST_BYTES) {
        look_at_proposal(&proposal);
    }
    if let Some(seal) = canonical::<Seal>(bytes, REQUEST_BYTES) {
        look_at_seal(&seal);
    }
}

/// Payments as their payees are shown them, as text and as bytes.
pub fn ledger_receipt(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(receipt) = Receipt::from_str(text)
    {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(receipt.to_string(), plain.to_ascii_lowercase());
        look_at_receipt(&receipt);
    }
    if let Some(receipt) = canonical::<Receipt>(bytes, RECEIPT_BYTES) {
        assert_eq!(Receipt::from_str(&receipt.to_string()), Ok(receipt.clone()));
        look_at_receipt(&receipt);
    }
}

fn look_at_receipt(receipt: &Receipt) {
    if let Ok(shown) = receipt.verify(&NETWORK) {
        assert!(shown.epoch <= shown.newest);
        assert_eq!(shown.output, receipt.paid.salted.output);
        let configuration = receipt.follow(&NETWORK).unwrap();
        let quorum = configuration.configuration(shown.epoch).unwrap().quorum();
        assert_eq!(shown.signers.len(), quorum);
    }
}

/// What people type and scan: payment requests, addresses, amounts, phrases. The first byte is the number of decimals.
pub fn ledger_uri(bytes: &[u8]) {
    let Some((first, text)) = bytes.split_first() else { return };
    let decimals = Decimals::new(first % 19).unwrap();
    let Ok(text) = std::str::from_utf8(text) else { return };
    let prefix = prefix();
    if let Ok(uri) = PaymentUri::parse(text, &prefix, decimals) {
        assert_eq!(uri.check(), Ok(()));
        let written = uri.format(&prefix, decimals);
        assert_eq!(PaymentUri::parse(&written, &prefix, decimals), Ok(uri));
    }
    if let Ok(address) = parse_address(&prefix, text) {
        assert_eq!(address_text(&prefix, &address), text.trim().to_ascii_lowercase());
    }
    if let Ok(amount) = decimals.parse(text) {
        assert_eq!(decimals.parse(&decimals.format(amount)), Ok(amount));
    }
    if let Ok(prefix) = Prefix::new(text) {
        assert_eq!(prefix.as_str(), text);
    }
    if let Ok(phrase) = Phrase::parse(text) {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(*phrase.words(), words.join(" ").to_ascii_lowercase());
    }
}
