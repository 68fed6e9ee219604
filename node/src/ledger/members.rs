//! Validators and governance, as files and methods name them.

use covey_kernel::{Bounded, Bytes, Text, TooLong};
use covey_ledger::{Configuration, Governance, Member, limits::NAME_BYTES};
use libp2p::Multiaddr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::node::{parse_peer, peer_id};

/// A field that does not say what it should.
#[derive(Debug, thiserror::Error)]
#[error("{field} is wrong: {why}")]
pub struct WrongField {
    /// Which.
    field: String,
    /// Why.
    why: String,
}

pub(super) fn wrong<E: ToString>(field: impl Into<String>) -> impl FnOnce(E) -> WrongField {
    let field = field.into();
    move |why| WrongField { field, why: why.to_string() }
}

pub(super) fn bounded<T, const N: usize>(
    field: &str,
    items: Vec<T>,
) -> Result<Bounded<T, N>, WrongField> {
    Bounded::new(items).map_err(|why: TooLong| wrong(field)(why))
}

/// A validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// What people call it.
    pub name: String,
    /// Its node's libp2p peer id.
    pub peer: String,
    /// The key that it votes with in one epoch, in hexadecimal.
    pub vote: String,
    /// Where to look for it.
    pub addresses: Vec<String>,
}

/// Who decides on new validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GovernanceFile {
    /// How many must sign.
    pub threshold: u8,
    /// Of these keys, in hexadecimal.
    pub keys: Vec<String>,
}

/// The validators of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationFile {
    /// Counted from 0, the genesis.
    pub epoch: u64,
    /// In the order of their places.
    pub validators: Vec<MemberFile>,
    /// Who decides on the next ones.
    pub governance: GovernanceFile,
    /// The id of the configuration before; the network's id for the first.
    pub previous: String,
}

impl MemberFile {
    /// How a validator is written down.
    #[must_use]
    pub fn of(member: &Member) -> Self {
        let addresses = member.addresses.iter().filter_map(|address| {
            Multiaddr::try_from(address.to_vec()).ok().map(|address| address.to_string())
        });
        Self {
            name: member.name.to_string(),
            peer: peer_id(&member.peer),
            vote: member.vote.to_string(),
            addresses: addresses.collect(),
        }
    }

    /// What it says.
    pub fn member(&self) -> Result<Member, WrongField> {
        let field = |name: &str| format!("{name} of the validator {:?}", self.name);
        if self.addresses.iter().chain([&self.name]).any(|text| text.contains(char::is_control)) {
            return Err(wrong(field("text"))("it has control characters"));
        }
        let addresses = self.addresses.iter().map(|text| {
            let address: Multiaddr = text.parse().map_err(wrong(field("address")))?;
            Bytes::new(address.to_vec()).map_err(wrong(field("address")))
        });
        let peer = parse_peer(&self.peer).ok_or("not a peer id of an Ed25519 key");
        Ok(Member {
            name: Text::<NAME_BYTES>::new(self.name.clone()).map_err(wrong(field("name")))?,
            peer: peer.map_err(wrong(field("peer")))?,
            vote: self.vote.parse().map_err(wrong::<covey_kernel::InvalidKey>(field("vote")))?,
            addresses: bounded(&field("addresses"), addresses.collect::<Result<_, _>>()?)?,
        })
    }
}

impl GovernanceFile {
    /// How governance is written down.
    #[must_use]
    pub fn of(governance: &Governance) -> Self {
        let keys = governance.keys.iter().map(ToString::to_string);
        Self { threshold: governance.threshold, keys: keys.collect() }
    }

    /// What it says.
    pub fn governance(&self) -> Result<Governance, WrongField> {
        let keys = self.keys.iter().map(|key| key.parse());
        let keys = keys.collect::<Result<_, covey_kernel::InvalidKey>>();
        let keys = bounded("governance", keys.map_err(wrong("governance"))?)?;
        Ok(Governance { threshold: self.threshold, keys })
    }
}

impl ConfigurationFile {
    /// How a configuration is written down.
    #[must_use]
    pub fn of(configuration: &Configuration) -> Self {
        Self {
            epoch: configuration.epoch,
            validators: configuration.members.iter().map(MemberFile::of).collect(),
            governance: GovernanceFile::of(&configuration.governance),
            previous: configuration.previous.to_string(),
        }
    }

    /// What it says.
    pub fn configuration(&self) -> Result<Configuration, WrongField> {
        let members = self.validators.iter().map(MemberFile::member);
        let previous = self.previous.parse();
        Ok(Configuration {
            epoch: self.epoch,
            members: bounded("validators", members.collect::<Result<_, _>>()?)?,
            governance: self.governance.governance()?,
            previous: previous.map_err(wrong::<covey_kernel::InvalidHash>("previous"))?,
        })
    }
}
