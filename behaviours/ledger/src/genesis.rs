//! How a network begins: its validators, its money, its rules. The hash of it is the network's id.

use covey_kernel::{
    Bounded, Bytes, Hash, NetworkId, Text,
    cbor::{self, DecodeError},
    record,
};

use crate::{
    address::Prefix,
    amount::{Amount, Decimals},
    configuration::{Configuration, Governance, InvalidConfiguration, Member},
    limits::{GENESIS_BYTES, GENESIS_OUTPUTS, NAME_BYTES, UNIT_BYTES, VALIDATORS},
    output::{Asset, Outpoint, Output, TxId},
};

record! {
    /// What the network's money is called and how it is counted.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Currency {
        /// As in "12.50 leaf".
        pub unit: Text<UNIT_BYTES>,
        /// Digits behind the point.
        pub decimals: Decimals,
        /// What addresses begin with.
        pub prefix: Prefix,
        /// The smallest output of the coin.
        pub minimum: Amount,
        /// What each transaction pays; it is burned.
        pub fee: Amount,
    }
}

record! {
    /// The beginning of a network.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Genesis {
        /// What people call the network.
        pub name: Text<NAME_BYTES>,
        /// Makes two networks of one name and one set of validators two networks.
        pub nonce: Bytes<16>,
        /// Its money.
        pub currency: Currency,
        /// The validators of epoch 0.
        pub members: Bounded<Member, VALIDATORS>,
        /// Who decides on later ones.
        pub governance: Governance,
        /// All the money there will ever be, and whose it is at first.
        pub outputs: Bounded<Output, GENESIS_OUTPUTS>,
    }
}

/// Why a genesis is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGenesis {
    /// The bytes are none.
    #[error("this is no genesis: {0}")]
    Malformed(#[from] DecodeError),
    /// Its validators cannot work.
    #[error(transparent)]
    Configuration(#[from] InvalidConfiguration),
    /// An output is worth nothing, or less than the smallest allowed.
    #[error("the output {0} of the genesis is smaller than the smallest output allowed")]
    Small(usize),
    /// The genesis may make only the network's own coin.
    #[error("the output {0} of the genesis is not of the network's coin")]
    Token(usize),
    /// All the money cannot be counted.
    #[error("the outputs of the genesis add up to more than can be counted")]
    Overflow,
}

impl Genesis {
    /// Decodes and checks it.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidGenesis> {
        let genesis: Self = cbor::decode(bytes, GENESIS_BYTES)?;
        genesis.check()?;
        Ok(genesis)
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// The network that begins with it: the SHA-256 of its bytes.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        NetworkId::of_genesis(Hash::of(&self.encode()))
    }

    /// Whether it makes sense.
    pub fn check(&self) -> Result<(), InvalidGenesis> {
        self.configuration(&NetworkId::of_genesis(Hash::of(&[]))).check()?;
        for (index, output) in self.outputs.iter().enumerate() {
            if output.asset != Asset::COIN {
                return Err(InvalidGenesis::Token(index));
            }
            if output.amount.is_zero() || output.amount < self.currency.minimum {
                return Err(InvalidGenesis::Small(index));
            }
        }
        let amounts = self.outputs.iter().map(|output| output.amount);
        Amount::total(amounts).map(|_| ()).ok_or(InvalidGenesis::Overflow)
    }

    /// The validators of epoch 0.
    #[must_use]
    pub fn configuration(&self, network: &NetworkId) -> Configuration {
        Configuration {
            epoch: 0,
            members: self.members.clone(),
            governance: self.governance.clone(),
            previous: network.hash(),
        }
    }

    /// What one of its outputs is called. The genesis counts as a transaction whose id is the
    /// network's.
    #[must_use]
    pub fn outpoint(network: &NetworkId, index: u16) -> Outpoint {
        Outpoint { tx: TxId(network.hash()), index }
    }
}
