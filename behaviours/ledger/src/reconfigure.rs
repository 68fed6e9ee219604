//! How the validators of one epoch are followed by those of the next: governance proposes, each member
//! of the next epoch accepts, and a quorum of the members of this one vote. Such a certified
//! configuration is a [`Link`] of a chain that begins with the genesis.

use covey_kernel::{
    Bounded, Domain, Hash, Keypair, NetworkId, PublicKey, Signature, record, signing_bytes,
    verify_all,
};

use crate::{
    configuration::{Configuration, InvalidConfiguration, Member},
    limits::{GOVERNORS, VALIDATORS},
    vote::Signed,
};

/// What governance signs.
pub const APPROVE: Domain = Domain::new("covey/ledger/approve/v1");
/// What a member of the next epoch signs, with its new voting key and with its node's key.
pub const ACCEPT: Domain = Domain::new("covey/ledger/accept/v1");
/// What a member of this epoch signs when its operator agrees. It binds nobody.
pub const ACKNOWLEDGE: Domain = Domain::new("covey/ledger/acknowledge/v1");
/// What a member of this epoch signs once: its vote for the next configuration.
pub const SUCCESSOR: Domain = Domain::new("covey/ledger/successor/v1");

record! {
    /// What all of these sign: which configuration follows which epoch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Successor {
        /// The epoch that ends.
        pub epoch: u64,
        /// The id of the configuration that follows.
        pub id: Hash,
    }
}

record! {
    /// A signature of the key at a place of a list.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Placed {
        /// The place.
        pub place: u8,
        /// The signature.
        pub signature: Signature,
    }
}

record! {
    /// That a member of the next epoch agrees to be one.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Acceptance {
        /// Its place among the members.
        pub place: u8,
        /// By the voting key that it is to use.
        pub vote: Signature,
        /// By the node that it is to run on.
        pub node: Signature,
    }
}

/// Signatures of validators, by ascending places.
pub type Signatures = Bounded<Placed, VALIDATORS>;

record! {
    /// A configuration that governance wants next.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Proposal {
        /// The configuration.
        pub configuration: Configuration,
        /// Signatures of governance keys of the epoch that ends, by ascending places.
        pub approvals: Bounded<Placed, GOVERNORS>,
        /// Of those who are to validate, by ascending places.
        pub acceptances: Bounded<Acceptance, VALIDATORS>,
    }
}

record! {
    /// A proposal on its way, with what the members of the epoch that ends say of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Candidacy {
        /// The proposal.
        pub proposal: Proposal,
        /// Whose operators agree.
        pub acknowledgements: Signatures,
        /// Who has voted for it.
        pub votes: Signatures,
    }
}

record! {
    /// A certified configuration.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Link {
        /// The configuration, approved by governance and accepted by each of its members.
        pub proposal: Proposal,
        /// Which members of the epoch that ends have voted: bit `i` is the one at place `i`.
        pub signers: u64,
        /// Their signatures, in the order of their places; exactly a quorum.
        pub votes: Bounded<Signature, VALIDATORS>,
    }
}

/// Why a configuration does not follow another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLink {
    /// Its epoch is not the next one.
    #[error("the configuration is of epoch {found}, and the next one is {wanted}")]
    Epoch {
        /// Its epoch.
        found: u64,
        /// The next one.
        wanted: u64,
    },
    /// It follows another configuration than the one known.
    #[error("the configuration follows another one than is known here")]
    Previous,
    /// Another configuration is known to be that of the epoch, and was certified too: more validators
    /// lie than may.
    #[error("two configurations of epoch {0} are certified: too many validators lie")]
    Fork(u64),
    /// Its members cannot work.
    #[error(transparent)]
    Configuration(#[from] InvalidConfiguration),
    /// A voting key was one before: each is made for one epoch, and erased.
    #[error(
        "a voting key was used in an earlier epoch: each member makes a new one for each epoch"
    )]
    KeyReused,
    /// Signatures are not by ascending places of the list that they belong to.
    #[error("signatures are listed twice, out of order, or of places that there are not")]
    Places,
    /// Too few governance keys have signed.
    #[error(
        "{found} governance keys have signed, and {wanted} must: `covey validator reconfigure sign`"
    )]
    Approvals {
        /// Have signed.
        found: usize,
        /// Must sign.
        wanted: usize,
    },
    /// A signature of a governance key is wrong.
    #[error("a signature of a governance key is wrong")]
    ApprovalSignature,
    /// Not every member has agreed to be one.
    #[error("not every validator of the next epoch has accepted")]
    Acceptances,
    /// A member's acceptance is wrong.
    #[error("the acceptance of a validator of the next epoch is wrong")]
    AcceptanceSignature,
    /// There are not the votes of exactly a quorum.
    #[error("there are {found} votes for the configuration, and {wanted} are needed")]
    Votes {
        /// There are.
        found: usize,
        /// Are needed.
        wanted: usize,
    },
    /// A vote, or an acknowledgement, is wrong.
    #[error("the signature of a validator of this epoch is wrong")]
    VoteSignature,
}

impl Successor {
    fn signed(&self, domain: Domain, network: &NetworkId, key: PublicKey, by: Signature) -> Signed {
        (key, signing_bytes(domain, network, self), by)
    }
}

fn all_right(signed: &[Signed]) -> bool {
    verify_all(signed).iter().all(Result::is_ok)
}

/// Whether places ascend.
fn ascend(places: impl Iterator<Item = u8>) -> Result<(), InvalidLink> {
    if places.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(InvalidLink::Places) }
}

/// Adds what is not there yet, by place; whether anything was.
pub(crate) fn merge<T: Clone, const N: usize>(
    into: &mut Bounded<T, N>,
    from: &[T],
    place: impl Fn(&T) -> u8,
) -> bool {
    let mut all: std::collections::BTreeMap<u8, T> =
        into.iter().map(|one| (place(one), one.clone())).collect();
    let before = all.len();
    for one in from {
        all.entry(place(one)).or_insert_with(|| one.clone());
    }
    let grown = all.len() > before;
    if grown {
        *into = Bounded::first(all.into_values());
    }
    grown
}

impl Acceptance {
    /// Agrees to be the member at a place.
    #[must_use]
    pub fn sign(
        place: u8,
        (vote, node): (&Keypair, &Keypair),
        network: &NetworkId,
        successor: &Successor,
    ) -> Self {
        Self {
            place,
            vote: vote.sign(ACCEPT, network, successor),
            node: node.sign(ACCEPT, network, successor),
        }
    }

    fn signed(&self, network: &NetworkId, successor: &Successor, member: &Member) -> [Signed; 2] {
        [
            successor.signed(ACCEPT, network, member.vote, self.vote),
            successor.signed(ACCEPT, network, member.peer, self.node),
        ]
    }
}

impl Proposal {
    /// A proposal that nobody has signed.
    #[must_use]
    pub fn new(configuration: Configuration) -> Self {
        Self { configuration, approvals: Bounded::default(), acceptances: Bounded::default() }
    }

    /// Its id: that of its configuration.
    #[must_use]
    pub fn id(&self, network: &NetworkId) -> Hash {
        self.configuration.id(network)
    }

    /// What everybody who agrees signs.
    #[must_use]
    pub fn successor(&self, network: &NetworkId) -> Successor {
        let epoch = self.configuration.epoch.saturating_sub(1);
        Successor { epoch, id: self.id(network) }
    }

    /// Signs for governance, if the key is one of it.
    pub fn approve(&mut self, network: &NetworkId, before: &Configuration, key: &Keypair) -> bool {
        let place = before.governance.keys.iter().position(|one| *one == key.public());
        let Some(place) = place.and_then(|place| u8::try_from(place).ok()) else { return false };
        let signature = key.sign(APPROVE, network, &self.successor(network));
        merge(&mut self.approvals, &[Placed { place, signature }], |one| one.place)
    }

    /// Whether it may follow a configuration, and all that is signed is signed rightly: by enough of
    /// governance, and by those members who have accepted.
    pub fn check(&self, network: &NetworkId, before: &Configuration) -> Result<(), InvalidLink> {
        self.check_place(network, before)?;
        self.configuration.check()?;
        let successor = self.successor(network);
        self.check_approvals(network, before, &successor)?;
        self.check_acceptances(network, &successor)
    }

    /// Whether it names the configuration that it is to follow, and the epoch after that one's.
    pub fn check_place(
        &self,
        network: &NetworkId,
        before: &Configuration,
    ) -> Result<(), InvalidLink> {
        let found = self.configuration.epoch;
        let wanted = before.epoch.saturating_add(1);
        if found != wanted {
            return Err(InvalidLink::Epoch { found, wanted });
        }
        if self.configuration.previous != before.id(network) {
            return Err(InvalidLink::Previous);
        }
        Ok(())
    }

    fn check_approvals(
        &self,
        network: &NetworkId,
        before: &Configuration,
        successor: &Successor,
    ) -> Result<(), InvalidLink> {
        let (found, wanted) = (self.approvals.len(), usize::from(before.governance.threshold));
        if found < wanted {
            return Err(InvalidLink::Approvals { found, wanted });
        }
        ascend(self.approvals.iter().map(|one| one.place))?;
        let signed = self.approvals.iter().map(|Placed { place, signature }| {
            let key = before.governance.keys.get(usize::from(*place)).copied();
            Some(successor.signed(APPROVE, network, key?, *signature))
        });
        let signed: Vec<Signed> = signed.collect::<Option<_>>().ok_or(InvalidLink::Places)?;
        if all_right(&signed) { Ok(()) } else { Err(InvalidLink::ApprovalSignature) }
    }

    fn check_acceptances(
        &self,
        network: &NetworkId,
        successor: &Successor,
    ) -> Result<(), InvalidLink> {
        ascend(self.acceptances.iter().map(|one| one.place))?;
        let mut signed = Vec::new();
        for one in self.acceptances.iter() {
            let member = self.configuration.members.get(usize::from(one.place));
            signed.extend(one.signed(network, successor, member.ok_or(InvalidLink::Places)?));
        }
        if all_right(&signed) { Ok(()) } else { Err(InvalidLink::AcceptanceSignature) }
    }

    /// Whether every member has accepted. Places were checked.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.acceptances.len() == self.configuration.members.len()
    }
}

fn check_signatures(
    signatures: &[Placed],
    domain: Domain,
    network: &NetworkId,
    before: &Configuration,
    successor: &Successor,
) -> Result<(), InvalidLink> {
    ascend(signatures.iter().map(|one| one.place))?;
    let signed = signatures.iter().map(|Placed { place, signature }| {
        let member = before.members.get(usize::from(*place))?;
        Some(successor.signed(domain, network, member.vote, *signature))
    });
    let signed: Vec<Signed> = signed.collect::<Option<_>>().ok_or(InvalidLink::Places)?;
    if all_right(&signed) { Ok(()) } else { Err(InvalidLink::VoteSignature) }
}

impl Candidacy {
    /// A proposal of which nobody has said anything.
    #[must_use]
    pub fn new(proposal: Proposal) -> Self {
        Self { proposal, acknowledgements: Bounded::default(), votes: Bounded::default() }
    }

    /// Whether all of it is right.
    pub fn check(&self, network: &NetworkId, before: &Configuration) -> Result<(), InvalidLink> {
        self.proposal.check(network, before)?;
        let successor = self.proposal.successor(network);
        check_signatures(&self.acknowledgements, ACKNOWLEDGE, network, before, &successor)?;
        check_signatures(&self.votes, SUCCESSOR, network, before, &successor)
    }

    /// Adds what another one of the same proposal has more; whether it had.
    pub fn merge(&mut self, other: &Self) -> bool {
        let (mine, theirs) = (&mut self.proposal, &other.proposal);
        let approvals = merge(&mut mine.approvals, &theirs.approvals, |one| one.place);
        let acceptances = merge(&mut mine.acceptances, &theirs.acceptances, |one| one.place);
        let acknowledged =
            merge(&mut self.acknowledgements, &other.acknowledgements, |one| one.place);
        let voted = merge(&mut self.votes, &other.votes, |one| one.place);
        approvals || acceptances || acknowledged || voted
    }

    /// The certified configuration, if enough have voted and all have accepted.
    #[must_use]
    pub fn link(&self, quorum: usize) -> Option<Link> {
        if self.votes.len() < quorum || !self.proposal.is_accepted() {
            return None;
        }
        let mut signers = 0u64;
        for one in self.votes.iter().take(quorum) {
            signers |= 1u64.checked_shl(u32::from(one.place))?;
        }
        let votes = self.votes.iter().take(quorum).map(|one| one.signature);
        Some(Link { proposal: self.proposal.clone(), signers, votes: Bounded::first(votes) })
    }
}

impl Link {
    /// The epoch that begins with it.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.proposal.configuration.epoch
    }

    /// Whether it follows a configuration.
    pub fn check(&self, network: &NetworkId, before: &Configuration) -> Result<(), InvalidLink> {
        self.proposal.check(network, before)?;
        if !self.proposal.is_accepted() {
            return Err(InvalidLink::Acceptances);
        }
        let (found, wanted) = (self.votes.len(), before.quorum());
        let signers = (0..64u8).filter(|place| self.signers >> u32::from(*place) & 1 == 1);
        let signers: Vec<u8> = signers.collect();
        if found != wanted || signers.len() != found {
            return Err(InvalidLink::Votes { found, wanted });
        }
        let votes: Vec<Placed> = signers
            .into_iter()
            .zip(self.votes.iter())
            .map(|(place, signature)| Placed { place, signature: *signature })
            .collect();
        let successor = self.proposal.successor(network);
        check_signatures(&votes, SUCCESSOR, network, before, &successor)
    }
}
