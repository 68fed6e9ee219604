//! Which configuration follows: one at most.

use covey_kernel::{Bounded, Hash};
use covey_ledger::{
    Candidacy, Error, InvalidLink, Placed, SUCCESSOR,
    validator::{Command, ProposalView, Reply},
    wire::{FromValidator, ToValidator},
};

use crate::net::Net;

fn proposals(net: &mut Net, node: usize) -> Vec<ProposalView> {
    match net.command(node, Command::Proposals).unwrap() {
        Reply::Proposals(proposals) => proposals,
        other => panic!("{other:?}"),
    }
}

fn view(net: &mut Net, node: usize, id: Hash) -> ProposalView {
    proposals(net, node).into_iter().find(|one| one.id == id).expect("it is open")
}

#[test]
fn of_two_successors_none_is_voted_for_before_a_quorum_agrees() {
    let mut net = Net::started(1, 4, 8);
    let a = net.replace(&[0, 1, 2, 4], &[0, 1]);
    let b = net.replace(&[0, 1, 2, 5], &[2, 3]);
    net.run(12_000);
    for node in 0..4 {
        for id in [a, b] {
            let one = view(&mut net, node, id);
            assert_eq!(one.acknowledged.len(), 2);
            // So nobody copies anything yet.
            assert_eq!(one.accepted, [0u8; 0]);
            assert_eq!(one.voted, [0u8; 0]);
        }
        assert_eq!(net.status(node).newest, 0);
    }
    // One operator more is enough, and has given nothing away with the other one.
    net.command(2, Command::Approve(a)).unwrap();
    net.run(10_000);
    for node in [0, 1, 2, 4] {
        assert_eq!(net.configuration(node).id(&net.network.id), a);
    }
    assert!(net.all_vote(&[0, 1, 2, 4], 1));
}

#[test]
fn who_has_voted_for_one_successor_never_votes_for_another_not_even_after_a_crash() {
    let mut net = Net::started(2, 4, 6);
    let a = net.replace(&[0, 1, 2, 4], &[3]);
    let b = net.replace(&[0, 1, 2, 5], &[3]);
    // The others never hear that the new member of the first one is ready.
    let new = net.peer(4);
    for node in [1, 2, 3] {
        net.nodes[node].liar = Some(Box::new(move |request| match request {
            ToValidator::Candidacy(one)
                if one.proposal.configuration.place(&new).is_some()
                    && one.proposal.acceptances.iter().any(|one| one.place == 3) =>
            {
                Some(FromValidator::Noted(()))
            }
            _ => None,
        }));
    }
    for node in [1, 2] {
        net.command(node, Command::Approve(a)).unwrap();
    }
    net.run(3_000);
    net.command(0, Command::Approve(a)).unwrap();
    assert_eq!(view(&mut net, 0, a).voted, [0]);
    net.stop(0);
    net.start(0);
    net.run(2_000);
    for node in [0, 1, 2] {
        net.command(node, Command::Approve(b)).unwrap();
    }
    net.run(10_000);
    for node in [0, 1, 2, 3] {
        let chain = net.chain(node);
        assert_eq!(chain.newest().id(&net.network.id), b);
        // The others have voted for it.
        assert_eq!(chain.links_after(0).next().unwrap().signers, 0b1110);
    }
}

#[test]
fn a_vote_that_others_show_binds_a_store_that_was_set_back() {
    let mut net = Net::started(3, 4, 6);
    let a = net.replace(&[0, 1, 2, 4], &[0]);
    let before = net.nodes[0].validator.as_ref().unwrap().disk.clone();
    let proposal = view(&mut net, 1, a).configuration;
    // It has voted, and told one of the others.
    let successor = covey_ledger::Proposal::new(proposal.clone()).successor(&net.network.id);
    let signature = net.first_key(0).sign(SUCCESSOR, &net.network.id, &successor);
    let mut shown = covey_ledger::Proposal::new(proposal.clone());
    for key in &net.governance[..2] {
        shown.approve(&net.network.id, &net.network.newest().clone(), key);
    }
    let mut candidacy = Candidacy::new(shown);
    candidacy.votes = Bounded::first([Placed { place: 0, signature }]);
    net.nodes[0].validator.as_mut().unwrap().disk = before;
    let told = net.ask(0, ToValidator::Candidacy(Box::new(candidacy)));
    assert_eq!(told, FromValidator::Noted(()));
    let b = net.replace(&[0, 1, 2, 5], &[0, 1, 2, 3]);
    net.run(8_000);
    assert!(!net.chain(1).newest().members.is_empty());
    let others = net.chain(1);
    assert_eq!(others.newest().id(&net.network.id), b, "three others are a quorum");
    assert_eq!(others.links_after(0).next().unwrap().signers, 0b1110);
}

#[test]
fn a_proposal_without_governance_is_not_even_kept() {
    let mut net = Net::started(4, 4, 5);
    let mut proposal = net.proposal(&[0, 1, 2, 4]);
    proposal.approvals = Bounded::first(proposal.approvals[..1].to_vec());
    let refused = InvalidLink::Approvals { found: 1, wanted: 2 };
    let reply = net.command(0, Command::Propose(Box::new(proposal)));
    assert_eq!(reply, Err(Error::Configuration(refused)));
    assert_eq!(proposals(&mut net, 0), []);
}

#[test]
fn a_member_that_has_not_accepted_is_waited_for() {
    let mut net = Net::started(5, 4, 6);
    let proposal = net.proposal(&[0, 1, 2, 4]);
    let id = proposal.id(&net.network.id);
    net.stop(4);
    net.command(0, Command::Propose(Box::new(proposal))).unwrap();
    net.run(500);
    for node in 0..4 {
        net.command(node, Command::Approve(id)).unwrap();
    }
    net.run(10_000);
    let one = view(&mut net, 0, id);
    assert_eq!((one.acknowledged.len(), one.accepted.len(), one.voted.len()), (4, 3, 0));
    net.start(4);
    net.run(10_000);
    assert!(net.all_vote(&[0, 1, 2, 4], 1));
}

#[test]
fn of_too_many_proposals_the_least_supported_makes_room() {
    let mut net = Net::started(6, 4, 4);
    let mut ids = Vec::new();
    for round in 0..20u8 {
        let mut proposal = net.proposal(&[0, 1, 2, 3]);
        let mut members = proposal.configuration.members.to_vec();
        members[0].name = crate::net::text(&format!("round {round}"));
        proposal.configuration.members = Bounded::first(members);
        proposal.approvals = Bounded::default();
        let before = net.network.newest().clone();
        for key in &net.governance[..2] {
            proposal.approve(&net.network.id, &before, key);
        }
        ids.push(proposal.id(&net.network.id));
        net.command(0, Command::Propose(Box::new(proposal))).unwrap();
        if round == 0 {
            net.command(0, Command::Approve(ids[0])).unwrap();
        }
        net.run(200);
    }
    let kept: Vec<_> = proposals(&mut net, 0).iter().map(|one| one.id).collect();
    assert_eq!(kept.len(), covey_ledger::limits::CANDIDACIES);
    assert!(kept.contains(&ids[0]) && kept.contains(&ids[19]));
}

#[test]
fn messages_that_get_lost_only_delay_it() {
    for seed in 10..14 {
        let mut net = Net::started(seed, 4, 8);
        net.loss = Some(3);
        net.replace(&[2, 3, 4, 5], &[0, 1, 2, 3]);
        net.run(60_000);
        assert!(net.all_vote(&[2, 3, 4, 5], 1), "seed {seed}");
    }
}
