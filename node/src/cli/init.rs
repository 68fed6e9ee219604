//! Setting up a data directory: its key, and a settings file with a name and a port that stays.

use std::{
    fs,
    net::{Ipv4Addr, UdpSocket},
    path::{Path, PathBuf},
};

use clap::Args;

use covey_ledger::Genesis;

use super::{Failure, Global, print};
use crate::{
    config::{self, DisplayName},
    datadir::{DataDir, settings_path},
    ledger,
    node::peer_id,
};

#[derive(Debug, Clone, Args)]
pub(super) struct Init {
    /// How you want to be called
    #[arg(long)]
    name: Option<String>,
    /// The port for QUIC and TCP [default: a free one]
    #[arg(long)]
    port: Option<u16>,
    /// The network to join: its name, or the genesis file of one with a ledger
    #[arg(long, value_name = "NAME|GENESIS", default_value = "open")]
    network: String,
    /// Be a validator of that network: its key file, as `covey network new` wrote it
    #[arg(long, value_name = "KEYFILE")]
    validator: Option<PathBuf>,
    /// Be ready to become a validator of that network, see `covey validator reconfigure`
    #[arg(long, conflicts_with = "validator")]
    candidate: bool,
}

impl Init {
    /// What `start` uses on a data directory that is not set up.
    pub(super) fn fresh() -> Self {
        Self { name: None, port: None, network: "open".into(), validator: None, candidate: false }
    }
}

pub(super) fn run(global: &Global, init: &Init) -> Result<(), Failure> {
    let path = global.data()?;
    let data = DataDir::open(&path)?;
    let (init, genesis) = init.founded(&data)?;
    let made = set_up(&data, &init)?;
    let key = data.key(&mut rand::rng())?;
    let shown = serde_json::json!({
        "data": data.path(),
        "created": made,
        "peer_id": peer_id(&key.public()),
        "settings": settings_path(data.path()),
        "network": genesis.as_ref().map(|genesis| genesis.network().to_string()),
        "validator": init.validator.is_some(),
        "candidate": init.candidate,
    });
    print::either(global.json, &shown, |_| {
        let path = path.display();
        let candidate = if init.candidate {
            "\n  candidate ready to become a validator: see covey validator reconfigure"
        } else {
            ""
        };
        let copied = init.validator.as_ref().map(|key| {
            format!(
                "\n  validator the key is copied: delete {}, so that no second node votes with it",
                key.display()
            )
        });
        let done = if made { "is set up" } else { "was set up before: its settings stay" };
        let network = genesis.as_ref().map(|genesis| {
            format!("\n  network   {} ({})", &*genesis.name, genesis.network().short())
        });
        format!(
            "{path} {done}\n  node      {}\n  settings  {}{}{}{candidate}\nRun the node with: covey start --data {path}",
            peer_id(&key.public()),
            settings_path(data.path()).display(),
            network.unwrap_or_default(),
            copied.unwrap_or_default(),
        )
    })
}

impl Init {
    /// Reads the genesis and the validator's key, if any, and copies them into the data directory.
    fn founded(&self, data: &DataDir) -> Result<(Self, Option<Genesis>), Failure> {
        let file = Path::new(&self.network);
        let is_file =
            file.is_file() || self.network.ends_with(".json") || self.network.contains('/');
        if !is_file && (self.validator.is_some() || self.candidate) {
            return Err(Failure::Usage(
                "a validator needs the network's genesis: add --network GENESIS".into(),
            ));
        }
        if !is_file {
            return Ok((self.clone(), None));
        }
        let genesis = ledger::adopt(file, data)?;
        let mut init = Self { network: genesis.name.to_string(), ..self.clone() };
        if let Some(path) = &self.validator {
            let keys = ledger::validate(path, &genesis, data)?;
            init.port = init.port.or(keys.port);
            init.name = init.name.or_else(|| Some(keys.validator.clone()));
        }
        if self.candidate {
            ledger::stand(data)?;
        }
        Ok((init, Some(genesis)))
    }
}

/// Writes the settings file if there is none; whether it did.
pub(super) fn set_up(data: &DataDir, init: &Init) -> Result<bool, Failure> {
    let settings = settings_path(data.path());
    if settings.exists() {
        return Ok(false);
    }
    let text = settings_text(init)?;
    write_new(&settings, &text)?;
    // A name or network that cannot be used is noticed now, not at the next start.
    if let Err(error) = config::load(&config::Sources::of(data.path(), Vec::new())) {
        drop(fs::remove_file(&settings));
        return Err(error.into());
    }
    Ok(true)
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let what = format!("cannot write {}", path.display());
    fs::write(path, text).map_err(Failure::io(what))
}

fn settings_text(init: &Init) -> Result<String, Failure> {
    let port = match init.port {
        Some(port) => port,
        None => free_port()?,
    };
    let user = || std::env::var("USER").ok().filter(|user| DisplayName::new(user).is_some());
    let name = match init.name.clone().or_else(user) {
        Some(name) => format!("name = {}", quoted(&name)),
        None => "# name = \"How you want to be called\"".into(),
    };
    Ok(format!(
        "# Settings of this covey node. `covey config show` lists all of them.\n\
         \n\
         [network]\n\
         name = {}\n\
         # The port stays the same, so that contacts find this node again.\n\
         listen = [\n  \
           \"/ip4/0.0.0.0/udp/{port}/quic-v1\",\n  \
           \"/ip4/0.0.0.0/tcp/{port}\",\n  \
           \"/ip6/::/udp/{port}/quic-v1\",\n  \
           \"/ip6/::/tcp/{port}\",\n\
         ]\n\
         \n\
         [messaging]\n\
         {name}\n",
        quoted(&init.network),
    ))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A UDP port that is free now, and so most likely for TCP too.
fn free_port() -> Result<u16, Failure> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.local_addr())
        .map(|address| address.port())
        .map_err(Failure::io("cannot find a free port"))
}
