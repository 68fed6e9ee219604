//! What proves an input, and what does not.

use covey_kernel::{Bounded, Hash, Keypair, NetworkId};
use covey_ledger::{Ballot, Certificate, Proof, Reason, TxId, Vote, limits};

use crate::{
    mistakes::under,
    money::{Coin, four, owner, to},
    net::{Net, genesis, vote_key},
};

/// The voting keys of these validators, at their places.
fn keys(places: impl IntoIterator<Item = u8>) -> Vec<(u8, Keypair)> {
    places.into_iter().map(|at| (at, vote_key(usize::from(at)))).collect()
}

fn certificate_of(coin: &Coin) -> Certificate {
    let Proof::Paid(paid) = &coin.proof else { panic!("it is of no transaction") };
    paid.certificate.clone()
}

#[test]
fn exactly_a_quorum_in_networks_of_all_sizes() {
    for members in [1, 2, 3, 4, 5, 7, 10, 21, 64] {
        let mut net = Net::of(genesis(members, vec![to(1, 10)]));
        let (quorum, faulty) = (net.network.newest().quorum(), net.network.newest().faulty());
        let tx = net.invented(to(21, 5), &keys(0..1)).outpoint.tx;
        let coin = net.invented(to(21, 5), &keys(0..1));
        let wrong = [0, 1, faulty, faulty + 1, quorum - 1, quorum + 1, members];
        for votes in wrong.into_iter().filter(|votes| *votes != quorum && *votes <= 64) {
            let keys = keys(0..u8::try_from(votes).unwrap());
            let coin = under(&coin, net.forged(0, &keys, &tx));
            net.refuses(0, &net.all_to(&[&coin], 22), Reason::CertificateVotes);
        }
        let last = u8::try_from(members - quorum).unwrap()..u8::try_from(members).unwrap();
        for keys in [keys(0..u8::try_from(quorum).unwrap()), keys(last)] {
            let coin = net.invented(to(21, 5), &keys);
            net.vote(0, &net.all_to(&[&coin], 22));
        }
    }
}

#[test]
fn f_plus_1_votes_are_no_certificate() {
    let mut net = Net::of(genesis(7, vec![to(1, 10)]));
    let faulty = u8::try_from(net.network.newest().faulty()).unwrap();
    assert_eq!((faulty, net.network.newest().quorum()), (2, 5));
    for votes in [faulty, faulty + 1, 4, 6, 7] {
        let coin = net.invented(to(21, 5), &keys(0..votes));
        net.refuses(0, &net.all_to(&[&coin], 22), Reason::CertificateVotes);
    }
    let coin = net.invented(to(21, 5), &keys(2..7));
    net.vote(0, &net.all_to(&[&coin], 22));
}

#[test]
fn any_quorum_of_four_will_do_and_no_order_but_that_of_places() {
    let mut net = four();
    for left_out in 0..4 {
        let three = keys((0..4).filter(|at| *at != left_out));
        let coin = net.invented(to(21, 5 + u64::from(left_out)), &three);
        net.vote(0, &net.all_to(&[&coin], 22));
    }
}

#[test]
fn a_certificate_of_another_transaction() {
    let mut net = four();
    let mine = net.made(&net.all_to(&[&net.coin(0)], 21)).remove(0);
    let other = net.made(&net.all_to(&[&net.coin(1)], 21)).remove(0);
    // Each alone in its turn.
    let swapped = under(&mine, certificate_of(&other));
    net.refuses(3, &net.all_to(&[&swapped], 22), Reason::VoteSignature);
    // Among others in a turn, each with a path of its own.
    let spends = [2, 3, 4].map(|index| net.all_to(&[&net.coin(index)], 21));
    (0..3).for_each(|at| drop(net.pay_all(at, &spends.each_ref())));
    let coins = spends.each_ref().map(|spend| net.made(spend).remove(0));
    let swapped = under(&coins[0], certificate_of(&coins[1]));
    net.refuses(3, &net.all_to(&[&swapped], 22), Reason::VoteSignature);
    // The third of three has a shorter path.
    let swapped = under(&coins[0], certificate_of(&coins[2]));
    net.refuses(3, &net.all_to(&[&swapped], 22), Reason::VoteSignature);
    for coin in [&mine, &other, &coins[0], &coins[1], &coins[2]] {
        net.still_free(3, &[coin]);
    }
}

#[test]
fn a_vote_with_a_path_that_leads_nowhere() {
    let mut net = four();
    let coin = net.invented(to(21, 5), &keys(0..3));
    let good = certificate_of(&coin);
    let changed = |change: fn(&mut Vote)| {
        let mut votes = good.votes.to_vec();
        change(&mut votes[1]);
        under(&coin, Certificate { votes: Bounded::new(votes).unwrap(), ..good.clone() })
    };
    assert_eq!(limits::BATCH, 512);
    for (change, reason) in [
        ((|vote| vote.index = 1) as fn(&mut Vote), Reason::VotePath),
        (|vote| vote.count = 0, Reason::VotePath),
        (|vote| vote.count = 2, Reason::VotePath),
        (|vote| vote.count = 513, Reason::VotePath),
        (|vote| vote.count = u16::MAX, Reason::VotePath),
        (|vote| vote.path = Bounded::new(vec![Hash::of(b"somewhere")]).unwrap(), Reason::VotePath),
        // Another ballot comes of it.
        (|vote| vote.first = 1, Reason::VoteSignature),
        (
            |vote| {
                vote.count = 2;
                vote.path = Bounded::new(vec![Hash::of(b"somewhere")]).unwrap();
            },
            Reason::VoteSignature,
        ),
        (
            |vote| vote.signature = owner(1).sign(covey_ledger::VOTE, &NetworkId::open(), &0u8),
            Reason::VoteSignature,
        ),
    ] {
        net.refuses(0, &net.all_to(&[&changed(change)], 22), reason);
    }
    net.still_free(0, &[&coin]);
}

#[test]
fn all_signed_for_another_network() {
    let mut net = four();
    let mut there = genesis(4, (1..=6).map(|seed| to(seed, u64::from(seed) * 10)).collect());
    there.nonce = covey_kernel::Bytes::new(vec![8; 16]).unwrap();
    // The same validators, the same owners, the same coins.
    let mut there = Net::of(there);
    assert_ne!(there.network.id, net.network.id);
    let spend = there.all_to(&[&there.coin(0)], 21);
    net.refuses(0, &spend, Reason::ProofOutpoint);
    let coin = there.made(&spend).remove(0);
    net.refuses(0, &there.all_to(&[&coin], 22), Reason::ProofOutpoint);
    // With names of this network: the owners' signatures and the votes are still of the other one.
    let here = net.all_to(&[&net.coin(0)], 21);
    let mut mixed = here.clone();
    there.sign(&mut mixed, &[owner(1).public()]);
    net.refuses(0, &mixed, Reason::OwnerSignature);
    let tx = net.id(&here);
    let coin = net.made_by(&here, 0, &there.forged(0, &keys(0..3), &tx));
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::VoteSignature);
    net.vote(0, &here);
}

#[test]
fn one_wrong_vote_among_many_inputs() {
    let mut net = four();
    let coins: Vec<Coin> =
        (0..8).map(|number| net.invented(to(21, 1 + number), &keys(0..3))).collect();
    let mut wrong = coins.clone();
    let mut certificate = certificate_of(&wrong[5]);
    let mut votes = certificate.votes.to_vec();
    votes[2].signature = votes[1].signature;
    certificate.votes = Bounded::new(votes).unwrap();
    wrong[5] = under(&wrong[5], certificate);
    net.refuses(0, &net.all_to(&wrong.iter().collect::<Vec<_>>(), 22), Reason::VoteSignature);
    // What was right in it is remembered as right, and what was wrong is not.
    net.refuses(0, &net.all_to(&[&wrong[5]], 22), Reason::VoteSignature);
    net.vote(0, &net.all_to(&coins.iter().collect::<Vec<_>>(), 22));
}

#[test]
fn a_wrong_vote_in_a_turn_harms_no_neighbour() {
    let mut net = four();
    let good = net.invented(to(21, 1), &keys(0..3));
    let bad = net
        .invented(to(21, 2), &keys([0, 1]).into_iter().chain([(2, owner(9))]).collect::<Vec<_>>());
    let spends = [
        net.all_to(&[&net.coin(0)], 22),
        net.all_to(&[&bad], 22),
        net.all_to(&[&good], 22),
        net.all_to(&[&net.coin(1), &bad], 22),
        net.all_to(&[&net.coin(2)], 22),
    ];
    let answers = net.pay_all(0, &spends.each_ref());
    for at in [1, 3] {
        let wrong = covey_ledger::wire::FromValidator::Invalid(Reason::VoteSignature);
        assert_eq!(answers[at], wrong);
    }
    for at in [0, 2, 4] {
        let vote = crate::money::vote_in(&answers[at]);
        assert!(net.is_vote_of(0, &net.id(&spends[at]), &vote));
    }
    net.still_free(0, &[&net.coin(1)]);
}

#[test]
fn a_vote_for_a_child_is_none_for_its_parent() {
    let mut net = four();
    let parent = net.all_to(&[&net.coin(0)], 21);
    let coin = net.made_by(&parent, 0, &net.forged(0, &keys(0..3), &TxId(Hash::of(b"other"))));
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::VoteSignature);
    let coins = net.made(&parent);
    let child = net.all_to(&[&coins[0]], 22);
    let certificate = net.certify(&child);
    let swapped = under(&coins[0], certificate);
    net.refuses(3, &net.all_to(&[&swapped], 23), Reason::VoteSignature);
    net.vote(3, &child);
}

#[test]
fn a_root_of_a_ballot_is_no_transaction() {
    let mut net = four();
    let one = net.all_to(&[&net.coin(0)], 21);
    let txs = [net.id(&one), TxId(Hash::of(b"two"))];
    let root = TxId(Ballot::over(0, 0, &txs).root);
    // The root as if it were the one transaction of a ballot.
    let mut coin = net.made_by(&one, 0, &net.forged(0, &keys(0..3), &root));
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::VoteSignature);
    coin.outpoint.tx = root;
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::ProofOutpoint);
}
