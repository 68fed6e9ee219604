//! Paying, and waiting until it is final.

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use clap::Args;

use super::{Failure, Global, interrupts, print, show, wallet_status};
use crate::{
    api::pay::types::{PaymentInfo, PaymentParams, PaymentState, SendParams},
    client::Client,
};

/// How long one call waits before the user is told how it stands.
const WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(in crate::cli) struct Send {
    /// An address, a payment request (covey:…), or a contact's name
    to: String,
    /// How much; may be left out if the request says it
    amount: Option<String>,
    /// A token's id instead of the network's coin
    #[arg(long)]
    asset: Option<String>,
    /// For you alone
    #[arg(long, default_value = "")]
    note: String,
    /// Do not ask whether it is right
    #[arg(long)]
    yes: bool,
    /// Also if a blocked payment of the same may still arrive
    #[arg(long)]
    twice: bool,
    /// Do not wait until it is final
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(global: &Global, send: Send) -> Result<(), Failure> {
    let client = global.client().await?;
    if !send.yes {
        confirm(&client, &send).await?;
    }
    let no_wait = send.no_wait;
    let params = SendParams {
        to: send.to,
        amount: send.amount,
        asset: send.asset,
        note: send.note,
        twice: send.twice,
        wait_ms: 0,
    };
    let sent: PaymentInfo = client.call("pay_send", &params).await?;
    if no_wait {
        return print::either(global.json, &sent, show::payment);
    }
    follow(global, &client, sent).await
}

/// Shows what would be paid, and asks.
async fn confirm(client: &Client, send: &Send) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("nobody is there to confirm this payment: add --yes".into()));
    }
    let status = wallet_status(client).await?;
    let unit = if send.asset.is_some() { "of the token" } else { status.unit.as_str() };
    let amount = match &send.amount {
        Some(amount) => format!("{amount} {unit}"),
        None => "what the request asks for".to_owned(),
    };
    let fee = if status.fee.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        format!(" and {} {} for the network", status.fee, status.unit)
    } else {
        String::new()
    };
    let to = print::one_line(&send.to);
    let mut err = std::io::stderr().lock();
    let asked = write!(err, "Pay {amount}{fee} to {to} on {}? [y/N] ", status.network);
    asked.and_then(|()| err.flush()).map_err(Failure::io("cannot ask"))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Failure::io("cannot read the answer"))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Checked("nothing was paid".into())),
    }
}

/// Waits until a payment is final, failed or blocked, and says meanwhile what it waits for.
pub(super) async fn follow(
    global: &Global,
    client: &Client,
    mut payment: PaymentInfo,
) -> Result<(), Failure> {
    let mut interrupts = interrupts()?;
    while payment.state == PaymentState::Sending {
        let wait_ms = u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX);
        let params = PaymentParams { id: payment.id.clone(), wait_ms };
        let waiting = client.call("pay_payment", &params);
        payment = tokio::select! {
            payment = waiting => payment?,
            _ = interrupts.recv() => {
                eprintln!(
                    "covey: the payment goes on by itself; `covey pay payment {}` shows how far it is",
                    payment.id
                );
                break;
            }
        };
        if payment.state == PaymentState::Sending {
            eprintln!(
                "covey: waiting for validators: {} of {} votes; Ctrl-C leaves it to go on by itself",
                payment.votes, payment.needed
            );
        }
    }
    print::either(global.json, &payment, show::payment)?;
    match payment.state {
        PaymentState::Failed | PaymentState::Blocked => {
            Err(Failure::Checked(format!("the payment is not final: {}", why(&payment))))
        }
        PaymentState::Final | PaymentState::Sending => Ok(()),
    }
}

fn why(payment: &PaymentInfo) -> &str {
    payment.why.as_deref().unwrap_or("no reason is known")
}
