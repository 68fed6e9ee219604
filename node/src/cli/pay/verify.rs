//! Checking a payment offline: with the genesis, and nothing else.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use covey_ledger::{Network, Receipt};

use super::{Failure, Global, payment_text, print};
use crate::{
    api::pay::{types::VerifiedInfo, verified},
    cli::print::one_line,
    ledger::GenesisFile,
    node::NodeError,
};

pub(super) fn run(global: &Global, payment: &str, genesis: Option<&Path>) -> Result<(), Failure> {
    let path = match genesis {
        Some(path) => path.to_path_buf(),
        None => default_genesis(global)?,
    };
    let genesis = GenesisFile::read(&path).map_err(NodeError::from)?;
    let unit = genesis.currency.unit.to_string();
    let network = Network::new(Arc::new(genesis));
    let receipt: Receipt = payment_text(payment)?
        .parse()
        .map_err(|error: covey_ledger::InvalidReceipt| Failure::Checked(error.to_string()))?;
    let shown = receipt.verify(&network).map_err(|error| Failure::Checked(error.to_string()))?;
    print::either(global.json, &verified(&network, BTreeMap::new(), &shown), |info| {
        text(info, &unit)
    })
}

fn default_genesis(global: &Global) -> Result<PathBuf, Failure> {
    let path = global.data()?.join(crate::datadir::GENESIS);
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::Usage(format!(
        "there is no genesis in {}: name one with --genesis FILE",
        global.data()?.display()
    )))
}

fn text(info: &VerifiedInfo, unit: &str) -> String {
    let what = match &info.asset {
        Some(id) => format!("units of the token {id}"),
        None => one_line(unit),
    };
    format!(
        "valid: {} {what} are paid to\n  address  {}\n  coin     {}\n  signed   by {} in epoch {} \
         (the newest known here is {})\nIt shows that this was paid to that address. Whether it was spent \
         on since then shows only when you spend it.",
        info.amount,
        info.address,
        info.coin,
        one_line(&info.signers.join(", ")),
        info.epoch,
        info.newest_epoch,
    )
}
