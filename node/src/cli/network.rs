//! `network`: beginning a network with a ledger.

use std::{
    fs::{self, DirBuilder, File},
    io::Write as _,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use covey_kernel::{Bounded, Bytes, Keypair, PublicKey, Text};
use covey_ledger::{
    Amount, Asset, Branch, Currency, Decimals, Genesis, Governance, KeyTree, Member, Output,
    Phrase, Prefix, limits::VALIDATORS, parse_address, quorum,
};
use data_encoding::HEXLOWER;
use libp2p::{Multiaddr, multiaddr::Protocol};

use super::{Failure, Global, print};
use crate::{
    ledger::{GenesisFile, ValidatorFile},
    node::peer_id,
};

#[derive(Debug, Subcommand)]
pub(super) enum Network {
    /// Begin a network: write its genesis file, and a key file for each validator
    #[command(after_help = "Examples:
  covey network new club --out club --validators 4 --supply 1000000
  covey network new club --out club --validator ann=192.0.2.1:4100 --validator bob=192.0.2.2:4100 …

Then, on each validator's machine:
  covey init --data v1 --network club/genesis.json --validator club/validator-1.key
and on everybody else's:
  covey init --data ann --network club/genesis.json")]
    New(Box<New>),
    /// Show what a genesis file says, after checking it
    #[command(after_help = "Example: covey network show club/genesis.json")]
    Show {
        /// The genesis file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// What people call the network
    name: String,
    /// Where to write the files: a folder that does not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many validators, all on this machine, at ports from --port on
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "validator",
        required_unless_present = "validator"
    )]
    validators: Option<usize>,
    /// A validator's name, IP address and port, as in ann=192.0.2.1:4100; once for each
    #[arg(long, value_name = "NAME=IP:PORT", value_parser = place)]
    validator: Vec<Place>,
    /// The first validator's port, with --validators
    #[arg(long, default_value_t = 4100)]
    port: u16,
    /// What the money is called
    #[arg(long, default_value = "coin")]
    unit: String,
    /// Digits behind the point
    #[arg(long, default_value_t = 2)]
    decimals: u8,
    /// All the money there will ever be, owned by the phrase in treasury.phrase; less what --fund gives
    #[arg(long, default_value = "1000000")]
    supply: String,
    /// Money for an address of another wallet, as in ADDRESS=100.00; any number of times
    #[arg(long, value_name = "ADDRESS=AMOUNT")]
    fund: Vec<String>,
    /// The smallest output [default: the smallest amount there is]
    #[arg(long)]
    minimum: Option<String>,
    /// What each payment pays; it is burned
    #[arg(long, default_value = "0")]
    fee: String,
    /// What addresses begin with [default: made of the network's name]
    #[arg(long)]
    prefix: Option<String>,
}

/// Where a validator is.
#[derive(Debug, Clone)]
struct Place {
    name: String,
    ip: IpAddr,
    port: u16,
}

fn place(text: &str) -> Result<Place, String> {
    let (name, address) = text.split_once('=').ok_or("write it as NAME=IP:PORT")?;
    let address: std::net::SocketAddr =
        address.parse().map_err(|_| "after = stands an IP address with a port")?;
    Ok(Place { name: name.trim().to_owned(), ip: address.ip(), port: address.port() })
}

/// The secrets of a new network.
struct Secrets {
    validators: Vec<(ValidatorFile, Member)>,
    governors: Vec<Keypair>,
    treasury: Phrase,
}

pub(super) fn run(global: &Global, network: Network) -> Result<(), Failure> {
    match network {
        Network::New(new) => begin(global, &new),
        Network::Show { file } => show(global, &file),
    }
}

fn begin(global: &Global, new: &New) -> Result<(), Failure> {
    let places = new.places()?;
    let currency = new.currency()?;
    let secrets = secrets(&places)?;
    let outputs = new.outputs(&currency, &secrets.treasury)?;
    let treasury = outputs.iter().any(|(_, ours)| *ours);
    let governors = secrets.governors.iter().map(Keypair::public).collect();
    let members = secrets.validators.iter().map(|(_, member)| member.clone()).collect();
    let threshold = u8::try_from(quorum(places.len())).unwrap_or(u8::MAX);
    let genesis = Genesis {
        name: Text::new(new.name.trim()).map_err(usage("the name"))?,
        nonce: Bytes::new(rand::random::<[u8; 16]>().to_vec()).unwrap_or_default(),
        currency,
        members: Bounded::new(members).map_err(usage("the validators"))?,
        governance: Governance {
            threshold,
            keys: Bounded::new(governors).map_err(usage("the governance keys"))?,
        },
        outputs: Bounded::new(outputs.into_iter().map(|(output, _)| output).collect())
            .map_err(usage("the outputs"))?,
    };
    genesis.check().map_err(|error| Failure::Usage(error.to_string()))?;
    write_all(&new.out, &genesis, &secrets, treasury)?;
    report(global, new, &genesis, places.len(), treasury)
}

fn usage<E: ToString>(what: &str) -> impl FnOnce(E) -> Failure {
    let what = what.to_owned();
    move |error| Failure::Usage(format!("{what}: {}", error.to_string()))
}

impl New {
    fn places(&self) -> Result<Vec<Place>, Failure> {
        if !self.validator.is_empty() {
            return Ok(self.validator.clone());
        }
        let count = self.validators.unwrap_or_default();
        if count == 0 || count > VALIDATORS {
            return Err(Failure::Usage(format!("a network has from 1 to {VALIDATORS} validators")));
        }
        let number = |index: usize| u16::try_from(index).ok();
        let places = (0..count).map(|index| {
            let port = number(index).and_then(|index| self.port.checked_add(index));
            let port = port.ok_or_else(|| Failure::Usage("a port is at most 65535".into()))?;
            let name = format!("v{}", index.saturating_add(1));
            Ok(Place { name, ip: IpAddr::from([127, 0, 0, 1]), port })
        });
        places.collect()
    }

    fn currency(&self) -> Result<Currency, Failure> {
        let decimals = Decimals::new(self.decimals);
        let decimals = decimals.ok_or("at most 18").map_err(usage("--decimals"))?;
        let minimum = match &self.minimum {
            Some(text) => decimals.parse(text).map_err(usage("--minimum"))?,
            None => Amount::new(1),
        };
        let prefix = self.prefix.clone().unwrap_or_else(|| prefix_of(&self.name));
        Ok(Currency {
            unit: Text::new(self.unit.trim()).map_err(usage("--unit"))?,
            decimals,
            prefix: Prefix::new(&prefix).map_err(usage("--prefix"))?,
            minimum,
            fee: decimals.parse(&self.fee).map_err(usage("--fee"))?,
        })
    }

    /// All the money; whether each is the treasury's.
    fn outputs(
        &self,
        currency: &Currency,
        treasury: &Phrase,
    ) -> Result<Vec<(Output, bool)>, Failure> {
        let mut left = currency.decimals.parse(&self.supply).map_err(usage("--supply"))?;
        let mut outputs = Vec::new();
        for text in &self.fund {
            let (address, amount) = text
                .split_once('=')
                .ok_or_else(|| Failure::Usage("write --fund as ADDRESS=AMOUNT".into()))?;
            let address = parse_address(&currency.prefix, address).map_err(usage("--fund"))?;
            let amount = currency.decimals.parse(amount).map_err(usage("--fund"))?;
            left = left
                .checked_sub(amount)
                .ok_or_else(|| Failure::Usage("--fund gives away more than --supply".into()))?;
            outputs.push((output(address, amount), false));
        }
        if !left.is_zero() {
            let first = KeyTree::new(treasury).key(Branch::Own, 0);
            let first = first.ok_or_else(|| Failure::Checked("no first key".into()))?;
            outputs.push((output(first.public(), left), true));
        }
        Ok(outputs)
    }
}

fn output(address: PublicKey, amount: Amount) -> Output {
    Output { address, amount, asset: Asset::COIN, commitment: None }
}

/// The letters of a name, if they make a prefix.
fn prefix_of(name: &str) -> String {
    let letters: String = name.to_lowercase().chars().filter(char::is_ascii_lowercase).take(8).collect();
    if Prefix::new(&letters).is_ok() { letters } else { "covey".into() }
}

fn secrets(places: &[Place]) -> Result<Secrets, Failure> {
    let mut rng = rand::rng();
    let mut validators = Vec::new();
    let mut governors = Vec::new();
    for place in places {
        let (node, vote) = (Keypair::generate(&mut rng), Keypair::generate(&mut rng));
        let addresses = [
            Multiaddr::from(place.ip).with(Protocol::Udp(place.port)).with(Protocol::QuicV1),
            Multiaddr::from(place.ip).with(Protocol::Tcp(place.port)),
        ];
        let addresses = addresses.iter().filter_map(|address| Bytes::new(address.to_vec()).ok());
        let member = Member {
            name: Text::new(place.name.clone()).map_err(usage("a validator's name"))?,
            peer: node.public(),
            vote: vote.public(),
            addresses: Bounded::first(addresses),
        };
        validators.push((ValidatorFile::new(&place.name, &node, &vote, Some(place.port)), member));
        governors.push(Keypair::generate(&mut rng));
    }
    // Each validator's operator has a say. More than there may be keys share the first ones.
    governors.truncate(covey_ledger::limits::GOVERNORS);
    Ok(Secrets { validators, governors, treasury: Phrase::generate(&mut rng) })
}

/// Writes everything into a new folder that only its owner can enter.
fn write_all(
    out: &Path,
    genesis: &Genesis,
    secrets: &Secrets,
    treasury: bool,
) -> Result<(), Failure> {
    let made = DirBuilder::new().mode(0o700).create(out);
    made.map_err(|source| Failure::Io {
        what: format!("cannot make the folder {}, which must not exist yet", out.display()),
        source,
    })?;
    let file = |name: &str, text: &str, mode| write(&out.join(name), text, mode);
    for (index, (validator, _)) in secrets.validators.iter().enumerate() {
        let name = format!("validator-{}.key", index.saturating_add(1));
        file(&name, &validator.text(), 0o600)?;
    }
    for (index, governor) in secrets.governors.iter().enumerate() {
        let name = format!("governance-{}.key", index.saturating_add(1));
        let secret = HEXLOWER.encode(governor.secret().as_ref());
        file(&name, &format!("{secret}\n"), 0o600)?;
    }
    if treasury {
        let words = secrets.treasury.words();
        file("treasury.phrase", &format!("{}\n", words.as_str()), 0o600)?;
    }
    // Last: who finds it finds everything.
    file("genesis.json", &GenesisFile::of(genesis).text(), 0o644)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let opened = File::options().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(Failure::io(format!("cannot write {}", path.display())))
}

fn report(
    global: &Global,
    new: &New,
    genesis: &Genesis,
    validators: usize,
    treasury: bool,
) -> Result<(), Failure> {
    let out = new.out.display();
    let shown = serde_json::json!({
        "network": genesis.network().to_string(),
        "name": genesis.name.to_string(),
        "genesis": new.out.join("genesis.json"),
        "validators": validators,
        "quorum": quorum(validators),
        "treasury": treasury.then(|| new.out.join("treasury.phrase")),
    });
    print::either(global.json, &shown, |_| {
        let money = if treasury {
            format!(
                "\n  treasury.phrase     the words that own the money: covey pay phrase restore {out}/treasury.phrase --alone"
            )
        } else {
            String::new()
        };
        format!(
            "{} begins: {validators} validators, {} of them make a payment final\n  \
             network             {}\n  \
             genesis.json        for everybody: covey init --network {out}/genesis.json\n  \
             validator-N.key     for one validator each: covey init --network {out}/genesis.json \
             --validator {out}/validator-1.key\n  \
             governance-N.key    for those who may replace validators, {} of {}{money}\n\
             All but genesis.json are secret: move each to whom it is for.",
            &*genesis.name,
            quorum(validators),
            genesis.network(),
            genesis.governance.threshold,
            genesis.governance.keys.len(),
        )
    })
}

fn show(global: &Global, path: &Path) -> Result<(), Failure> {
    let genesis = GenesisFile::read(path).map_err(crate::node::NodeError::from)?;
    print::either(global.json, &GenesisFile::of(&genesis), |_| text_of(&genesis))
}

fn text_of(genesis: &Genesis) -> String {
    let Currency { unit, decimals, prefix, minimum, fee } = &genesis.currency;
    let members = genesis.members.iter().map(|member| {
        let addresses = member.addresses.iter();
        let addresses = addresses.filter_map(|address| Multiaddr::try_from(address.to_vec()).ok());
        let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
        format!("\n    {:<10} {}  {}", &*member.name, peer_id(&member.peer), addresses.join(" "))
    });
    let supply = Amount::total(genesis.outputs.iter().map(|output| output.amount));
    format!(
        "{}\n  network     {}\n  money       {} {} in {} outputs\n  addresses   {prefix}1…\n  \
         smallest    {} {}\n  fee         {} {}\n  governance  {} of {} keys\n  validators  {} of {} make \
         a payment final{}",
        &*genesis.name,
        genesis.network(),
        decimals.format(supply.unwrap_or(Amount::ZERO)),
        &**unit,
        genesis.outputs.len(),
        decimals.format(*minimum),
        &**unit,
        decimals.format(*fee),
        &**unit,
        genesis.governance.threshold,
        genesis.governance.keys.len(),
        quorum(genesis.members.len()),
        genesis.members.len(),
        members.collect::<String>(),
    )
}

/// Copies a genesis into a data directory, after checking it.
pub(super) fn adopt(from: &Path, to: &Path) -> Result<Genesis, Failure> {
    let genesis = GenesisFile::read(from).map_err(crate::node::NodeError::from)?;
    let text = GenesisFile::of(&genesis).text();
    if let Ok(before) = fs::read_to_string(to) {
        return if before == text {
            Ok(genesis)
        } else {
            Err(Failure::Usage(format!(
                "{} is set up for another network: choose another data directory with --data DIR",
                to.parent().unwrap_or(to).display()
            )))
        };
    }
    write(to, &text, 0o644)?;
    Ok(genesis)
}
