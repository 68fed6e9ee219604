//! The genesis file: the beginning of a network, as JSON that people can read. The network's id is the
//! hash of what it says, not of how it is written, and stands in it, so that a change is noticed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use covey_kernel::{Bytes, NetworkId, Text};
use covey_ledger::{
    Amount, Asset, Currency, Decimals, Genesis, InvalidAddress, InvalidAmount, InvalidGenesis,
    InvalidPrefix, Output, Prefix, address_text,
    limits::{GENESIS_BYTES, UNIT_BYTES},
    parse_address,
};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};

use super::members::{GovernanceFile, MemberFile, WrongField, bounded, wrong};

/// Bytes of a file that is read: JSON takes some three times the room of what it says.
const FILE_BYTES: u64 = 4 * GENESIS_BYTES as u64;

/// Why a genesis file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// It cannot be read.
    #[error("cannot read the genesis file {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not the JSON that it should be.
    #[error("{} is no genesis file: {reason}; get it again from whoever runs the network", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// Its content is not that of the network that it names.
    #[error(
        "the genesis file says that it is network {named}, but what it says is network {found}: it was \
         changed; get it again from whoever runs the network"
    )]
    Changed {
        /// The id in the file.
        named: NetworkId,
        /// The hash of what it says.
        found: NetworkId,
    },
    /// What it says makes no sense.
    #[error("the genesis does not work: {0}")]
    Invalid(#[from] InvalidGenesis),
    /// One of its fields.
    #[error("the genesis's {0}")]
    Field(#[from] WrongField),
}

/// The money's name and rules.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyFile {
    /// What it is called.
    pub unit: String,
    /// Digits behind the point.
    pub decimals: u8,
    /// What addresses begin with.
    pub prefix: String,
    /// The smallest output.
    pub minimum: String,
    /// What each transaction pays.
    pub fee: String,
}

/// Money, and whose it is at first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputFile {
    /// Whose.
    pub address: String,
    /// How much.
    pub amount: String,
}

/// A genesis file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisFile {
    /// The hash of everything else.
    pub network: String,
    /// What people call the network.
    pub name: String,
    /// 16 random bytes in hexadecimal.
    pub nonce: String,
    /// Its money.
    pub currency: CurrencyFile,
    /// Its first validators.
    pub validators: Vec<MemberFile>,
    /// Who decides on later ones.
    pub governance: GovernanceFile,
    /// All the money there is.
    pub outputs: Vec<OutputFile>,
}

impl GenesisFile {
    /// How a genesis is written down.
    #[must_use]
    pub fn of(genesis: &Genesis) -> Self {
        let Currency { unit, decimals, prefix, minimum, fee } = &genesis.currency;
        Self {
            network: genesis.network().to_string(),
            name: genesis.name.to_string(),
            nonce: HEXLOWER_PERMISSIVE.encode(&genesis.nonce),
            currency: CurrencyFile {
                unit: unit.to_string(),
                decimals: decimals.get(),
                prefix: prefix.to_string(),
                minimum: decimals.format(*minimum),
                fee: decimals.format(*fee),
            },
            validators: genesis.members.iter().map(MemberFile::of).collect(),
            governance: GovernanceFile::of(&genesis.governance),
            outputs: genesis.outputs.iter().map(|output| output_file(genesis, output)).collect(),
        }
    }

    /// Reads a file, and checks all of it.
    pub fn read(path: &Path) -> Result<Genesis, GenesisError> {
        let read = |source| GenesisError::Read { path: path.into(), source };
        let malformed = |reason: String| GenesisError::Malformed { path: path.into(), reason };
        if fs::metadata(path).map_err(read)?.len() > FILE_BYTES {
            return Err(malformed(format!("it is larger than {FILE_BYTES} bytes")));
        }
        let text = fs::read(path).map_err(read)?;
        let file: Self =
            serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        file.genesis()
    }

    /// As JSON.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What it says.
    pub fn genesis(&self) -> Result<Genesis, GenesisError> {
        let named: NetworkId = self.network.parse().map_err(wrong("network"))?;
        let currency = self.currency()?;
        let outputs = self.outputs.iter().enumerate();
        let outputs = outputs.map(|(index, file)| output(&currency, index, file));
        let members = self.validators.iter().map(MemberFile::member);
        let genesis = Genesis {
            name: Text::new(self.name.clone()).map_err(wrong("name"))?,
            nonce: nonce(&self.nonce)?,
            outputs: bounded("outputs", outputs.collect::<Result<_, WrongField>>()?)?,
            members: bounded("validators", members.collect::<Result<_, WrongField>>()?)?,
            governance: self.governance.governance()?,
            currency,
        };
        genesis.check()?;
        let found = genesis.network();
        if found != named {
            return Err(GenesisError::Changed { named, found });
        }
        Ok(genesis)
    }

    fn currency(&self) -> Result<Currency, WrongField> {
        let file = &self.currency;
        let decimals = Decimals::new(file.decimals);
        let decimals = decimals.ok_or("at most 18").map_err(wrong("decimals"))?;
        let amount = |name: &str, text: &str| -> Result<Amount, WrongField> {
            decimals.parse(text).map_err(|why: InvalidAmount| wrong(name)(why))
        };
        let prefix: Result<Prefix, InvalidPrefix> = Prefix::new(&file.prefix);
        Ok(Currency {
            unit: Text::<UNIT_BYTES>::new(file.unit.clone()).map_err(wrong("unit"))?,
            decimals,
            prefix: prefix.map_err(wrong("prefix"))?,
            minimum: amount("minimum", &file.minimum)?,
            fee: amount("fee", &file.fee)?,
        })
    }
}

fn nonce(text: &str) -> Result<Bytes<16>, WrongField> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(wrong("nonce"))?;
    Bytes::new(bytes).map_err(wrong("nonce"))
}

fn output(currency: &Currency, index: usize, file: &OutputFile) -> Result<Output, WrongField> {
    let field = |name: &str| format!("{name} of the output {index}");
    let address = parse_address(&currency.prefix, &file.address);
    let amount = currency.decimals.parse(&file.amount);
    Ok(Output {
        address: address.map_err(wrong::<InvalidAddress>(field("address")))?,
        amount: amount.map_err(wrong::<InvalidAmount>(field("amount")))?,
        asset: Asset::COIN,
        commitment: None,
    })
}

fn output_file(genesis: &Genesis, output: &Output) -> OutputFile {
    OutputFile {
        address: address_text(&genesis.currency.prefix, &output.address),
        amount: genesis.currency.decimals.format(output.amount),
    }
}
