//! `pay`: the wallet.

mod phrase;
mod send;
mod show;
mod verify;

use std::{io::Read as _, path::Path};

use clap::Subcommand;
use covey_ledger::limits::RECEIPT_BYTES;
use futures::StreamExt as _;
use serde_json::json;

use super::{Failure, Global, interrupt::interrupts, print};
use crate::{
    api::{
        pay::types::{
            Address, AddressInfo, AssetParams, BalanceInfo, CoinInfo, CoinsParams, HistoryParams,
            IssueParams, LabelParams, LineInfo, NewAddress, PayEvent, PaymentInfo, PaymentParams,
            PaymentText, ProofParams, Received, RequestInfo, RequestParams, Resumed, TokenInfo,
            WalletStatus,
        },
        types::Done,
    },
    client::{Client, Subscription},
};

#[derive(Debug, Subcommand)]
pub(super) enum Pay {
    /// Tell how the wallet is doing: network, validators, payments on their way
    Status,
    /// Make a new address, for others to pay to
    #[command(after_help = "Example: covey pay address --label rent --qr")]
    Address {
        /// What you call it
        #[arg(long, default_value = "")]
        label: String,
        /// Also as a QR code
        #[arg(long)]
        qr: bool,
    },
    /// List your addresses
    Addresses,
    /// Call an address something else
    Label {
        /// One of your addresses
        address: String,
        /// What you call it now
        label: String,
    },
    /// Tell how much there is
    Balance,
    /// List coins
    Coins {
        /// A token's id instead of the network's coin
        #[arg(long)]
        asset: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Pay an address, a payment request or a contact
    #[command(after_help = "Examples:
  covey pay send club1q… 12.50 --note lunch
  covey pay send 'covey:club1q…?amount=12.50'
  covey pay send bob 12.50 --yes")]
    Send(send::Send),
    /// Tell how far a payment has come
    Payment {
        /// The payment's id
        id: String,
    },
    /// Try all payments that are not final again, and wait for them
    Resume {
        /// Do not wait
        #[arg(long)]
        no_wait: bool,
    },
    /// List what came and went
    History {
        /// At most so many, the newest
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Print what shows a payment to its payee, for a file, a message or a QR code
    #[command(after_help = "Example: covey pay proof 4f1d… --out lunch.payment")]
    Proof {
        /// The payment's id
        id: String,
        /// Which of its outputs, if several are paid
        #[arg(long)]
        place: Option<u16>,
        /// Write it to this file
        #[arg(long, value_name = "FILE")]
        out: Option<std::path::PathBuf>,
        /// As a QR code
        #[arg(long, conflicts_with = "out")]
        qr: bool,
    },
    /// Take a payment that somebody shows: a file, a text, or - for standard input
    #[command(after_help = "Example: covey pay receive lunch.payment")]
    Receive {
        /// The payment
        #[arg(value_name = "FILE|TEXT|-")]
        payment: String,
    },
    /// Check a payment that somebody shows, with the genesis alone: no node, no network
    #[command(after_help = "Example: covey pay verify lunch.payment --genesis club/genesis.json")]
    Verify {
        /// The payment
        #[arg(value_name = "FILE|TEXT|-")]
        payment: String,
        /// The network's genesis file [default: that of the data directory]
        #[arg(long, value_name = "FILE")]
        genesis: Option<std::path::PathBuf>,
    },
    /// Make a payment request, at an address of its own
    #[command(after_help = "Example: covey pay request 12.50 --label lunch --qr")]
    Request {
        /// How much; the payer chooses if left out
        amount: Option<String>,
        /// What for; the payer sees it
        #[arg(long, default_value = "")]
        label: String,
        /// A token's id instead of the network's coin
        #[arg(long)]
        asset: Option<String>,
        /// Also as a QR code
        #[arg(long)]
        qr: bool,
    },
    /// List payment requests, and what was paid
    Requests,
    /// Put small coins together
    Consolidate {
        /// A token's id instead of the network's coin
        #[arg(long)]
        asset: Option<String>,
    },
    /// Make a token, all of it yours
    #[command(after_help = "Example: covey pay issue tickets 100")]
    Issue {
        /// What it is called
        name: String,
        /// How much of it there will ever be
        amount: String,
        /// Digits behind the point
        #[arg(long, default_value_t = 0)]
        decimals: u8,
    },
    /// List the tokens that are known
    Tokens,
    /// The words that restore the wallet
    #[command(subcommand)]
    Phrase(phrase::Phrase),
    /// Show payments and coins as they come, one a line, until Ctrl-C
    Listen,
}

pub(super) async fn run(global: &Global, pay: Pay) -> Result<(), Failure> {
    match pay {
        // Needs no node.
        Pay::Verify { payment, genesis } => verify::run(global, &payment, genesis.as_deref()),
        Pay::Send(send) => send::run(global, send).await,
        Pay::Phrase(phrase) => phrase::run(global, phrase).await,
        Pay::Listen => listen(global).await,
        Pay::Resume { no_wait } => resume(global, !no_wait).await,
        Pay::Proof { id, place, out, qr } => {
            proof(global, ProofParams { id, index: place }, out.as_deref(), qr).await
        }
        pay => simple(global, pay).await,
    }
}

/// Commands that are one call and one answer.
async fn simple(global: &Global, pay: Pay) -> Result<(), Failure> {
    let client = global.client().await?;
    let none = json!({});
    match pay {
        Pay::Status => {
            let status: WalletStatus = client.call("pay_status", &none).await?;
            print::either(global.json, &status, show::status)
        }
        Pay::Address { label, qr } => {
            let made: Address = client.call("pay_address", &NewAddress { label }).await?;
            with_qr(global, qr, &made.address)?;
            print::either(global.json, &made, |made| made.address.clone())
        }
        Pay::Addresses => {
            let all: Vec<AddressInfo> = client.call("pay_addresses", &none).await?;
            print::either(global.json, &all, |all| show::addresses(all))
        }
        Pay::Label { address, label } => {
            let done: Done = client.call("pay_label", &LabelParams { address, label }).await?;
            print::either(global.json, &done, |_| String::new())
        }
        Pay::Balance => {
            let status: WalletStatus = client.call("pay_status", &none).await?;
            let all: Vec<BalanceInfo> = client.call("pay_balance", &none).await?;
            print::either(global.json, &all, |all| show::balances(all, &status))
        }
        Pay::Coins { asset, limit } => {
            let params = CoinsParams { asset, limit: Some(limit), after: None };
            let coins: Vec<CoinInfo> = client.call("pay_coins", &params).await?;
            print::either(global.json, &coins, |coins| show::coins(coins))
        }
        Pay::Payment { id } => {
            let params = PaymentParams { id, wait_ms: 0 };
            let payment: PaymentInfo = client.call("pay_payment", &params).await?;
            print::either(global.json, &payment, show::payment)
        }
        Pay::History { limit } => {
            let params = HistoryParams { limit: Some(limit), before: None };
            let lines: Vec<LineInfo> = client.call("pay_history", &params).await?;
            print::either(global.json, &lines, |lines| show::history(lines))
        }
        Pay::Receive { payment } => {
            let params = PaymentText { payment: payment_text(&payment)? };
            let received: Received = client.call("pay_receive", &params).await?;
            print::either(global.json, &received, show::received)
        }
        Pay::Request { amount, label, asset, qr } => {
            let params = RequestParams { amount, asset, label };
            let made: RequestInfo = client.call("pay_request", &params).await?;
            with_qr(global, qr, &made.uri)?;
            print::either(global.json, &made, |made| made.uri.clone())
        }
        Pay::Requests => {
            let all: Vec<RequestInfo> = client.call("pay_requests", &none).await?;
            print::either(global.json, &all, |all| show::requests(all))
        }
        Pay::Consolidate { asset } => {
            let made: PaymentInfo = client.call("pay_consolidate", &AssetParams { asset }).await?;
            send::follow(global, &client, made).await
        }
        Pay::Issue { name, amount, decimals } => {
            let params = IssueParams { name, amount, decimals };
            let made: PaymentInfo = client.call("pay_issue", &params).await?;
            send::follow(global, &client, made).await
        }
        Pay::Tokens => {
            let all: Vec<TokenInfo> = client.call("pay_tokens", &none).await?;
            print::either(global.json, &all, |all| show::tokens(all))
        }
        // Handled by `run`.
        _ => Ok(()),
    }
}

/// A QR code for people, above the text.
fn with_qr(global: &Global, qr: bool, text: &str) -> Result<(), Failure> {
    if qr && !global.json { print::line(&print::qr(text)?) } else { Ok(()) }
}

async fn proof(
    global: &Global,
    params: ProofParams,
    out: Option<&Path>,
    qr: bool,
) -> Result<(), Failure> {
    let client = global.client().await?;
    let proof: PaymentText = client.call("pay_proof", &params).await?;
    if let Some(path) = out {
        let what = format!("cannot write {}", path.display());
        return std::fs::write(path, format!("{}\n", proof.payment)).map_err(Failure::io(what));
    }
    // In capitals a QR code is denser, and the text reads the same.
    with_qr(global, qr, &proof.payment.to_uppercase())?;
    if qr && !global.json {
        return Ok(());
    }
    print::either(global.json, &proof, |proof| proof.payment.clone())
}

async fn resume(global: &Global, wait: bool) -> Result<(), Failure> {
    let client = global.client().await?;
    let pending: Vec<PaymentInfo> = client.call("pay_pending", &json!({})).await?;
    let resumed: Resumed = client.call("pay_resume", &json!({})).await?;
    if !wait || pending.is_empty() {
        return print::either(global.json, &resumed, |resumed| match resumed.resumed {
            0 => "every payment is final".to_owned(),
            count => format!("{count} payments are tried again"),
        });
    }
    for payment in pending {
        send::follow(global, &client, payment).await?;
    }
    Ok(())
}

async fn listen(global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let mut events: Subscription<PayEvent> = client.subscribe("pay_subscribe", &json!({})).await?;
    let mut interrupts = interrupts()?;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = interrupts.recv() => return Ok(()),
        };
        let Some(event) = event else { return Ok(()) };
        print::either(global.json, &event?, show::event)?;
    }
}

/// A payment out of a file, from standard input, or as it stands.
fn payment_text(given: &str) -> Result<String, Failure> {
    if given.trim_start().to_ascii_lowercase().starts_with("covey-payment:") {
        return Ok(given.to_owned());
    }
    let limit = u64::try_from(RECEIPT_BYTES.saturating_mul(2)).unwrap_or(u64::MAX);
    let mut text = String::new();
    let read = if given == "-" {
        std::io::stdin().take(limit).read_to_string(&mut text)
    } else {
        std::fs::File::open(given).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    read.map_err(Failure::io(format!("cannot read the payment from {given}")))?;
    Ok(text)
}

/// The network's unit, for summaries.
async fn wallet_status(client: &Client) -> Result<WalletStatus, Failure> {
    Ok(client.call("pay_status", &json!({})).await?)
}
