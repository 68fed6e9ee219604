//! Tokens: issued once, by their issuer, all at once; and conserved like the coin.

use covey_kernel::Text;
use covey_ledger::{Amount, Asset, Decimals, Manifest, Outpoint, Output, Proof, Reason, TxId};

use crate::{
    money::{Coin, four, owner, to, vote_in},
    net::{Net, genesis},
    rules::is_conflict_with,
};

fn manifest(amount: u64) -> Manifest {
    Manifest {
        issuer: owner(7).public(),
        name: Text::new("vote").unwrap(),
        amount: Amount::new(amount),
        decimals: Decimals::NONE,
    }
}

fn asset(net: &Net, manifest: &Manifest) -> Asset {
    Asset(Some(manifest.id(&net.network.id)))
}

fn of(output: Output, asset: Asset) -> Output {
    Output { asset, ..output }
}

/// What issuing spends.
fn unissued(net: &Net, manifest: &Manifest) -> Coin {
    let (outpoint, output) = manifest.issue(&net.network.id);
    Coin { outpoint, output, proof: Proof::Issue(Box::new(manifest.clone())) }
}

/// A token of which all is with owner 8.
fn issued(net: &mut Net, manifest: &Manifest) -> Coin {
    let all = of(to(8, manifest.amount.units()), asset(net, manifest));
    net.made(&net.spend(&[&unissued(net, manifest)], &[all])).remove(0)
}

#[test]
fn a_token_is_issued_once() {
    let mut net = four();
    let token = manifest(100);
    let asset = asset(&net, &token);
    let whole = unissued(&net, &token);
    let first = net.spend(&[&whole], &[of(to(8, 60), asset), of(to(9, 40), asset)]);
    let second = net.spend(&[&whole], &[of(to(9, 100), asset)]);
    let vote = net.vote(0, &first);
    let answer = net.pay(0, &second);
    is_conflict_with(&net, &answer, &first);
    net.crash(0);
    let answer = net.pay(0, &second);
    is_conflict_with(&net, &answer, &first);
    assert_eq!(net.vote(0, &first), vote);
    // Nor both in one turn.
    let answers = net.pay_all(1, &[&second, &first]);
    assert!(net.is_vote_of(1, &net.id(&second), &vote_in(&answers[0])));
    is_conflict_with(&net, &answers[1], &second);
}

#[test]
fn only_the_issuer_can_issue() {
    let mut net = four();
    let token = manifest(100);
    let whole = unissued(&net, &token);
    let mut theft = net.spend(&[&whole], &[of(to(66, 100), asset(&net, &token))]);
    net.sign(&mut theft, &[owner(66).public()]);
    net.refuses(0, &theft, Reason::Witnesses);
    let mut witnesses = theft.witnesses.to_vec();
    witnesses[0].address = token.issuer;
    theft.witnesses = covey_kernel::Bounded::new(witnesses).unwrap();
    net.refuses(0, &theft, Reason::OwnerSignature);
    net.still_free(0, &[&whole]);
}

#[test]
fn a_manifest_changed_by_one_field_is_another_asset() {
    let mut net = four();
    let token = manifest(100);
    let changes: [fn(&mut Manifest); 4] = [
        |token| token.issuer = owner(8).public(),
        |token| token.name = Text::new("vote2").unwrap(),
        |token| token.amount = Amount::new(101),
        |token| token.decimals = Decimals::new(1).unwrap(),
    ];
    for change in changes {
        let mut other = token.clone();
        change(&mut other);
        assert_ne!(other.id(&net.network.id), token.id(&net.network.id));
        // Under the first one's name.
        let mut coin = unissued(&net, &other);
        coin.outpoint = unissued(&net, &token).outpoint;
        let all = of(to(8, other.amount.units()), asset(&net, &token));
        net.refuses(0, &net.spend(&[&coin], std::slice::from_ref(&all)), Reason::ProofOutpoint);
        // Under its own name, it makes nothing of the first.
        net.refuses(0, &net.spend(&[&unissued(&net, &other)], &[all]), Reason::Sums);
        net.still_free(0, &[&unissued(&net, &other)]);
    }
    net.still_free(0, &[&unissued(&net, &token)]);
}

#[test]
fn a_token_of_one_network_is_none_of_another() {
    let mut net = four();
    let other = Net::of(genesis(1, vec![to(1, 1)]));
    let token = manifest(100);
    assert_ne!(token.id(&net.network.id), token.id(&other.network.id));
    let all = of(to(8, 100), asset(&other, &token));
    net.refuses(
        0,
        &net.spend(&[&unissued(&other, &token)], std::slice::from_ref(&all)),
        Reason::ProofOutpoint,
    );
    net.refuses(0, &net.spend(&[&unissued(&net, &token)], &[all]), Reason::Sums);
    net.still_free(0, &[&unissued(&net, &token)]);
}

#[test]
fn what_is_issued_has_one_outpoint() {
    let mut net = four();
    let token = manifest(100);
    let mut second = unissued(&net, &token);
    let all = of(to(8, 100), asset(&net, &token));
    for index in [1, u16::MAX] {
        second.outpoint.index = index;
        net.refuses(0, &net.spend(&[&second], std::slice::from_ref(&all)), Reason::ProofOutpoint);
    }
    second.outpoint = Outpoint { tx: TxId(net.network.id.hash()), index: 0 };
    net.refuses(0, &net.spend(&[&second], std::slice::from_ref(&all)), Reason::ProofOutpoint);
    // A manifest proves no coin of the genesis, and the genesis no token.
    second = Coin { proof: Proof::Genesis(()), ..unissued(&net, &token) };
    net.refuses(0, &net.spend(&[&second], &[all]), Reason::ProofOutpoint);
    net.still_free(0, &[&unissued(&net, &token), &net.coin(0)]);
}

#[test]
fn exactly_what_the_manifest_says_is_issued() {
    let mut net = four();
    let token = manifest(100);
    let (asset, whole) = (asset(&net, &token), unissued(&net, &token));
    for outputs in [
        vec![of(to(8, 101), asset)],
        vec![of(to(8, 99), asset)],
        vec![of(to(8, 100), asset), of(to(9, 1), asset)],
        vec![of(to(8, 100), asset), to(9, 1)],
        vec![to(8, 100)],
    ] {
        net.refuses(0, &net.spend(&[&whole], &outputs), Reason::Sums);
    }
    let outputs = [of(to(8, u64::MAX), asset), of(to(8, 101), asset)];
    net.refuses(0, &net.spend(&[&whole], &outputs), Reason::Overflow);
    net.still_free(0, &[&whole]);
    // Of nothing, nothing can be issued.
    let none = manifest(0);
    let nothing = of(to(8, 0), self::asset(&net, &none));
    let whole = unissued(&net, &none);
    net.refuses(0, &net.spend(&[&whole], &[nothing]), Reason::ZeroAmount);
    net.refuses(0, &net.spend(&[&whole, &net.coin(0)], &[to(8, 10)]), Reason::Sums);
    net.still_free(0, &[&net.coin(0)]);
}

#[test]
fn amounts_are_conserved_for_each_asset() {
    let mut net = four();
    let (red, blue) = (manifest(10), manifest(11));
    let (red_coin, blue_coin) = (issued(&mut net, &red), issued(&mut net, &blue));
    let (red, blue) = (asset(&net, &red), asset(&net, &blue));
    let coin = net.coin(0);
    let all = [&red_coin, &blue_coin, &coin];
    let parts = |red_out, blue_out, coin_out| {
        [of(to(21, red_out), red), of(to(21, blue_out), blue), to(21, coin_out)]
    };
    // 10, 11 and 10 go in. The sum over all assets is always right.
    for outputs in [parts(11, 10, 10), parts(9, 11, 11), parts(10, 10, 11), parts(1, 1, 29)] {
        net.refuses(3, &net.spend(&all, &outputs), Reason::Sums);
    }
    for outputs in [
        vec![to(21, 31)],
        vec![of(to(21, 31), red)],
        vec![of(to(21, 10), red), of(to(21, 11), blue)],
        parts(10, 12, 10).to_vec(),
        parts(10, 11, 9).to_vec(),
    ] {
        net.refuses(3, &net.spend(&all, &outputs), Reason::Sums);
    }
    net.refuses(3, &net.spend(&[&red_coin], &[to(21, 10)]), Reason::Sums);
    net.refuses(3, &net.spend(&[&coin], &[of(to(21, 10), red)]), Reason::Sums);
    net.refuses(3, &net.spend(&[&red_coin], &[of(to(21, 9), red)]), Reason::Sums);
    // Two owners exchange tokens for coin in one transaction.
    net.vote(3, &net.spend(&all, &parts(10, 11, 10)));
}

#[test]
fn a_token_is_paid_on_in_parts() {
    let mut net = four();
    let token = manifest(u64::MAX);
    let coin = issued(&mut net, &token);
    let asset = asset(&net, &token);
    let parts = net.spend(&[&coin], &[of(to(21, u64::MAX - 1), asset), of(to(22, 1), asset)]);
    let coins = net.made(&parts);
    let joined = net.spend(&[&coins[0], &coins[1]], &[of(to(23, u64::MAX), asset)]);
    net.vote(3, &joined);
}

#[test]
fn the_fee_of_a_token_is_paid_in_coin_and_a_token_has_no_smallest_output() {
    let mut costly = genesis(4, vec![to(1, 20), to(2, 12), to(3, 12)]);
    (costly.currency.minimum, costly.currency.fee) = (Amount::new(10), Amount::new(2));
    let mut net = Net::of(costly);
    let token = manifest(2);
    let (asset, whole) = (asset(&net, &token), unissued(&net, &token));
    let all = [of(to(8, 1), asset), of(to(9, 1), asset)];
    net.refuses(0, &net.spend(&[&whole], &all), Reason::Fee);
    // Not in the token.
    net.refuses(0, &net.spend(&[&whole, &net.coin(0)], &[to(8, 20)]), Reason::Fee);
    let short = [of(to(8, 1), asset), to(1, 18)];
    net.refuses(0, &net.spend(&[&whole, &net.coin(0)], &short), Reason::Sums);
    net.still_free(0, &[&net.coin(1)]);
    let paid = [all.as_slice(), &[to(1, 18)]].concat();
    let paid = net.spend(&[&whole, &net.coin(0)], &paid);
    net.vote(0, &paid);
    net.still_free(0, &[&net.coin(2)]);
}
