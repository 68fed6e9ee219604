//! What a node on a network with a ledger runs: a wallet, and a validator if it has a validator's key.

use std::sync::Arc;

use covey_kernel::{AskId, Keypair, NetworkId};
use covey_ledger::{
    Genesis, KnownBallots, Network, Validator, Wallet, validator,
    wallet::{self, Expected},
    wire::{FRAMES, PROTOCOL, Request},
};
use covey_shell::Protocol;

use super::{
    NodeError,
    glue::{Door, Starting},
};
use crate::{
    datadir::{DataDir, ValidatorSetup},
    driver::{self, Inbox},
    ledger::GenesisFile,
    swarm::{Carried, Line, News, Port},
};

/// What a wallet's questions are marked with; a validator's are not. Both number theirs below it.
const WALLETS: u64 = 1 << 63;

/// Wallet and validator of a node.
pub struct Ledger {
    /// The network.
    pub network: Network,
    /// The wallet.
    pub wallet: Inbox<Wallet>,
    /// The validator, if the node is one.
    pub validator: Option<Inbox<Validator>>,
}

/// A network that has a genesis.
pub(super) struct Founded {
    network: Network,
    /// As what a validator it was set up.
    validator: Option<ValidatorSetup>,
}

/// What the data directory says of the network's beginning.
pub(super) fn founded(data: &DataDir) -> Result<Option<Founded>, NodeError> {
    let path = data.genesis();
    let validator = data.validator()?;
    if !path.exists() {
        return if validator.is_some() { Err(NodeError::NoGenesis) } else { Ok(None) };
    }
    let genesis: Genesis = GenesisFile::read(&path)?;
    Ok(Some(Founded { network: Network::new(Arc::new(genesis)), validator }))
}

impl Founded {
    pub(super) fn id(&self) -> NetworkId {
        self.network.id
    }

    pub(super) fn name(&self) -> String {
        self.network.genesis.name.to_string()
    }

    /// Starts the machines.
    pub(super) fn start(
        self,
        starting: &Starting<'_>,
        data: &DataDir,
        node: &Keypair,
        doors: &Doors,
    ) -> Result<(Ledger, Vec<driver::Handle>), NodeError> {
        let Self { network, validator } = self;
        let ballots = KnownBallots::default();
        let mut handles = Vec::new();
        // First, since it may refuse to start.
        let validator = match (validator, &doors.validator) {
            (Some(ValidatorSetup { key, starts }), Some(door)) => {
                let (network, ballots) = (network.clone(), ballots.clone());
                let node = node.clone();
                let rules = validator::Rules { network, node, key, starts, ballots };
                let (inbox, drives) = starting.machine::<Validator>(Line::Ledger, rules, door)?;
                // The store has counted the start. Until the file has too, it may be one behind.
                data.count_start(starts.saturating_add(1))?;
                data.forget_voting_key()?;
                handles.push(drives);
                Some(inbox)
            }
            _ => None,
        };
        let peer = node.public();
        let expected = Expected::default();
        let rules = wallet::Rules { network: network.clone(), peer, ballots, expected };
        let (wallet, drives) =
            starting.marked::<Wallet>(Line::Ledger, WALLETS, rules, &doors.wallet)?;
        handles.push(drives);
        Ok((Ledger { network, wallet, validator }, handles))
    }
}

/// Where the swarm finds the machines.
#[derive(Clone)]
pub(super) struct Doors {
    wallet: Door<Wallet>,
    validator: Option<Door<Validator>>,
}

impl Doors {
    pub(super) fn new(founded: &Founded) -> Self {
        let validator = founded.validator.as_ref().map(|_| Door::default());
        Self { wallet: Door::default(), validator }
    }

    pub(super) fn carried(&self) -> Carried {
        let protocol = Protocol { name: PROTOCOL, frames: FRAMES };
        Carried { line: Line::Ledger, protocol, port: Box::new(self.clone()) }
    }
}

impl Port for Doors {
    fn deliver(&self, news: News) -> Result<(), News> {
        let Some(validator) = &self.validator else {
            return self.wallet.deliver(unmarked(news)).map_err(marked);
        };
        match &news {
            News::Request { bytes, .. } if Request::is_for_validator(bytes) => {
                validator.deliver(news)
            }
            News::Answer { ask, .. } if ask.0 & WALLETS == 0 => validator.deliver(news),
            News::Request { .. } | News::Answer { .. } | News::Gossip { .. } => {
                self.wallet.deliver(unmarked(news)).map_err(marked)
            }
            // Whoever has room hears it at once. If the other has not, both hear it again, which they
            // do not mind.
            News::Connected(peer) => self.both(validator, || News::Connected(*peer)),
            News::Disconnected(peer) => self.both(validator, || News::Disconnected(*peer)),
        }
    }
}

impl Doors {
    fn both(&self, validator: &Door<Validator>, news: impl Fn() -> News) -> Result<(), News> {
        let heard = validator.deliver(news());
        self.wallet.deliver(news()).and(heard)
    }
}

fn with_ask(news: News, change: impl Fn(u64) -> u64) -> News {
    match news {
        News::Answer { from, ask, outcome } => {
            News::Answer { from, ask: AskId(change(ask.0)), outcome }
        }
        other => other,
    }
}

fn unmarked(news: News) -> News {
    with_ask(news, |ask| ask & !WALLETS)
}

/// What comes back because there is no room is as it was.
fn marked(news: News) -> News {
    with_ask(news, |ask| ask | WALLETS)
}
