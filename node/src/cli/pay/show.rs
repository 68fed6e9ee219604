//! How money looks on a terminal.

use crate::{
    api::pay::types::{
        AddressInfo, BalanceInfo, CameInfo, CoinInfo, LineInfo, PayEvent, PaymentInfo,
        PaymentState, Received, RequestInfo, TokenInfo, WalletStatus,
    },
    cli::print::{one_line, time},
};

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn status(status: &WalletStatus) -> String {
    let there = status.validators.iter().filter(|one| one.connected).count();
    let missing: Vec<&str> = status
        .validators
        .iter()
        .filter(|one| !one.connected)
        .map(|one| one.name.as_str())
        .collect();
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!("; not connected: {}", one_line(&missing.join(", ")))
    };
    let phrase = match status.phrase.as_str() {
        "searching" => "\n  phrase      being searched for coins",
        "held" => {
            "\n  phrase      searched; what was found is held back until `covey pay phrase alone`"
        }
        _ => "",
    };
    format!(
        "{} in epoch {}\n  validators  {there} of {} connected, {} make a payment final{missing}\n  \
         payments    {} on their way{phrase}",
        one_line(&status.network),
        status.epoch,
        status.validators.len(),
        status.quorum,
        status.pending,
    )
}

pub(super) fn addresses(all: &[AddressInfo]) -> String {
    lines(all.iter().filter(|one| !one.change).map(|one| {
        let paid = if one.paid { "paid" } else { "    " };
        format!("{}  {paid}  {}", one.address, one_line(&one.label)).trim_end().to_owned()
    }))
}

fn is_zero(amount: &str) -> bool {
    !amount.bytes().any(|digit| (b'1'..=b'9').contains(&digit))
}

pub(super) fn balances(all: &[BalanceInfo], status: &WalletStatus) -> String {
    let mut text = lines(all.iter().map(|one| {
        let name = match &one.asset {
            Some(id) if one.name.is_empty() => id.clone(),
            Some(id) => format!("{} ({:.16}…)", one_line(&one.name), id),
            None => one_line(&one.name),
        };
        let mut line = format!("{} {name}", one.available);
        if !is_zero(&one.reserved) {
            line.push_str(&format!("  + {} in payments on their way", one.reserved));
        }
        if !is_zero(&one.held) {
            line.push_str(&format!("  + {} held back", one.held));
        }
        line
    }));
    match status.phrase.as_str() {
        "searching" => text.push_str("\nthe phrase is still being searched for coins"),
        "held" => text.push_str(
            "\nif no other device uses this phrase, what is held back may be spent: \
             covey pay phrase alone",
        ),
        _ => {}
    }
    text
}

pub(super) fn coins(coins: &[CoinInfo]) -> String {
    lines(coins.iter().map(|coin| format!("{}  {}  {}", coin.coin, coin.amount, coin.state)))
}

pub(super) fn payment(payment: &PaymentInfo) -> String {
    let state = match payment.state {
        PaymentState::Final => {
            format!("final, {} of {} votes", payment.votes, payment.needed)
        }
        PaymentState::Sending => {
            format!("on its way, {} of {} votes", payment.votes, payment.needed)
        }
        PaymentState::Failed => "failed".into(),
        PaymentState::Blocked => "blocked".into(),
    };
    let mut text = format!("{}  {state}", payment.id);
    if let Some(why) = &payment.why {
        text.push_str(&format!("\n  {}", one_line(why)));
    }
    if let Some(conflict) = &payment.conflict {
        text.push_str(&format!("\n  the other one is {conflict}"));
    }
    text
}

fn note(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("  {}", one_line(text)) }
}

fn asset(asset: &Option<String>) -> String {
    asset.as_ref().map(|id| format!(" of {id:.16}…")).unwrap_or_default()
}

fn sent(payment: &PaymentInfo) -> String {
    let paid: Vec<String> = payment
        .paid
        .iter()
        .map(|one| format!("-{}{} to {}", one.amount, asset(&payment.asset), one.address))
        .collect();
    let paid = if paid.is_empty() { "coins put together".into() } else { paid.join(", ") };
    let state = match payment.state {
        PaymentState::Final => String::new(),
        PaymentState::Sending => {
            format!("  [on its way, {} of {} votes]", payment.votes, payment.needed)
        }
        PaymentState::Failed => "  [failed]".into(),
        PaymentState::Blocked => "  [blocked]".into(),
    };
    format!(
        "{}  {paid}{}{state}\n                    {}",
        time(payment.made),
        note(&payment.note),
        payment.id
    )
}

fn came(came: &CameInfo) -> String {
    format!("{}  +{}{} at {}", time(came.at), came.amount, asset(&came.asset), came.address)
}

/// Oldest first, as conversations are.
pub(super) fn history(all: &[LineInfo]) -> String {
    lines(all.iter().rev().map(|line| match (&line.sent, &line.received) {
        (Some(payment), _) => sent(payment),
        (None, Some(coin)) => came(coin),
        (None, None) => String::new(),
    }))
}

pub(super) fn received(received: &Received) -> String {
    let known = if received.known { "was here before: " } else { "received " };
    format!(
        "{known}{}{} at {}",
        received.came.amount,
        asset(&received.came.asset),
        received.came.address
    )
}

pub(super) fn requests(all: &[RequestInfo]) -> String {
    lines(all.iter().map(|one| {
        let wanted = one.amount.clone().unwrap_or_else(|| "any amount".into());
        format!("{}  {} of {wanted} paid{}", one.address, one.paid, note(&one.label))
    }))
}

pub(super) fn tokens(all: &[TokenInfo]) -> String {
    lines(all.iter().map(|one| format!("{}  {} {}", one.asset, one.amount, one_line(&one.name))))
}

pub(super) fn event(event: &PayEvent) -> String {
    match event {
        PayEvent::Payment { payment: one } => payment(one),
        PayEvent::Received { came: coin } => came(coin),
        PayEvent::Delivered { coin } => format!("{coin}  noted by the payee"),
        PayEvent::Searched { addresses } => format!("{addresses} addresses searched"),
        PayEvent::Found { coins } => format!("{coins} coins found"),
    }
}
