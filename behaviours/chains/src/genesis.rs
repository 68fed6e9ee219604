//! The parameters of a chain, and its id.

use std::collections::BTreeSet;

use covey_kernel::{Bounded, Hash, NetworkId, PublicKey, Span, Text, cbor, record, tagged};

use crate::{
    BlockId, Name,
    graph::{self, Accepts, Params},
    limits::{
        FREEZE_MILLIS, FREEZE_PLACES, NAME_BYTES, PAYLOAD_BYTES, PIONEERS, TRUSTED_PAYLOAD_BYTES,
    },
};

tagged! {
    /// Who a chain is for.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Kind {
        /// A public forum, by its name without the `#`.
        0 => Forum(Text<NAME_BYTES>),
        /// A private group.
        1 => Group(Group),
        /// A public identity.
        2 => Identity(Owner),
    }
}

record! {
    /// A private group, as its genesis names it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Group {
        /// Without the `$`.
        pub name: Text<NAME_BYTES>,
        /// What its key gives when it is stretched. Without it nobody finds the chain by its name.
        pub stretched: Hash,
    }
}

record! {
    /// Whose a public identity's chain is.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Owner {
        /// The owner signs with it.
        pub key: PublicKey,
        /// Others may not post.
        pub only: bool,
    }
}

tagged! {
    /// Which rules give reputation.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Rules {
        /// Those of the paper of 2020.
        0 => Paper(()),
        /// Those of the reference implementation, version 0.10, with the pioneers in the order of
        /// their bytes.
        1 => V10(Bounded<PublicKey, PIONEERS>),
    }
}

record! {
    /// When a place in the order is frozen: both must hold.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Freeze {
        /// It is more than so many places from the end.
        pub places: u64,
        /// It is so much before the last effective time.
        pub span: Span,
    }
}

record! {
    /// How large payloads may be, in bytes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PayloadLimits {
        /// Of everybody.
        pub others: u64,
        /// Of the owner of an identity's chain.
        pub owner: u64,
    }
}

record! {
    /// The parameters of a chain. Who agrees on them has the same genesis, and so the same chain.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Genesis {
        /// The network that it belongs to.
        pub network: NetworkId,
        /// Who it is for.
        pub kind: Kind,
        /// Which rules give reputation.
        pub rules: Rules,
        /// When the past freezes; private groups never freeze.
        pub freeze: Option<Freeze>,
        /// How large payloads may be.
        pub payload: PayloadLimits,
    }
}

/// No chain can have these pioneers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} pioneers: they share 30 reps, so name 1 to {PIONEERS} different keys")]
pub struct InvalidPioneers(usize);

impl Rules {
    /// The rules of version 0.10, with these pioneers.
    pub fn v10(pioneers: &BTreeSet<PublicKey>) -> Result<Self, InvalidPioneers> {
        let refused = InvalidPioneers(pioneers.len());
        if pioneers.is_empty() {
            return Err(refused);
        }
        Bounded::new(pioneers.iter().copied().collect()).map(Self::V10).map_err(|_| refused)
    }
}

impl Freeze {
    /// What public chains have unless they say otherwise.
    pub const USUAL: Self = Self { places: FREEZE_PLACES, span: Span::millis(FREEZE_MILLIS) };
}

impl Genesis {
    /// A public forum.
    #[must_use]
    pub fn forum(network: NetworkId, name: Text<NAME_BYTES>, rules: Rules) -> Self {
        let payload = PayloadLimits { others: PAYLOAD_BYTES, owner: PAYLOAD_BYTES };
        let freeze = Some(Freeze::USUAL);
        Self { network, kind: Kind::Forum(name), rules, freeze, payload }
    }

    /// A public identity's chain.
    #[must_use]
    pub fn identity(network: NetworkId, owner: Owner) -> Self {
        let payload = PayloadLimits { others: PAYLOAD_BYTES, owner: TRUSTED_PAYLOAD_BYTES };
        let (kind, freeze) = (Kind::Identity(owner), Some(Freeze::USUAL));
        Self { network, kind, rules: Rules::Paper(()), freeze, payload }
    }

    /// A private group.
    #[must_use]
    pub fn group(network: NetworkId, group: Group) -> Self {
        let payload = PayloadLimits { others: TRUSTED_PAYLOAD_BYTES, owner: TRUSTED_PAYLOAD_BYTES };
        let (kind, rules) = (Kind::Group(group), Rules::Paper(()));
        Self { network, kind, rules, freeze: None, payload }
    }

    /// Its id, which all blocks of the chain lead to.
    #[must_use]
    pub fn id(&self) -> BlockId {
        BlockId { height: 0, hash: Hash::of(&cbor::encode(self)) }
    }

    /// What the chain is called.
    #[must_use]
    pub fn name(&self) -> Name {
        match &self.kind {
            Kind::Forum(name) => Name::Forum(name.clone()),
            Kind::Group(group) => Name::Group(group.name.clone()),
            Kind::Identity(Owner { key, only }) => {
                Name::Identity { owner: *key, only_owner: *only }
            }
        }
    }

    /// How many bytes a payload of this author may have.
    #[must_use]
    pub fn payload_limit(&self, author: Option<&PublicKey>) -> u64 {
        match &self.kind {
            Kind::Identity(owner) if author == Some(&owner.key) => self.payload.owner,
            _ => self.payload.others,
        }
    }

    /// What decides about admission and order, with the first post that is followed.
    #[must_use]
    pub fn params(&self, first: Option<Hash>) -> Params {
        let accepts = match &self.kind {
            Kind::Forum(_) => Accepts::Nobody,
            Kind::Group(_) => Accepts::Everybody,
            Kind::Identity(owner) => Accepts::Owner(owner.key),
        };
        let rules = match &self.rules {
            Rules::Paper(()) => graph::Rules::Paper,
            Rules::V10(pioneers) => graph::Rules::V10(pioneers.iter().copied().collect()),
        };
        Params { accepts, rules, first: first.map(|hash| *hash.as_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Keypair;

    use super::*;

    fn keys(count: u8) -> BTreeSet<PublicKey> {
        (1..=count).map(|seed| Keypair::from_secret(&[seed; 32]).public()).collect()
    }

    #[test]
    fn every_parameter_makes_another_chain() {
        let network = NetworkId::open();
        let name = |text: &str| Text::new(text).unwrap();
        let owner = |only| Owner { key: *keys(1).first().unwrap(), only };
        let group = |key: &[u8]| Group { name: name("a"), stretched: Hash::of(key) };
        let paper = Rules::Paper(());
        let usual = Genesis::forum(network, name("a"), paper.clone());
        let chains = [
            usual.clone(),
            Genesis::forum(NetworkId::named("other"), name("a"), paper.clone()),
            Genesis::forum(network, name("b"), paper),
            Genesis::forum(network, name("a"), Rules::v10(&keys(1)).unwrap()),
            Genesis::forum(network, name("a"), Rules::v10(&keys(2)).unwrap()),
            Genesis { freeze: None, ..usual.clone() },
            Genesis { payload: PayloadLimits { others: 1, owner: 1 }, ..usual },
            Genesis::identity(network, owner(false)),
            Genesis::identity(network, owner(true)),
            Genesis::group(network, group(b"key")),
            Genesis::group(network, group(b"other key")),
        ];
        let ids: BTreeSet<BlockId> = chains.iter().map(Genesis::id).collect();
        assert_eq!(ids.len(), chains.len());
        assert!(ids.iter().all(|id| id.height == 0));
    }

    #[test]
    fn there_are_one_to_thirty_pioneers() {
        assert_eq!(Rules::v10(&keys(0)), Err(InvalidPioneers(0)));
        assert!(Rules::v10(&keys(30)).is_ok());
        assert_eq!(Rules::v10(&keys(31)), Err(InvalidPioneers(31)));
    }

    #[test]
    fn only_owners_and_groups_may_post_much() {
        let network = NetworkId::open();
        let [owner, other] = [1, 2].map(|seed| Keypair::from_secret(&[seed; 32]).public());
        let identity = Genesis::identity(network, Owner { key: owner, only: false });
        assert_eq!(identity.payload_limit(Some(&owner)), TRUSTED_PAYLOAD_BYTES);
        assert_eq!(identity.payload_limit(Some(&other)), PAYLOAD_BYTES);
        assert_eq!(identity.payload_limit(None), PAYLOAD_BYTES);
        let forum = Genesis::forum(network, Text::new("a").unwrap(), Rules::Paper(()));
        assert_eq!(forum.payload_limit(Some(&owner)), PAYLOAD_BYTES);
    }
}
