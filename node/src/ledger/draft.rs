//! A draft of the validators of the next epoch: what the present ones are asked to agree to, once enough
//! of governance has signed it. Who signs needs nothing but this file: it says who validates now and who
//! is to, and a signature over the one is worthless if the other is not true.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use covey_kernel::{Bounded, Keypair, NetworkId, PublicKey, Signature};
use covey_ledger::{
    Configuration, Governance, InvalidLink, Member, Placed, Proposal, limits::GENESIS_BYTES,
};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::members::{ConfigurationFile, WrongField, bounded, wrong};

/// Bytes of a file that is read.
const FILE_BYTES: u64 = GENESIS_BYTES as u64;

/// Why a file about the next validators cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not the JSON that it should be.
    #[error("{} is not {what}: {reason}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Where and why.
        reason: String,
    },
    /// One of its fields.
    #[error("the draft's {0}")]
    Field(#[from] WrongField),
    /// It does not follow what it says is now.
    #[error(
        "the draft does not fit together: {0}; make it again with `covey validator reconfigure draft`"
    )]
    Invalid(#[from] InvalidLink),
    /// It is signed by somebody else.
    #[error("the draft is signed by a key that is none of governance's: make it again")]
    Stranger,
    /// The key may not sign it.
    #[error("this key is none of governance's {keys} on this network: use a governance-N.key")]
    NotGovernance {
        /// Keys that governance has.
        keys: usize,
    },
}

/// A signature of governance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalFile {
    /// The key, in hexadecimal.
    pub key: String,
    /// Its signature over the network and the next configuration's id, in hexadecimal.
    pub signature: String,
}

/// A draft, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftFile {
    /// The network's id, in hexadecimal.
    pub network: String,
    /// Who validates now.
    pub present: ConfigurationFile,
    /// Who is to.
    pub next: ConfigurationFile,
    /// Who of governance has signed that.
    pub approvals: Vec<ApprovalFile>,
}

/// A draft that fits together. Signatures on it are not verified.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The network.
    pub network: NetworkId,
    /// Who validates now.
    pub present: Configuration,
    /// Who is to, and who of governance has signed that.
    pub proposal: Proposal,
}

/// Reads a file, or a pipe, unless it is too large.
fn read_some(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES.saturating_add(1)).read_to_end(&mut text)?;
    Ok(u64::try_from(text.len()).is_ok_and(|length| length <= FILE_BYTES).then_some(text))
}

/// Reads a small JSON file.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, DraftError> {
    let read = |source| DraftError::Read { path: path.into(), source };
    let malformed = |reason: String| DraftError::Malformed { path: path.into(), what, reason };
    let text = read_some(path).map_err(read)?;
    let text = text.ok_or_else(|| malformed(format!("it is larger than {FILE_BYTES} bytes")))?;
    serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))
}

/// Reads a key of governance, as `covey network new` wrote it.
pub fn governance_key(path: &Path) -> Result<Keypair, DraftError> {
    let read = |source| DraftError::Read { path: path.into(), source };
    let text = Zeroizing::new(read_some(path).map_err(read)?.unwrap_or_default());
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim_ascii()).ok().map(Zeroizing::new);
    let secret = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    let secret = secret.map(Zeroizing::new).ok_or_else(|| DraftError::Malformed {
        path: path.into(),
        what: "a key of governance",
        reason: "it does not hold 64 hexadecimal digits".into(),
    })?;
    Ok(Keypair::from_secret(&secret))
}

impl DraftFile {
    /// As JSON.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What it says.
    pub fn draft(&self) -> Result<Draft, DraftError> {
        let network: NetworkId = self.network.parse().map_err(wrong("network"))?;
        let present = self.present.configuration()?;
        let mut approvals = Vec::with_capacity(self.approvals.len());
        for approval in &self.approvals {
            approvals.push(approval.placed(&present)?);
        }
        approvals.sort_unstable_by_key(|approval| approval.place);
        let approvals = bounded("approvals", approvals)?;
        let configuration = self.next.configuration()?;
        let proposal = Proposal { configuration, approvals, acceptances: Bounded::default() };
        proposal.check_place(&network, &present)?;
        proposal.configuration.check().map_err(InvalidLink::from)?;
        Ok(Draft { network, present, proposal })
    }
}

impl ApprovalFile {
    fn placed(&self, present: &Configuration) -> Result<Placed, DraftError> {
        let keys = &present.governance.keys;
        let signer: PublicKey = self.key.parse().map_err(|_| DraftError::Stranger)?;
        let place = keys.iter().position(|key| *key == signer);
        let place = place.and_then(|place| u8::try_from(place).ok()).ok_or(DraftError::Stranger)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(self.signature.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or("it is not 128 hexadecimal digits").map_err(wrong("signature"))?;
        Ok(Placed { place, signature: Signature::from_bytes(bytes) })
    }
}

impl Draft {
    /// A draft that nobody has signed: these members follow, the present ones among them in their order
    /// and then the new ones; governance stays, unless another is given.
    pub fn after(
        network: NetworkId,
        present: Configuration,
        mut members: Vec<Member>,
        governance: Option<Governance>,
    ) -> Result<Self, DraftError> {
        members.sort_by_key(|member| present.place(&member.peer).unwrap_or(usize::MAX));
        let next = Configuration {
            epoch: present.epoch.saturating_add(1),
            members: bounded("validators", members)?,
            governance: governance.unwrap_or_else(|| present.governance.clone()),
            previous: present.id(&network),
        };
        next.check().map_err(InvalidLink::from)?;
        Ok(Self { network, present, proposal: Proposal::new(next) })
    }

    /// How it is written down.
    #[must_use]
    pub fn file(&self) -> DraftFile {
        let approvals = self.proposal.approvals.iter().filter_map(|approval| {
            let key = self.present.governance.keys.get(usize::from(approval.place))?;
            let signature = HEXLOWER.encode(approval.signature.as_bytes());
            Some(ApprovalFile { key: key.to_string(), signature })
        });
        DraftFile {
            network: self.network.to_string(),
            present: ConfigurationFile::of(&self.present),
            next: ConfigurationFile::of(&self.proposal.configuration),
            approvals: approvals.collect(),
        }
    }

    /// Signs it; whether the key had not signed before.
    pub fn sign(&mut self, key: &Keypair) -> Result<bool, DraftError> {
        let keys = &self.present.governance.keys;
        if !keys.contains(&key.public()) {
            return Err(DraftError::NotGovernance { keys: keys.len() });
        }
        Ok(self.proposal.approve(&self.network, &self.present, key))
    }
}
