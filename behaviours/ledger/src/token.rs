//! Tokens: assets other than the network's coin. All of a token comes into being at once, by one
//! transaction that its issuer signs.

use covey_kernel::{Hasher, NetworkId, PublicKey, Text, cbor, record};

use crate::{
    amount::{Amount, Decimals},
    limits::NAME_BYTES,
    output::{Asset, AssetId, Outpoint, Output, TxId},
};

record! {
    /// What a token is. It is never changed: its hash is the token's id.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Manifest {
        /// Who issues it.
        pub issuer: PublicKey,
        /// What it is called. Names are not unique, ids are.
        pub name: Text<NAME_BYTES>,
        /// How many units there will ever be.
        pub amount: Amount,
        /// How many of a unit's digits stand behind the point when it is shown.
        pub decimals: Decimals,
    }
}

impl Manifest {
    /// The token's id on a network.
    #[must_use]
    pub fn id(&self, network: &NetworkId) -> AssetId {
        let hasher = Hasher::new("covey/ledger/asset/v1").field(network.as_bytes());
        AssetId(hasher.field(&cbor::encode(self)).finish())
    }

    /// What issuing spends: an output that exists from the beginning, and is spent once like any
    /// other, so a token is issued once.
    #[must_use]
    pub fn issue(&self, network: &NetworkId) -> (Outpoint, Output) {
        let id = self.id(network);
        let output = Output {
            address: self.issuer,
            amount: self.amount,
            asset: Asset(Some(id)),
            commitment: None,
        };
        (Outpoint { tx: TxId(id.0), index: 0 }, output)
    }
}
