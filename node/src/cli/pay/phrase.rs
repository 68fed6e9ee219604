//! The words that restore a wallet.

use std::io::Read as _;

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, interrupts, print};
use crate::{
    api::{
        pay::types::{PayEvent, PhraseText},
        types::Done,
    },
    client::Subscription,
};
use futures::StreamExt as _;

/// Bytes of a file with words that are read: 24 words have some 200.
const FILE_BYTES: u64 = 1024;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Phrase {
    /// Print the words: write them down, and keep them where nobody else reads them
    Show,
    /// Become the wallet of other words, and search for its coins; only a wallet that was never used can
    #[command(after_help = "Example: covey pay phrase restore - < words.txt
What is found is held back until you say that no other device uses these words: two devices that spend \
the same coin lock it for good.")]
    Restore {
        /// A file with the words, or - for standard input
        #[arg(value_name = "FILE|-")]
        file: String,
        /// No other device uses these words: what is found may be spent
        #[arg(long)]
        alone: bool,
        /// Do not wait until the search is over
        #[arg(long, conflicts_with = "alone")]
        no_wait: bool,
    },
    /// Say that no other device uses the words: what they found may be spent
    Alone,
}

pub(super) async fn run(global: &Global, phrase: Phrase) -> Result<(), Failure> {
    match phrase {
        Phrase::Show => {
            let client = global.client().await?;
            let words: PhraseText = client.call("pay_phrase", &json!({})).await?;
            print::either(global.json, &words, |words| words.phrase.to_string())
        }
        Phrase::Restore { file, alone, no_wait } => restore(global, &file, alone, !no_wait).await,
        Phrase::Alone => {
            let client = global.client().await?;
            let done: Done = client.call("pay_alone", &json!({})).await?;
            print::either(global.json, &done, |_| "what was found may be spent".into())
        }
    }
}

async fn restore(global: &Global, file: &str, alone: bool, wait: bool) -> Result<(), Failure> {
    let phrase = words(file)?;
    let client = global.client().await?;
    let mut events: Subscription<PayEvent> = client.subscribe("pay_subscribe", &json!({})).await?;
    let _: Done = client.call("pay_restore", &PhraseText { phrase: phrase.into() }).await?;
    if !wait {
        return print::either(global.json, &json!({ "searching": true }), |_| {
            "the words are searched for coins; `covey pay status` tells when that is over".into()
        });
    }
    let mut interrupts = interrupts()?;
    let coins = loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = interrupts.recv() => None,
        };
        match event {
            Some(Ok(PayEvent::Found { coins })) => break coins,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => {
                eprintln!("covey: the search goes on by itself; `covey pay status` tells");
                return Ok(());
            }
        }
    };
    if alone {
        let _: Done = client.call("pay_alone", &json!({})).await?;
    }
    print::either(global.json, &json!({ "coins": coins, "held": !alone }), |_| {
        if alone {
            format!("{coins} coins were found, and may be spent")
        } else {
            format!(
                "{coins} coins were found, and are held back: if no other device uses these words, \
                 `covey pay phrase alone`"
            )
        }
    })
}

fn words(file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().take(FILE_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(FILE_BYTES).read_to_string(&mut text))
    };
    read.map_err(Failure::io(format!("cannot read the words from {file}")))?;
    Ok(text)
}
