//! `crypto`: keys from pass phrases, made here without a node.

use std::io::Read;

use clap::Subcommand;
use covey_chains::phrase::{self, GroupKey, PhraseError};
use data_encoding::HEXUPPER;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Failure, Global, print};

#[derive(Debug, Subcommand)]
pub(super) enum Crypto {
    /// The public and the private key that a pass phrase stands for
    #[command(after_help = "Example: covey crypto pubpvt \"a phrase that nobody guesses\"
Prints PUBLIC PRIVATE. Share the public key, keep the private one; the same phrase gives the same keys.")]
    Pubpvt(Phrase),
    /// The shared key of a private group that a pass phrase stands for
    #[command(after_help = "Example: covey crypto shared \"a phrase that only we know\"")]
    Shared(Phrase),
}

#[derive(Debug, clap::Args)]
pub(super) struct Phrase {
    /// The pass phrase; - reads it from standard input, where other users do not see it
    phrase: String,
}

/// Longer ones are not phrases, but files given by mistake.
const PHRASE_BYTES: usize = 4096;

#[derive(Serialize)]
struct Pair {
    public: String,
    private: String,
}

#[derive(Serialize)]
struct Shared {
    key: String,
}

pub(super) fn run(global: &Global, crypto: Crypto) -> Result<(), Failure> {
    match crypto {
        Crypto::Pubpvt(phrase) => pubpvt(global, phrase),
        Crypto::Shared(phrase) => {
            let key = made(GroupKey::from_phrase(&phrase.read()?))?;
            let shared = Shared { key: key.reveal().to_string() };
            print::either(global.json, &shared, |shared| shared.key.clone())
        }
    }
}

/// The private key that a pass phrase stands for; - reads the phrase from standard input.
pub(super) fn private_of(phrase: String) -> Result<Zeroizing<String>, Failure> {
    let pair = made(phrase::keypair(&secret(phrase)?))?;
    Ok(Zeroizing::new(HEXUPPER.encode(pair.secret().as_ref())))
}

pub(super) fn pubpvt(global: &Global, phrase: Phrase) -> Result<(), Failure> {
    let pair = made(phrase::keypair(&phrase.read()?))?;
    let pair = Pair {
        public: HEXUPPER.encode(pair.public().as_bytes()),
        private: HEXUPPER.encode(pair.secret().as_ref()),
    };
    print::either(global.json, &pair, |pair| format!("{} {}", pair.public, pair.private))
}

fn made<T>(key: Result<T, PhraseError>) -> Result<T, Failure> {
    key.map_err(|error| Failure::Checked(error.to_string()))
}

impl Phrase {
    fn read(self) -> Result<Zeroizing<String>, Failure> {
        secret(self.phrase)
    }
}

/// A pass phrase or a key as it was given, or from standard input for -.
pub(super) fn secret(given: String) -> Result<Zeroizing<String>, Failure> {
    if given != "-" {
        return Ok(Zeroizing::new(given));
    }
    let mut text = Zeroizing::new(String::new());
    let mut input = std::io::stdin().lock().take(PHRASE_BYTES.saturating_add(1) as u64);
    input.read_to_string(&mut text).map_err(Failure::io("cannot read standard input"))?;
    if text.len() > PHRASE_BYTES {
        let limit = format!("standard input is longer than {PHRASE_BYTES} bytes: no phrase or key");
        return Err(Failure::Checked(limit));
    }
    // The end of the line is not part of it.
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
