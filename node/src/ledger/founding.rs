//! Beginning a network: its genesis, and the secrets of those who will run it.

use std::{
    fs::{DirBuilder, File},
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use covey_kernel::{Bounded, Bytes, CryptoRng, Keypair, PublicKey, Text, TooLong};
use covey_ledger::{
    Amount, Asset, Branch, Currency, Genesis, Governance, InvalidGenesis, KeyTree, Member, Output,
    Phrase, limits::GOVERNORS, quorum,
};
use data_encoding::HEXLOWER;
use libp2p::{Multiaddr, multiaddr::Protocol};

use super::{GenesisFile, ValidatorFile};

/// The genesis file among those of a new network.
pub const GENESIS_NAME: &str = "genesis.json";
/// The words that own the money that nobody was given.
pub const TREASURY_NAME: &str = "treasury.phrase";

/// Why a network cannot begin so.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// Something is too long, or there are too many.
    #[error("{what}: {why}")]
    TooLong {
        /// What.
        what: &'static str,
        /// By how much.
        why: TooLong,
    },
    /// More is given away than there is.
    #[error("--fund gives away more than --supply")]
    Overspent,
    /// It makes no sense.
    #[error(transparent)]
    Invalid(#[from] InvalidGenesis),
    /// A file or the folder cannot be written.
    #[error("cannot write {}, which must not exist yet: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn too_long(what: &'static str) -> impl Fn(TooLong) -> FoundingError {
    move |why| FoundingError::TooLong { what, why }
}

/// Where a validator will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it is called.
    pub name: String,
    /// Where others look for it, by QUIC and TCP.
    pub at: SocketAddr,
}

/// What a new network is to be.
#[derive(Debug, Clone)]
pub struct Founding {
    /// What people call it.
    pub name: String,
    /// Its money.
    pub currency: Currency,
    /// All of it.
    pub supply: Amount,
    /// Who has some of it from the beginning. The rest is the treasury's.
    pub funds: Vec<(PublicKey, Amount)>,
    /// Its validators.
    pub places: Vec<Place>,
}

/// A new network, with all its secrets.
pub struct NewNetwork {
    /// How it begins.
    pub genesis: Genesis,
    /// A key file for each validator.
    pub validators: Vec<ValidatorFile>,
    /// The keys that decide on new validators.
    pub governors: Vec<Keypair>,
    /// The words that own what nobody was given, if anything.
    pub treasury: Option<Phrase>,
}

impl Founding {
    /// Makes the keys.
    pub fn found(self, rng: &mut dyn CryptoRng) -> Result<NewNetwork, FoundingError> {
        let treasury = Phrase::generate(rng);
        let (outputs, left) = self.outputs(&treasury)?;
        let mut validators = Vec::new();
        let mut members = Vec::new();
        for place in &self.places {
            let (file, member) = validator(place, rng)?;
            validators.push(file);
            members.push(member);
        }
        // Each validator's operator has a say, as far as there may be keys.
        let governors: Vec<Keypair> =
            self.places.iter().take(GOVERNORS).map(|_| Keypair::generate(rng)).collect();
        let mut nonce = vec![0; 16];
        rng.fill_bytes(&mut nonce);
        let genesis = Genesis {
            name: Text::new(self.name.trim()).map_err(too_long("the name"))?,
            nonce: Bytes::new(nonce).map_err(too_long("the nonce"))?,
            currency: self.currency,
            members: Bounded::new(members).map_err(too_long("validators"))?,
            governance: Governance {
                threshold: u8::try_from(quorum(governors.len())).unwrap_or(u8::MAX),
                keys: Bounded::first(governors.iter().map(Keypair::public)),
            },
            outputs: Bounded::new(outputs).map_err(too_long("outputs"))?,
        };
        genesis.check()?;
        Ok(NewNetwork { genesis, validators, governors, treasury: left.then_some(treasury) })
    }

    /// All the money; whether some of it is the treasury's.
    fn outputs(&self, treasury: &Phrase) -> Result<(Vec<Output>, bool), FoundingError> {
        let mut left = self.supply;
        let mut outputs = Vec::new();
        for (address, amount) in &self.funds {
            left = left.checked_sub(*amount).ok_or(FoundingError::Overspent)?;
            outputs.push(output(*address, *amount));
        }
        let first = KeyTree::new(treasury).key(Branch::Own, 0);
        if let Some(first) = first.filter(|_| !left.is_zero()) {
            outputs.push(output(first.public(), left));
        }
        Ok((outputs, !left.is_zero()))
    }
}

fn output(address: PublicKey, amount: Amount) -> Output {
    Output { address, amount, asset: Asset::COIN, commitment: None }
}

/// The addresses of a node that listens at a port, by QUIC and TCP.
#[must_use]
pub fn addresses_at(at: SocketAddr) -> [Multiaddr; 2] {
    [
        Multiaddr::from(at.ip()).with(Protocol::Udp(at.port())).with(Protocol::QuicV1),
        Multiaddr::from(at.ip()).with(Protocol::Tcp(at.port())),
    ]
}

fn validator(
    place: &Place,
    rng: &mut dyn CryptoRng,
) -> Result<(ValidatorFile, Member), FoundingError> {
    let (node, vote) = (Keypair::generate(rng), Keypair::generate(rng));
    let Place { name, at } = place;
    let addresses = addresses_at(*at);
    let addresses = addresses.iter().filter_map(|address| Bytes::new(address.to_vec()).ok());
    let member = Member {
        name: Text::new(name.clone()).map_err(too_long("a validator's name"))?,
        peer: node.public(),
        vote: vote.public(),
        addresses: Bounded::first(addresses),
    };
    Ok((ValidatorFile::new(name, &node, &vote, Some(at.port())), member))
}

impl NewNetwork {
    /// Writes everything into a new folder that only its owner can enter.
    pub fn write(&self, out: &Path) -> Result<(), FoundingError> {
        let made = DirBuilder::new().mode(0o700).create(out);
        made.map_err(|source| FoundingError::Write { path: out.into(), source })?;
        for (number, validator) in (1usize..).zip(&self.validators) {
            write(&out.join(validator_name(number)), &validator.text(), 0o600)?;
        }
        for (number, governor) in (1usize..).zip(&self.governors) {
            let secret = HEXLOWER.encode(governor.secret().as_ref());
            let path = out.join(governance_name(number));
            write(&path, &format!("{secret}\n"), 0o600)?;
        }
        if let Some(treasury) = &self.treasury {
            let words = treasury.words();
            write(&out.join(TREASURY_NAME), &format!("{}\n", words.as_str()), 0o600)?;
        }
        // Last: who finds it finds everything.
        write(&out.join(GENESIS_NAME), &GenesisFile::of(&self.genesis).text(), 0o644)
    }
}

/// What a validator's key file is called, counted from 1.
#[must_use]
pub fn validator_name(number: usize) -> String {
    format!("validator-{number}.key")
}

/// What a governance key's file is called, counted from 1.
#[must_use]
pub fn governance_name(number: usize) -> String {
    format!("governance-{number}.key")
}

pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), FoundingError> {
    let opened = File::options().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| FoundingError::Write { path: path.into(), source })
}
