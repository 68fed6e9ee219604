//! What makes a configuration follow another.

use covey_kernel::{Bounded, Keypair};
use covey_ledger::{
    ACKNOWLEDGE, Acceptance, Candidacy, Configuration, InvalidConfiguration, InvalidLink, Link,
    Network, Placed, Proposal, SUCCESSOR,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::net::{genesis, member};

struct Scene {
    network: Network,
    votes: Vec<Keypair>,
    governance: Vec<Keypair>,
    /// Nodes and voting keys of the next epoch.
    next: Vec<(Keypair, Keypair)>,
}

fn keys(rng: &mut ChaCha20Rng, count: usize) -> Vec<Keypair> {
    (0..count).map(|_| Keypair::generate(rng)).collect()
}

impl Scene {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (nodes, votes) = (keys(&mut rng, 4), keys(&mut rng, 4));
        let governance = keys(&mut rng, 3);
        let genesis = genesis(&mut rng, &nodes, &votes, &governance, Vec::new());
        let next = keys(&mut rng, 4).into_iter().zip(keys(&mut rng, 4)).collect();
        Self { network: Network::new(genesis.into()), votes, governance, next }
    }

    fn configuration(&self) -> Configuration {
        let members = self.next.iter().enumerate();
        let members = members.map(|(i, (node, vote))| member(i, node.public(), vote.public()));
        let before = self.network.newest();
        Configuration {
            epoch: before.epoch + 1,
            members: Bounded::first(members),
            governance: before.governance.clone(),
            previous: before.id(&self.network.id),
        }
    }

    fn proposal(&self, configuration: Configuration) -> Proposal {
        let mut proposal = Proposal::new(configuration);
        for key in &self.governance[..2] {
            proposal.approve(&self.network.id, self.network.newest(), key);
        }
        let successor = proposal.successor(&self.network.id);
        let acceptances = self.next.iter().enumerate().map(|(place, (node, vote))| {
            Acceptance::sign(place as u8, (vote, node), &self.network.id, &successor)
        });
        proposal.acceptances = Bounded::first(acceptances);
        proposal
    }

    fn candidacy(&self, proposal: Proposal, voters: &[usize]) -> Candidacy {
        let successor = proposal.successor(&self.network.id);
        let sign = |domain| {
            Bounded::first(voters.iter().map(|place| Placed {
                place: *place as u8,
                signature: self.votes[*place].sign(domain, &self.network.id, &successor),
            }))
        };
        Candidacy { proposal, acknowledgements: sign(ACKNOWLEDGE), votes: sign(SUCCESSOR) }
    }

    fn link(&self, voters: &[usize]) -> Link {
        let proposal = self.proposal(self.configuration());
        self.candidacy(proposal, voters).link(voters.len()).unwrap()
    }
}

#[test]
fn a_certified_configuration_is_followed_and_again_changes_nothing() {
    let mut scene = Scene::new();
    for voters in [[0, 1, 2], [1, 2, 3]] {
        let link = scene.link(&voters);
        if scene.network.newest().epoch == 0 {
            assert_eq!(scene.network.follow(&link), Ok(()));
        }
    }
    assert_eq!(scene.network.newest().epoch, 1);
    let link = scene.network.links_after(0).next().unwrap().clone();
    assert_eq!(scene.network.follow(&link), Ok(()));
    assert_eq!(scene.network.links_after(1).count(), 0);
}

#[test]
fn what_is_not_the_next_epoch_of_this_chain_is_refused() {
    let scene = Scene::new();
    let follow = |configuration: Configuration| {
        let link = scene.candidacy(scene.proposal(configuration), &[0, 1, 2]).link(3).unwrap();
        scene.network.clone().follow(&link)
    };
    let next = scene.configuration();
    let far = Configuration { epoch: 2, ..next.clone() };
    assert_eq!(follow(far), Err(InvalidLink::Epoch { found: 2, wanted: 1 }));
    let other = Configuration { previous: scene.network.id.hash(), ..next.clone() };
    assert_eq!(follow(other), Err(InvalidLink::Previous));
    let mut twice = next.members.to_vec();
    twice[1].vote = twice[0].vote;
    let shared = Configuration { members: Bounded::first(twice), ..next };
    let refused = Err(InvalidLink::Configuration(InvalidConfiguration::SharedKey));
    assert_eq!(follow(shared), refused);
}

#[test]
fn governance_must_have_approved() {
    let scene = Scene::new();
    let mut link = scene.link(&[0, 1, 2]);
    let approvals = link.proposal.approvals.to_vec();
    link.proposal.approvals = Bounded::first(approvals[..1].to_vec());
    let refused = Err(InvalidLink::Approvals { found: 1, wanted: 2 });
    assert_eq!(scene.network.clone().follow(&link), refused);
    link.proposal.approvals = Bounded::first([approvals[0], approvals[0]]);
    assert_eq!(scene.network.clone().follow(&link), Err(InvalidLink::Places));
    let stolen = Placed { place: 1, ..approvals[0] };
    link.proposal.approvals = Bounded::first([approvals[0], stolen]);
    assert_eq!(scene.network.clone().follow(&link), Err(InvalidLink::ApprovalSignature));
    let nobody = Placed { place: 9, ..approvals[1] };
    link.proposal.approvals = Bounded::first([approvals[0], nobody]);
    assert_eq!(scene.network.clone().follow(&link), Err(InvalidLink::Places));
}

#[test]
fn every_member_must_have_accepted_with_both_keys() {
    let scene = Scene::new();
    let mut link = scene.link(&[0, 1, 2]);
    let acceptances = link.proposal.acceptances.to_vec();
    link.proposal.acceptances = Bounded::first(acceptances[..3].to_vec());
    assert_eq!(scene.network.clone().follow(&link), Err(InvalidLink::Acceptances));
    for wrong in [
        Acceptance { vote: acceptances[0].node, ..acceptances[0] },
        Acceptance { node: acceptances[0].vote, ..acceptances[0] },
    ] {
        let mut all = acceptances.clone();
        all[0] = wrong;
        link.proposal.acceptances = Bounded::first(all);
        assert_eq!(scene.network.clone().follow(&link), Err(InvalidLink::AcceptanceSignature));
    }
}

#[test]
fn exactly_a_quorum_of_different_members_must_have_voted() {
    let scene = Scene::new();
    let follow = |link: &Link| scene.network.clone().follow(link);
    for (voters, found) in [(vec![0, 1], 2), (vec![0, 1, 2, 3], 4)] {
        let refused = Err(InvalidLink::Votes { found, wanted: 3 });
        assert_eq!(follow(&scene.link(&voters)), refused);
    }
    let mut link = scene.link(&[0, 1, 2]);
    link.signers = 0b11;
    assert_eq!(follow(&link), Err(InvalidLink::Votes { found: 3, wanted: 3 }));
    link.signers = 0b1011;
    assert_eq!(follow(&link), Err(InvalidLink::VoteSignature));
    link.signers = 1 << 63 | 0b11;
    assert_eq!(follow(&link), Err(InvalidLink::Places));
}

#[test]
fn an_acknowledgement_is_no_vote() {
    let scene = Scene::new();
    let mut candidacy = scene.candidacy(scene.proposal(scene.configuration()), &[0, 1, 2]);
    candidacy.votes = candidacy.acknowledgements.clone();
    let before = scene.network.newest();
    assert_eq!(candidacy.check(&scene.network.id, before), Err(InvalidLink::VoteSignature));
    let link = candidacy.link(3).unwrap();
    assert_eq!(scene.network.clone().follow(&link), Err(InvalidLink::VoteSignature));
}

#[test]
fn a_key_of_an_earlier_epoch_is_refused() {
    let mut scene = Scene::new();
    scene.next[2].1 = scene.votes[2].clone();
    assert_eq!(scene.network.clone().follow(&scene.link(&[0, 1, 3])), Err(InvalidLink::KeyReused));
}

#[test]
fn a_fork_is_told_from_what_only_claims_to_be_one() {
    let mut scene = Scene::new();
    let first = scene.link(&[0, 1, 2]);
    scene.next.swap(0, 1);
    let second = scene.link(&[1, 2, 3]);
    let mut network = scene.network.clone();
    assert_eq!(network.follow(&first), Ok(()));
    assert_eq!(network.follow(&second), Err(InvalidLink::Fork(1)));
    let refused = Err(InvalidLink::Votes { found: 2, wanted: 3 });
    assert_eq!(network.follow(&scene.link(&[1, 2])), refused);
}
