//! What earlier implementations got wrong, each by its name in the design.

use std::collections::BTreeSet;

use covey_kernel::{Bounded, Keypair};
use covey_ledger::{
    Certificate, Height, Proof, Reason, SignedHeight, Spend, TxId, Witness,
    validator::{Command, Reply},
    wire::{FromValidator, ToValidator},
};

use crate::{
    money::{Coin, body, evidence_in, four, owner, salted, to, vote_in},
    net::{Net, peer, stranger, vote_key},
    rules::{is_conflict_with, two_of_one},
};

/// The coin, under another certificate.
pub(crate) fn under(coin: &Coin, certificate: Certificate) -> Coin {
    let mut coin = coin.clone();
    let Proof::Paid(paid) = &mut coin.proof else { panic!("it is of no transaction") };
    paid.certificate = certificate;
    coin
}

#[test]
fn server_keys_read_from_the_clients_message() {
    let mut net = four();
    let strangers: Vec<(u8, Keypair)> = (0u8..3).map(|at| (at, owner(70 + at))).collect();
    let coin = net.invented(to(21, 1_000), &strangers);
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::VoteSignature);
    // One honest vote does not make the other two honest.
    let mixed = [(0, vote_key(0)), (1, vote_key(1)), (2, owner(70))];
    let coin = net.invented(to(21, 1_000), &mixed);
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::VoteSignature);
    // A node's key is no voting key.
    let owners: Vec<(u8, Keypair)> = (0u8..3).map(|at| (at, owner(1))).collect();
    let coin = net.invented(to(21, 1_000), &owners);
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::VoteSignature);
}

#[test]
fn the_same_signer_counted_twice() {
    let mut net = four();
    let coin = net.invented(to(21, 5), &[0, 1, 2].map(|at| (at, vote_key(usize::from(at)))));
    let Proof::Paid(paid) = coin.proof.clone() else { panic!("it is of no transaction") };
    let good = paid.certificate;
    let with = |signers: u64, places: &[usize]| {
        let votes = places.iter().map(|place| good.votes[*place].clone()).collect();
        Certificate { epoch: 0, signers, votes: Bounded::new(votes).unwrap() }
    };
    for (certificate, reason) in [
        // Fewer bits than votes.
        (with(0b0011, &[0, 1, 1]), Reason::CertificateSigners),
        (with(0b0001, &[0, 0, 0]), Reason::CertificateSigners),
        (with(0b0000, &[0, 1, 2]), Reason::CertificateSigners),
        // More bits than votes.
        (with(0b1111, &[0, 1, 2]), Reason::CertificateSigners),
        (with(0b0111, &[0, 1]), Reason::CertificateSigners),
        (with(0b0111, &[]), Reason::CertificateSigners),
        // Votes of one under others' bits.
        (with(0b0111, &[0, 0, 0]), Reason::VoteSignature),
        (with(0b0111, &[0, 1, 1]), Reason::VoteSignature),
        (with(0b1011, &[0, 1, 2]), Reason::VoteSignature),
        // The right ones, in another order.
        (with(0b0111, &[1, 0, 2]), Reason::VoteSignature),
        // Bits of nobody.
        (with(0b1_0011, &[0, 1, 2]), Reason::CertificateSigners),
        (with(1 << 63 | 0b0011, &[0, 1, 2]), Reason::CertificateSigners),
    ] {
        net.refuses(0, &net.all_to(&[&under(&coin, certificate)], 22), reason);
    }
    net.still_free(0, &[&coin]);
}

#[test]
fn an_owner_signature_that_leaves_the_outputs_out() {
    let mut net = four();
    let coin = net.coin(0);
    let signed = net.all_to(&[&coin], 21);
    // What was signed stays, and somebody else is paid.
    let mut stolen = signed.clone();
    stolen.outputs = Bounded::new(vec![salted(to(66, 10), 1)]).unwrap();
    net.refuses(0, &stolen, Reason::OutputRoot);
    // Committed to, but not signed.
    stolen.body = body(stolen.body.inputs.to_vec(), &stolen.outputs);
    net.refuses(0, &stolen, Reason::OwnerSignature);
    // Only the salt is another.
    let mut salty = signed.clone();
    salty.outputs = Bounded::new(vec![salted(to(21, 10), 2)]).unwrap();
    net.refuses(0, &salty, Reason::OutputRoot);
    // Outputs in another order.
    let two = net.spend(&[&coin], &[to(21, 4), to(22, 6)]);
    let mut turned = two.clone();
    turned.outputs = Bounded::new(two.outputs.iter().rev().cloned().collect()).unwrap();
    net.refuses(0, &turned, Reason::OutputRoot);
    // And the inputs are signed too.
    let mut more = net.all_to(&[&coin, &net.coin(1)], 21);
    more.witnesses = Bounded::new(vec![
        Witness::sign(&owner(1), &net.network.id, &signed.body),
        Witness::sign(&owner(2), &net.network.id, &more.body),
    ])
    .unwrap();
    let mut witnesses = more.witnesses.to_vec();
    witnesses.sort_by_key(|witness| witness.address);
    more.witnesses = Bounded::new(witnesses).unwrap();
    net.refuses(0, &more, Reason::OwnerSignature);
    net.still_free(0, &[&coin, &net.coin(1)]);
}

#[test]
fn an_input_listed_twice() {
    let mut net = four();
    let coin = net.coin(0);
    // 10 twice would make 20.
    net.refuses(0, &net.all_to(&[&coin, &coin], 21), Reason::InputOrder);
    let three = net.all_to(&[&coin, &net.coin(1), &coin], 21);
    net.refuses(0, &three, Reason::InputOrder);
    net.still_free(0, &[&coin, &net.coin(1)]);
}

#[test]
fn inputs_out_of_order() {
    let mut net = four();
    let spend = net.all_to(&[&net.coin(0), &net.coin(1)], 21);
    let mut turned = spend.clone();
    turned.body.inputs = Bounded::new(spend.body.inputs.iter().rev().copied().collect()).unwrap();
    turned.proofs = Bounded::new(spend.proofs.iter().rev().cloned().collect()).unwrap();
    net.sign(&mut turned, &[owner(1).public(), owner(2).public()]);
    net.refuses(0, &turned, Reason::InputOrder);
    net.vote(0, &spend);
}

#[test]
fn conflicting_requests_racing_between_read_and_update() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    // All are checked before any is decided; and decided in turns of their own.
    let check = |net: &mut Net, spend: &Spend| {
        let (ids, inputs) = net.requests(&[spend]);
        (ids[0], net.check(0, inputs))
    };
    let early = [&second, &first, &second, &first].map(|spend| check(&mut net, spend));
    let mut answers = Vec::new();
    for (id, checks) in early {
        answers.push(net.finish(0, checks).answers.remove(&id).unwrap());
    }
    assert!(net.is_vote_of(0, &net.id(&second), &vote_in(&answers[0])));
    is_conflict_with(&net, &answers[1], &second);
    assert_eq!(answers[2], answers[0]);
    is_conflict_with(&net, &answers[3], &second);
}

#[test]
fn conflicting_requests_racing_in_any_order_within_a_turn() {
    // Three of which the middle one conflicts with both others.
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut net = four();
        let [one, two] = [net.coin(0), net.coin(1)];
        let spends =
            [net.all_to(&[&one], 21), net.all_to(&[&one, &two], 22), net.all_to(&[&two], 23)];
        let answers = net.pay_all(0, &order.map(|at| &spends[at]));
        let mut locked = BTreeSet::new();
        for (at, answer) in order.into_iter().zip(&answers) {
            let inputs = spends[at].body.inputs.to_vec();
            if inputs.iter().any(|input| locked.contains(input)) {
                let evidence = evidence_in(answer);
                assert!(inputs.contains(&evidence.outpoint), "{order:?}");
                assert!(locked.contains(&evidence.outpoint), "{order:?}");
            } else {
                assert!(net.is_vote_of(0, &net.id(&spends[at]), &vote_in(answer)), "{order:?}");
                locked.extend(inputs);
            }
        }
    }
}

#[test]
fn a_resend_answered_with_used() {
    let mut net = four();
    let spend = net.all_to(&[&net.coin(0)], 21);
    let vote = net.vote(0, &spend);
    for _ in 0..3 {
        assert_eq!(net.pay(0, &spend), FromValidator::Vote(vote.clone()));
    }
    // Nor after somebody tried another one, nor after what it made was spent.
    net.pay(0, &net.all_to(&[&net.coin(0)], 22));
    let coin = net.made(&spend).remove(0);
    net.vote(0, &net.all_to(&[&coin], 23));
    assert_eq!(net.pay(0, &spend), FromValidator::Vote(vote));
}

#[test]
fn a_vote_lost_in_a_crash() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    // The locks are on the disk, and the answer never left.
    let (_, inputs) = net.requests(&[&first]);
    let lost = net.turn(0, inputs).answers.into_values().next().unwrap();
    net.crash(0);
    let answer = net.pay(0, &second);
    is_conflict_with(&net, &answer, &first);
    assert_eq!(net.pay(0, &first), lost);
}

#[test]
fn some_inputs_locked_and_others_not() {
    let mut net = four();
    let [one, two, three] = [0, 1, 2].map(|index| net.coin(index));
    net.vote(0, &net.all_to(&[&two], 21));
    let all = net.all_to(&[&one, &two, &three], 22);
    let evidence = evidence_in(&net.pay(0, &all));
    assert_eq!(evidence.outpoint, two.outpoint);
    net.still_free(0, &[&one, &three]);
}

#[test]
fn some_inputs_locked_in_the_same_turn_and_others_not() {
    let mut net = four();
    let [one, two, three] = [0, 1, 2].map(|index| net.coin(index));
    let first = net.all_to(&[&two], 21);
    let all = net.all_to(&[&one, &two, &three], 22);
    let rest = net.all_to(&[&one, &three], 23);
    let answers = net.pay_all(0, &[&first, &all, &rest]);
    is_conflict_with(&net, &answers[1], &first);
    assert!(net.is_vote_of(0, &net.id(&rest), &vote_in(&answers[2])));
}

#[test]
fn outpoints_chosen_by_the_client() {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 10), to(21, 10), to(21, 40)]);
    let coins = net.made(&parent);
    let other = net.made(&net.all_to(&[&net.coin(0)], 21)).remove(0);
    let claimed = |name: &Coin, proof: &Coin| Coin { outpoint: name.outpoint, ..proof.clone() };
    let mut renumbered = coins[0].clone();
    renumbered.outpoint.index = 1;
    let Proof::Paid(paid) = &mut renumbered.proof else { panic!("it is of no transaction") };
    paid.index = 1;
    let mut unknown = coins[0].clone();
    unknown.outpoint.tx = TxId(covey_kernel::Hash::of(b"a name of my own"));
    for (coin, reason) in [
        // One output under another one's name: it would be spent twice.
        (claimed(&coins[0], &coins[1]), Reason::ProofOutpoint),
        (claimed(&coins[0], &other), Reason::ProofOutpoint),
        (claimed(&coins[0], &net.coin(0)), Reason::ProofOutpoint),
        (claimed(&net.coin(0), &coins[0]), Reason::ProofOutpoint),
        (unknown, Reason::ProofOutpoint),
        // An output at two places.
        (renumbered, Reason::ProofPath),
    ] {
        net.refuses(3, &net.all_to(&[&coin], 22), reason);
    }
    net.still_free(3, &[&coins[0], &coins[1], &coins[2], &other]);
}

#[test]
fn an_output_that_is_not_behind_the_root() {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 10), to(21, 50)]);
    let coins = net.made(&parent);
    let changed = |change: fn(&mut covey_ledger::Paid)| {
        let mut coin = coins[0].clone();
        let Proof::Paid(paid) = &mut coin.proof else { panic!("it is of no transaction") };
        change(paid);
        coin.output = paid.salted.output.clone();
        coin
    };
    for coin in [
        changed(|paid| paid.salted.output.amount = covey_ledger::Amount::new(1_000_000)),
        changed(|paid| paid.salted.output.address = owner(66).public()),
        changed(|paid| paid.salted.output.commitment = Some(paid.body.root)),
        changed(|paid| paid.salted = salted(paid.salted.output.clone(), 77)),
        changed(|paid| paid.path = Bounded::default()),
        changed(|paid| paid.path = Bounded::new(vec![paid.path[0]; 2]).unwrap()),
        changed(|paid| paid.index = 2),
        changed(|paid| paid.body.count = 1),
        changed(|paid| paid.body.count = 3),
    ] {
        net.refuses(3, &net.all_to(&[&coin], 22), Reason::ProofPath);
    }
    net.still_free(3, &[&coins[0]]);
}

#[test]
fn unauthenticated_administration() {
    let mut net = four();
    let before = net.nodes[0].disk.clone();
    let height =
        |key: &Keypair| SignedHeight::sign(key, &net.network.id, Height { epoch: 0, next: 9 });
    let heights = [height(&vote_key(1)), height(&owner(1))];
    let mut asked = |from, request: ToValidator, reason| {
        let answer = net.ask_as(from, 0, request);
        assert_eq!(answer, FromValidator::Invalid(reason));
    };
    // From somebody who is no member, though a member has signed it.
    for height in heights {
        asked(stranger(), ToValidator::Height(height), Reason::CertificateSigners);
    }
    asked(stranger(), ToValidator::MyHeight(0), Reason::CertificateSigners);
    // From a member, though another one has signed it, or nobody.
    asked(peer(2), ToValidator::Height(heights[0]), Reason::VoteSignature);
    asked(peer(2), ToValidator::Height(heights[1]), Reason::VoteSignature);
    assert!(net.nodes[0].disk == before);
    let answer = net.ask_as(peer(1), 0, ToValidator::Height(heights[0]));
    assert_eq!(answer, FromValidator::Noted(()));
    let Reply::Status(status) = net.command(0, Command::Status) else { panic!("no status") };
    assert_eq!(
        status.others.iter().map(|one| one.height).collect::<Vec<_>>(),
        [Some(9), None, None]
    );
}

#[test]
fn votes_of_different_epochs_combined() {
    let mut net = four();
    let members = [0, 1, 2].map(|at| (at, vote_key(usize::from(at))));
    let coin = net.invented(to(21, 5), &members);
    let tx = coin.outpoint.tx;
    let (old, new) = (net.forged(0, &members, &tx), net.forged(1, &members, &tx));
    net.refuses(0, &net.all_to(&[&under(&coin, new.clone())], 22), Reason::CertificateEpoch);
    // Votes for epoch 1 under a certificate of epoch 0: all, or one.
    let renamed = Certificate { epoch: 0, ..new.clone() };
    net.refuses(0, &net.all_to(&[&under(&coin, renamed)], 22), Reason::VoteSignature);
    for one in 0..3 {
        let mut votes = old.votes.to_vec();
        votes[one] = new.votes[one].clone();
        let mixed = Certificate { votes: Bounded::new(votes).unwrap(), ..old.clone() };
        net.refuses(0, &net.all_to(&[&under(&coin, mixed)], 22), Reason::VoteSignature);
    }
    for epoch in [1, u64::MAX] {
        let renamed = Certificate { epoch, ..old.clone() };
        net.refuses(0, &net.all_to(&[&under(&coin, renamed)], 22), Reason::CertificateEpoch);
    }
    // The epoch is under each signature, not only beside it.
    let verifies = |vote: &covey_ledger::Vote, epoch| {
        let signed = vote.signed(&net.network.id, epoch, &tx, vote_key(0).public()).unwrap();
        covey_kernel::verify_all(&[signed])[0].is_ok()
    };
    assert_eq!([0, 1].map(|epoch| verifies(&old.votes[0], epoch)), [true, false]);
    assert_eq!([0, 1].map(|epoch| verifies(&new.votes[0], epoch)), [false, true]);
    net.still_free(0, &[&under(&coin, old)]);
}
