//! A network with a ledger: its validators and its people, each a process.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use covey::{
    api::{
        pay::types::{Address, BalanceInfo, PaymentInfo, WalletStatus},
        validator::types::ValidatorStatus,
    },
    ledger::{GenesisFile, ValidatorFile, governance_name, validator_name},
};
use covey_kernel::Keypair;
use covey_ledger::Network;
use serde_json::json;
use tempfile::TempDir;

use super::{Home, Node, binary, run::free_port, until};

/// A network that `covey network new` has begun.
pub struct Town {
    files: PathBuf,
    ports: Vec<u16>,
    _root: TempDir,
}

impl Town {
    /// Begins one with so many validators and 10,000.00 leaf.
    pub async fn found(validators: usize) -> Self {
        let root = tempfile::Builder::new().prefix("covey-").tempdir().expect("a directory");
        let files = root.path().join("town");
        let ports: Vec<u16> = (0..validators).map(|_| free_port()).collect();
        let mut command = tokio::process::Command::new(binary());
        command.args(["network", "new", "town", "--unit", "leaf", "--supply", "10000", "--out"]);
        command.arg(&files);
        for (number, port) in (1..).zip(&ports) {
            command.args(["--validator", &format!("v{number}=127.0.0.1:{port}")]);
        }
        let output = command.output().await.expect("the binary runs");
        assert!(output.status.success(), "{output:?}");
        Self { files, ports, _root: root }
    }

    /// The genesis file.
    #[must_use]
    pub fn genesis(&self) -> PathBuf {
        self.files.join("genesis.json")
    }

    /// The words that own all the money.
    #[must_use]
    pub fn treasury(&self) -> PathBuf {
        self.files.join("treasury.phrase")
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> Network {
        Network::new(Arc::new(GenesisFile::read(&self.genesis()).expect("it was written")))
    }

    /// A validator's key file, counted from 1.
    #[must_use]
    pub fn key_file(&self, number: usize) -> PathBuf {
        self.files.join(validator_name(number))
    }

    /// The validators' voting keys, in the order of their places.
    #[must_use]
    pub fn voting_keys(&self) -> Vec<Keypair> {
        let read = |number| ValidatorFile::read(&self.key_file(number)).expect("it was written");
        let keys = (1..=self.ports.len()).map(|number| read(number).keys().expect("keys").1);
        keys.collect()
    }

    /// Sets a validator up, counted from 1.
    pub async fn validator(&self, number: usize) -> Home {
        let port = self.ports.get(number - 1).copied();
        Home::of(&self.genesis(), &format!("v{number}"), port, Some(&self.key_file(number))).await
    }

    /// The same with its data directory in a folder.
    pub async fn validator_in(&self, number: usize, folder: &Path) -> Home {
        let root = tempfile::Builder::new().prefix("covey-").tempdir().expect("a directory");
        let port = self.ports.get(number - 1).copied();
        let (name, key) = (format!("v{number}"), self.key_file(number));
        let data = folder.join(&name);
        Home::of_at(data, root, &self.genesis(), &name, port, Some(&key)).await
    }

    /// A key of governance, counted from 1.
    #[must_use]
    pub fn governance_file(&self, number: usize) -> PathBuf {
        self.files.join(governance_name(number))
    }

    /// A folder for files of this network.
    #[must_use]
    pub fn files(&self) -> &Path {
        &self.files
    }

    /// Sets a node up that is ready to become a validator.
    pub async fn candidate(&self, name: &str) -> Home {
        Home::candidate(&self.genesis(), name).await
    }

    /// Sets somebody up.
    pub async fn person(&self, name: &str) -> Home {
        Home::of(&self.genesis(), name, None, None).await
    }

    /// Starts all validators, and waits until they vote.
    pub async fn validators(&self) -> Vec<Node> {
        let mut running = Vec::new();
        for number in 1..=self.ports.len() {
            running.push(self.validator(number).await.start().await);
        }
        for validator in &running {
            votes(validator).await;
        }
        running
    }

    /// Starts somebody who owns all the money.
    pub async fn rich(&self, name: &str) -> Node {
        let node = self.person(name).await.start().await;
        validators_are_there(&node, self.ports.len()).await;
        restore(&node, &self.treasury()).await;
        node
    }
}

/// Waits until a validator votes.
pub async fn votes(validator: &Node) {
    until("the validator votes", || async {
        let status: ValidatorStatus = validator.call("validator_status", json!({})).await;
        status.ready
    })
    .await;
}

/// Waits until a wallet is connected with so many validators.
pub async fn validators_are_there(node: &Node, count: usize) {
    until("the validators are there", || async {
        let status: WalletStatus = node.call("pay_status", json!({})).await;
        status.validators.iter().filter(|one| one.connected).count() == count
    })
    .await;
}

/// Becomes the wallet of some words, as their only device.
pub async fn restore(node: &Node, words: &Path) {
    let words = words.to_str().expect("a path of plain letters");
    node.ok(&["pay", "phrase", "restore", words, "--alone"]).await;
}

/// What somebody may spend of the network's coin.
pub async fn available(node: &Node) -> String {
    let all: Vec<BalanceInfo> = node.call("pay_balance", json!({})).await;
    all.first().map(|coin| coin.available.clone()).unwrap_or_default()
}

/// A new address.
pub async fn address(node: &Node) -> String {
    let made: Address = node.call("pay_address", json!({})).await;
    made.address
}

/// Pays, and waits until the payment is final, failed or blocked.
pub async fn pay(node: &Node, to: &str, amount: &str) -> PaymentInfo {
    node.call("pay_send", json!({ "to": to, "amount": amount, "wait_ms": 60_000 })).await
}
