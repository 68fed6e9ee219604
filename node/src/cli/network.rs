//! `network`: beginning a network with a ledger.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use covey_kernel::Text;
use covey_ledger::{
    Amount, Currency, Decimals, Genesis, Prefix, limits::VALIDATORS, parse_address, quorum,
};
use libp2p::Multiaddr;

use super::{Failure, Global, print};
use crate::{
    ledger::{Founding, GENESIS_NAME, GenesisFile, NewNetwork, Place, TREASURY_NAME},
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

fn place(text: &str) -> Result<Place, String> {
    let (name, address) = text.split_once('=').ok_or("write it as NAME=IP:PORT")?;
    let at = address.parse().map_err(|_| "after = stands an IP address with a port")?;
    Ok(Place { name: name.trim().to_owned(), at })
}

pub(super) fn run(global: &Global, network: Network) -> Result<(), Failure> {
    match network {
        Network::New(new) => begin(global, &new),
        Network::Show { file } => show(global, &file),
    }
}

fn begin(global: &Global, new: &New) -> Result<(), Failure> {
    let network = new.founding()?.found(&mut rand::rng()).map_err(Failure::usage)?;
    network.write(&new.out).map_err(|error| Failure::Checked(error.to_string()))?;
    report(global, new, &network)
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
            Ok(Place { name, at: SocketAddr::from(([127, 0, 0, 1], port)) })
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

    fn founding(&self) -> Result<Founding, Failure> {
        let currency = self.currency()?;
        let supply = currency.decimals.parse(&self.supply).map_err(usage("--supply"))?;
        let funds = self.fund.iter().map(|text| {
            let (address, amount) = text
                .split_once('=')
                .ok_or_else(|| Failure::Usage("write --fund as ADDRESS=AMOUNT".into()))?;
            let address = parse_address(&currency.prefix, address).map_err(usage("--fund"))?;
            Ok((address, currency.decimals.parse(amount).map_err(usage("--fund"))?))
        });
        let funds = funds.collect::<Result<_, Failure>>()?;
        let places = self.places()?;
        Ok(Founding { name: self.name.clone(), currency, supply, funds, places })
    }
}

/// The letters of a name, if they make a prefix.
fn prefix_of(name: &str) -> String {
    let letters: String =
        name.to_lowercase().chars().filter(char::is_ascii_lowercase).take(8).collect();
    if Prefix::new(&letters).is_ok() { letters } else { "covey".into() }
}

fn report(global: &Global, new: &New, network: &NewNetwork) -> Result<(), Failure> {
    let genesis = &network.genesis;
    let (validators, treasury) = (network.validators.len(), network.treasury.is_some());
    let out = new.out.display();
    let shown = serde_json::json!({
        "network": genesis.network().to_string(),
        "name": genesis.name.to_string(),
        "genesis": new.out.join(GENESIS_NAME),
        "validators": validators,
        "quorum": quorum(validators),
        "treasury": treasury.then(|| new.out.join(TREASURY_NAME)),
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
