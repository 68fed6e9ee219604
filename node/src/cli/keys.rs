//! `keys`: your own keys.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, crypto, print};
use crate::api::types::{Done, KeyParams, Keys as KeysView, NamedKey, NewKey, Rotate};

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
    /// Keep a private key under a name, to sign and decrypt with in chains; print its public key
    #[command(after_help = "Examples:
  covey keys new ann                          a new random key
  covey keys new ann --phrase -               the key of a pass phrase, which is then asked for
  covey keys new ann --private -              the same with a private key
  covey chain \"#chat\" post inline hello --sign=ann")]
    New {
        /// What to call it: 1 to 32 of a to z, 0 to 9 and -
        name: String,
        /// The key that this pass phrase stands for; - reads it from standard input
        #[arg(long, value_name = "PHRASE", conflicts_with = "private")]
        phrase: Option<String>,
        /// This private key; - reads it from standard input
        #[arg(long, value_name = "KEY")]
        private: Option<String>,
    },
    /// List the named keys, each with its public key
    List,
    /// Delete a named key for good
    Forget {
        /// What it is called
        name: String,
        /// It cannot be brought back, unless a pass phrase stands for it
        #[arg(long)]
        confirm: bool,
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
        Keys::New { name, phrase, private } => {
            let private = private.map(crypto::secret).transpose()?;
            let of_phrase = phrase.map(crypto::private_of).transpose()?;
            let private = private.or(of_phrase).map(|key| key.to_string().into());
            let made = global.client().await?.call("keys_new", &NewKey { name, private }).await?;
            return print::either(global.json, &made, |made: &NamedKey| made.public.clone());
        }
        Keys::List => {
            let keys: Vec<NamedKey> = global.client().await?.call("keys_list", &json!({})).await?;
            let line = |key: &NamedKey| format!("{} {}", key.name, key.public);
            return print::either(global.json, &keys, |keys| {
                keys.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
        Keys::Forget { name, confirm } => {
            if !confirm {
                let why = format!("this deletes the private key {name} for good: add --confirm");
                return Err(Failure::Checked(why));
            }
            let _: Done = global.client().await?.call("keys_forget", &KeyParams { name }).await?;
            return Ok(());
        }
    };
    print::either(global.json, &view, |view| {
        format!(
            "name      {}\nidentity  {}\nnode      {}\nratchet   {}\nsealing   {}\nsequence  {}{more}",
            view.name, view.identity, view.peer_id, view.ratchet, view.sealing, view.sequence,
        )
    })
}
