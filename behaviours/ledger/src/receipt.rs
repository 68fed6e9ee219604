//! A payment as it is handed to its payee: a text for a file, a message or a QR code, which can be
//! checked without asking anybody.

use std::{fmt, str::FromStr};

use covey_kernel::{Bounded, NetworkId, cbor, record};
use data_encoding::BASE32_NOPAD;

use crate::{
    chain::Network,
    limits::{RECEIPT_BYTES, RECEIPT_LINKS},
    output::{Outpoint, Output},
    proof::Paid,
    reason::Reason,
    reconfigure::{InvalidLink, Link},
    vote::KnownBallots,
};

/// What the text begins with.
const SCHEME: &str = "covey-payment:";

record! {
    /// Shows that somebody was paid.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Receipt {
        /// On which network.
        pub network: NetworkId,
        /// The configurations after the genesis, as far as the payer knows them.
        pub links: Bounded<Link, RECEIPT_LINKS>,
        /// The output, and that it is final.
        pub paid: Paid,
    }
}

/// Why a receipt shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReceipt {
    /// The text is none.
    #[error("this is no payment: it begins with {SCHEME} and is as `covey pay proof` prints it")]
    Malformed,
    /// It is of another network.
    #[error("this payment is on network {found}, not on this one, {wanted}")]
    OtherNetwork {
        /// The receipt's.
        found: NetworkId,
        /// The own one.
        wanted: NetworkId,
    },
    /// Its configurations do not follow the genesis.
    #[error("this payment shows no chain of validators from the network's beginning: {0}")]
    Chain(#[from] InvalidLink),
    /// It is wrong.
    #[error("this payment is not valid: {0}")]
    Invalid(#[from] Reason),
}

/// What a valid receipt shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The output's name.
    pub outpoint: Outpoint,
    /// To whom, how much, of what.
    pub output: Output,
    /// The epoch whose validators have signed.
    pub epoch: u64,
    /// The newest epoch that is known here, or shown. A payment of an earlier one should be refreshed
    /// before it is taken offline.
    pub newest: u64,
    /// The names of the validators who have signed.
    pub signers: Vec<String>,
}

impl Receipt {
    /// What is known of the network, and what the receipt adds to it.
    pub fn follow(&self, network: &Network) -> Result<Network, InvalidReceipt> {
        if self.network != network.id {
            return Err(InvalidReceipt::OtherNetwork { found: self.network, wanted: network.id });
        }
        let mut network = network.clone();
        for link in self.links.iter() {
            network.follow(link)?;
        }
        Ok(network)
    }

    /// Checks all of it, with what is known of the network; the genesis alone is enough.
    pub fn verify(&self, network: &Network) -> Result<Shown, InvalidReceipt> {
        let network = &self.follow(network)?;
        let outpoint = self.paid.outpoint(network)?;
        let signed = self.paid.signed(network, &outpoint.tx)?;
        if !KnownBallots::default().verify(&signed).iter().all(|right| *right) {
            return Err(Reason::VoteSignature.into());
        }
        let epoch = self.paid.certificate.epoch;
        let configuration = network.configuration(epoch).ok_or(Reason::CertificateEpoch)?;
        let named = |place: usize| configuration.members.get(place);
        let signers = self.paid.certificate.places().filter_map(named);
        Ok(Shown {
            outpoint,
            output: self.paid.salted.output.clone(),
            epoch,
            newest: network.newest().epoch,
            signers: signers.map(|member| member.name.to_string()).collect(),
        })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = BASE32_NOPAD.encode(&cbor::encode(self)).to_ascii_lowercase();
        write!(f, "{SCHEME}{text}")
    }
}

impl FromStr for Receipt {
    type Err = InvalidReceipt;

    /// Spaces and line ends are passed over: mail programs break lines.
    fn from_str(text: &str) -> Result<Self, InvalidReceipt> {
        if text.len() > RECEIPT_BYTES.saturating_mul(2) {
            return Err(InvalidReceipt::Malformed);
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.to_ascii_uppercase();
        let text = text.strip_prefix(&SCHEME.to_ascii_uppercase());
        let text = text.ok_or(InvalidReceipt::Malformed)?;
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidReceipt::Malformed)?;
        cbor::decode(&bytes, RECEIPT_BYTES).map_err(|_| InvalidReceipt::Malformed)
    }
}
