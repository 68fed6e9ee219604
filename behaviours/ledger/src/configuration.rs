//! Who validates: members, quorum, governance.

use covey_kernel::{
    Address, Bounded, Hash, Hasher, NetworkId, Peer, PublicKey, Text, cbor, record,
};

use crate::limits::{ADDRESSES, GOVERNORS, NAME_BYTES, VALIDATORS};

record! {
    /// One validator.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Member {
        /// What people call it.
        pub name: Text<NAME_BYTES>,
        /// The node that it runs on.
        pub peer: Peer,
        /// The key that it votes with in this epoch, and in no other.
        pub vote: PublicKey,
        /// Where to look for it.
        pub addresses: Bounded<Address, ADDRESSES>,
    }
}

record! {
    /// Who decides on the next configuration: so many of these keys.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Governance {
        /// How many must sign.
        pub threshold: u8,
        /// Of these.
        pub keys: Bounded<PublicKey, GOVERNORS>,
    }
}

record! {
    /// The validators of one epoch.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Configuration {
        /// Counted from 0, the genesis.
        pub epoch: u64,
        /// The validators; a certificate names them by their places here.
        pub members: Bounded<Member, VALIDATORS>,
        /// Who decides on the next one.
        pub governance: Governance,
        /// The id of the one before; the network's id for the first.
        pub previous: Hash,
    }
}

/// Why a set of validators cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfiguration {
    /// Nobody validates.
    #[error("there is no validator: name at least one")]
    NoMembers,
    /// Two members would be one.
    #[error("two validators share a node or a voting key: give each its own")]
    SharedKey,
    /// Governance could never decide, or anybody could.
    #[error("governance needs a threshold from 1 to the number of its keys, all different")]
    Governance,
}

/// How many of `members` validators make a certificate: more than two thirds.
#[must_use]
pub const fn quorum(members: usize) -> usize {
    // At most 64, so nothing overflows.
    members.saturating_mul(2).wrapping_div(3).saturating_add(1)
}

/// How many of `members` validators may be faulty.
#[must_use]
pub const fn faulty(members: usize) -> usize {
    members.saturating_sub(1).wrapping_div(3)
}

impl Configuration {
    /// Its id on a network.
    #[must_use]
    pub fn id(&self, network: &NetworkId) -> Hash {
        let hasher = Hasher::new("covey/ledger/configuration/v1").field(network.as_bytes());
        hasher.field(&cbor::encode(self)).finish()
    }

    /// Votes that make a certificate.
    #[must_use]
    pub fn quorum(&self) -> usize {
        quorum(self.members.len())
    }

    /// Members that may be faulty.
    #[must_use]
    pub fn faulty(&self) -> usize {
        faulty(self.members.len())
    }

    /// The place of the member that runs on a node.
    #[must_use]
    pub fn place(&self, peer: &Peer) -> Option<usize> {
        self.members.iter().position(|member| member.peer == *peer)
    }

    /// Whether it can work at all.
    pub fn check(&self) -> Result<(), InvalidConfiguration> {
        if self.members.is_empty() {
            return Err(InvalidConfiguration::NoMembers);
        }
        let peers = self.members.iter().map(|member| member.peer);
        let votes = self.members.iter().map(|member| member.vote);
        if !all_different(peers) || !all_different(votes) {
            return Err(InvalidConfiguration::SharedKey);
        }
        let Governance { threshold, keys } = &self.governance;
        let within = (1..=keys.len()).contains(&usize::from(*threshold));
        if !within || !all_different(keys.iter().copied()) {
            return Err(InvalidConfiguration::Governance);
        }
        Ok(())
    }
}

fn all_different(keys: impl Iterator<Item = PublicKey>) -> bool {
    let mut keys: Vec<_> = keys.collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    keys.len() == all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quorums_share_an_honest_validator() {
        for members in 1..=VALIDATORS {
            let (q, f) = (quorum(members), faulty(members));
            assert_eq!(q, members - f, "of {members}");
            assert!(2 * q - members > f, "of {members}");
        }
        assert_eq!([1, 4, 7, 21].map(quorum), [1, 3, 5, 15]);
    }
}
