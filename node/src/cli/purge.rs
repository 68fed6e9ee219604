//! `purge`: deletes a payload on this node.

use clap::Args;

use super::{Failure, Global, print};
use crate::api::chains::types::{PurgeParams, Purged};

#[derive(Debug, Args)]
pub(super) struct Purge {
    /// A block's id, or a payload's hash
    what: String,
}

pub(super) async fn run(global: &Global, purge: Purge) -> Result<(), Failure> {
    let params = PurgeParams { what: purge.what };
    let purged: Purged = global.client().await?.call("chains_purge", &params).await?;
    print::either(global.json, &purged, |purged| match purged.purged {
        1 => "1 payload deleted".into(),
        count => format!("{count} payloads deleted"),
    })
}
