//! `keys`: your own keys.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, crypto, print};
use crate::api::types::{Keys as KeysView, Rotate};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Show your identity and the keys it uses now
    Show,
    /// Make new encryption keys; every contact has to confirm them
    #[command(after_help = "Example: covey keys rotate
Contacts see a warning and cannot write to you until they have confirmed the new keys
with `covey msg verify YOU --confirm`.")]
    Rotate {
        /// Also make a new identity; the old one vouches for it
        #[arg(long)]
        identity: bool,
    },
    /// The public and the private key that a pass phrase stands for
    #[command(after_help = "Example: covey keys pubpvt \"a phrase that nobody guesses\"")]
    Pubpvt(crypto::Phrase),
}

/// What new keys mean to others.
const ROTATED: &str = "\nYour contacts are told. What you and they write waits until each has confirmed them:\n\
     covey msg verify NAME --confirm";

pub(super) async fn run(global: &Global, keys: Keys) -> Result<(), Failure> {
    let (view, more): (KeysView, &str) = match keys {
        Keys::Show => (global.client().await?.call("keys_show", &json!({})).await?, ""),
        Keys::Rotate { identity } => {
            let client = global.client().await?;
            (client.call("keys_rotate", &Rotate { identity }).await?, ROTATED)
        }
        Keys::Pubpvt(phrase) => return crypto::pubpvt(global, phrase),
    };
    print::either(global.json, &view, |view| {
        format!(
            "name      {}\nidentity  {}\nnode      {}\nratchet   {}\nsealing   {}\nsequence  {}{more}",
            view.name, view.identity, view.peer_id, view.ratchet, view.sealing, view.sequence,
        )
    })
}
