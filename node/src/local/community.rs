//! A network with a ledger on this machine, for the demonstration and the benchmarks: its validators
//! at free ports of loopback, and people who hold money from the beginning.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
};

use covey_kernel::{Keypair, PublicKey, Text};
use covey_ledger::{Amount, Currency, Decimals, Network, Prefix};

use super::{Local, LocalError, Transport, io};
use crate::{
    datadir::DataDir,
    ledger::{self, Founding, GENESIS_NAME, Place, TREASURY_NAME},
};

/// Tries to find a port that is free for both transports.
const TRIES: usize = 100;

/// A network that was begun in a folder.
pub struct Community {
    place: PathBuf,
    files: PathBuf,
    network: Network,
    /// The validators' ports.
    ports: Vec<u16>,
}

fn wrong(error: impl ToString) -> LocalError {
    LocalError::Network(error.to_string())
}

/// Ports that are free now, for UDP and TCP.
fn free_ports(count: usize) -> Result<Vec<u16>, LocalError> {
    let mut held = Vec::new();
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..TRIES {
        if held.len() >= count {
            break;
        }
        let udp = UdpSocket::bind(at(0)).map_err(io("cannot find a free port"))?;
        let port = udp.local_addr().map_err(io("cannot find a free port"))?.port();
        if let Ok(tcp) = TcpListener::bind(at(port)) {
            held.push((udp, tcp, port));
        }
    }
    if held.len() < count {
        return Err(wrong("no free ports were found"));
    }
    Ok(held.into_iter().map(|(_, _, port)| port).collect())
}

impl Community {
    /// Begins a network with so many validators. What `funds` do not give away of `supply`, in the
    /// smallest units, belongs to the words in the treasury's file.
    pub fn found(
        place: &Path,
        validators: usize,
        supply: u64,
        funds: Vec<(PublicKey, Amount)>,
    ) -> Result<Self, LocalError> {
        let ports = free_ports(validators)?;
        let places = (1usize..).zip(&ports).map(|(number, port)| Place {
            name: format!("v{number}"),
            at: SocketAddr::from((Ipv4Addr::LOCALHOST, *port)),
        });
        let currency = Currency {
            unit: Text::new("leaf").unwrap_or_default(),
            decimals: Decimals::new(2).unwrap_or(Decimals::NONE),
            prefix: Prefix::new("club").map_err(wrong)?,
            minimum: Amount::new(1),
            fee: Amount::ZERO,
        };
        let founding = Founding {
            name: "club".into(),
            currency,
            supply: Amount::new(supply),
            funds,
            places: places.collect(),
        };
        let network = founding.found(&mut rand::rng()).map_err(wrong)?;
        let files = place.join("network");
        network.write(&files).map_err(wrong)?;
        Ok(Self {
            place: place.into(),
            files,
            network: Network::new(std::sync::Arc::new(network.genesis)),
            ports,
        })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The validators' voting keys, in the order of their places.
    pub fn voting_keys(&self) -> Result<Vec<Keypair>, LocalError> {
        let numbers = (1usize..).take(self.ports.len());
        let keys = numbers.map(|number| {
            let path = self.files.join(ledger::validator_name(number));
            let file = ledger::ValidatorFile::read(&path).map_err(wrong)?;
            file.keys().map(|(_, vote)| vote).ok_or_else(|| wrong("a key file without keys"))
        });
        keys.collect()
    }

    /// The words that own what nobody was given.
    pub fn treasury(&self) -> Result<String, LocalError> {
        let read = std::fs::read_to_string(self.files.join(TREASURY_NAME));
        read.map_err(io("cannot read the treasury's words"))
    }

    /// A key of governance, counted from 1.
    pub(super) fn governance_file(&self, number: usize) -> PathBuf {
        self.files.join(ledger::governance_name(number))
    }

    /// Starts a node that is ready to become a validator.
    pub async fn candidate(&self, name: &str, transport: Transport) -> Result<Local, LocalError> {
        let port = free_ports(1)?.first().copied().unwrap_or_default();
        let data = self.set_up(name, None)?;
        ledger::stand(&data).map_err(wrong)?;
        drop(data);
        Local::begin(&self.place, name, transport, port, false).await
    }

    /// Starts all validators.
    pub async fn validators(&self, transport: Transport) -> Result<Vec<Local>, LocalError> {
        let mut running = Vec::new();
        for (number, port) in (1usize..).zip(&self.ports) {
            let name = format!("v{number}");
            self.set_up(&name, Some(number))?;
            running.push(Local::begin(&self.place, &name, transport, *port, false).await?);
        }
        Ok(running)
    }

    /// Starts somebody's node; with a clock that `node_now` sets, if wanted.
    pub async fn person(
        &self,
        name: &str,
        transport: Transport,
        settable_clock: bool,
    ) -> Result<Local, LocalError> {
        self.set_up(name, None)?;
        Local::begin(&self.place, name, transport, 0, settable_clock).await
    }

    /// Sets a data directory up, if that is not done.
    fn set_up(&self, name: &str, validator: Option<usize>) -> Result<DataDir, LocalError> {
        let data = DataDir::open(&self.place.join(name.to_lowercase())).map_err(wrong)?;
        let genesis = ledger::adopt(&self.files.join(GENESIS_NAME), &data).map_err(wrong)?;
        if let Some(number) = validator {
            let key = self.files.join(ledger::validator_name(number));
            ledger::validate(&key, &genesis, &data).map_err(wrong)?;
        }
        Ok(data)
    }
}
