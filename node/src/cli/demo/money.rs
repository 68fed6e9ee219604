//! The steps of the demonstration that are about money.

use std::path::Path;

use covey_ledger::Receipt;
use serde_json::{Value, json};

use super::{Cast, DemoError, check, steps::Script};
use crate::{
    api::{
        pay::types::{
            Address, BalanceInfo, LineInfo, PaymentInfo, PaymentState, PaymentText, WalletStatus,
        },
        validator::types::{DoubleSpendInfo, ValidatorStatus},
    },
    cli::Failure,
    local::{Local, Transport, vote_in},
};

/// Payments around the moment when a validator is killed.
const KILLED: usize = 60;

/// Payments while one is replaced.
const REPLACED: usize = 20;

/// How long a payment may take, in milliseconds, where the machine has much else to do.
const WAIT: u64 = 20_000;

pub(super) async fn all(cast: &mut Cast, place: &Path, script: &mut Script) -> Result<(), Failure> {
    treasury(cast).await?;
    script.done("Ann restores the treasury's words: 10000.00 leaf are hers")?;
    let paid = pay_contact(cast).await?;
    script.done(
        "Ann pays Bob, her contact, 12.50 leaf: 3 of 4 validators sign, Bob's wallet has it",
    )?;
    shown(cast, &paid).await?;
    script.done("whoever has the genesis file can check the payment offline; one digit changed, and it fails")?;
    twice(cast, place).await?;
    script.done("another device with Ann's words pays Eve with the same coin: refused, with evidence signed by Ann")?;
    killed(cast).await?;
    script.done(
        "a validator is killed among 60 payments: all are final, nobody notices; it comes back",
    )?;
    replaced(cast).await?;
    script.done(
        "v5 takes the place of v4: governance signs, the operators agree, the locks are handed over; payments go on",
    )?;
    Ok(())
}

/// All validators are there, and vote.
async fn treasury(cast: &Cast) -> Result<(), DemoError> {
    for validator in &cast.validators {
        let what = format!("{} to vote", validator.name);
        let votes = |status: &ValidatorStatus| status.ready;
        validator.wait(&what, "validator_status", &json!({}), votes).await?;
    }
    for person in [&cast.ann, &cast.bob, &cast.eve] {
        connected(person).await?;
    }
    restore(&cast.ann, &cast.community.treasury()?).await?;
    has(&cast.ann, "10000.00").await
}

async fn connected(person: &Local) -> Result<(), DemoError> {
    let all = |status: &WalletStatus| status.validators.iter().all(|one| one.connected);
    let what = format!("all validators to be connected with {}", person.name);
    person.wait(&what, "pay_status", &json!({}), all).await?;
    Ok(())
}

/// Becomes the wallet of some words, as their only device.
async fn restore(node: &Local, words: &str) -> Result<(), DemoError> {
    let _: Value = node.call("pay_restore", &json!({ "phrase": words })).await?;
    let found = |status: &WalletStatus| status.phrase == "held";
    let what = format!("{} to have searched", node.name);
    node.wait(&what, "pay_status", &json!({}), found).await?;
    let _: Value = node.call("pay_alone", &json!({})).await?;
    Ok(())
}

/// Waits until somebody may spend so much.
async fn has(node: &Local, amount: &str) -> Result<(), DemoError> {
    let what = format!("{} to have {amount} leaf", node.name);
    let right = |all: &Vec<BalanceInfo>| all.first().is_some_and(|coin| coin.available == amount);
    node.wait(&what, "pay_balance", &json!({}), right).await?;
    Ok(())
}

async fn address(node: &Local) -> Result<String, DemoError> {
    let made: Address = node.call("pay_address", &json!({})).await?;
    Ok(made.address)
}

async fn pay(node: &Local, to: &str, amount: &str) -> Result<PaymentInfo, DemoError> {
    let params = json!({ "to": to, "amount": amount, "wait_ms": WAIT });
    Ok(node.call("pay_send", &params).await?)
}

async fn pay_contact(cast: &Cast) -> Result<PaymentInfo, DemoError> {
    // A wallet that was never used tells nobody where to pay.
    address(&cast.bob).await?;
    let paid = pay(&cast.ann, "Bob", "12.50").await?;
    check(paid.state == PaymentState::Final, "the payment is final")?;
    check(paid.votes == 3, format!("3 votes make it final, not {}", paid.votes))?;
    has(&cast.bob, "12.50").await?;
    has(&cast.ann, "9987.50").await?;
    Ok(paid)
}

/// The payment's text shows what was paid, to whoever has the genesis; a changed one shows nothing.
async fn shown(cast: &Cast, paid: &PaymentInfo) -> Result<(), DemoError> {
    let proof: PaymentText = cast.ann.call("pay_proof", &json!({ "id": paid.id })).await?;
    let network = cast.community.network();
    let wrong = |error: covey_ledger::InvalidReceipt| DemoError::Wrong(error.to_string());
    let mut receipt: Receipt = proof.payment.parse().map_err(wrong)?;
    let shown = receipt.verify(network).map_err(wrong)?;
    check(shown.output.amount.units() == 1250, "12.50 were paid")?;
    receipt.paid.salted.output.amount = covey_ledger::Amount::new(9250);
    check(receipt.verify(network).is_err(), "a changed payment shows nothing")
}

/// A second device that has the same words does not know that the coin is spent.
async fn twice(cast: &Cast, place: &Path) -> Result<(), Failure> {
    let other =
        cast.community.person("Ann2", Transport::Both, false).await.map_err(DemoError::from)?;
    conflict(cast, &other).await?;
    let mut other = other;
    other.stop().await.map_err(DemoError::from)?;
    drop(std::fs::remove_dir_all(place.join("ann2")));
    Ok(())
}

async fn conflict(cast: &Cast, other: &Local) -> Result<(), DemoError> {
    connected(other).await?;
    restore(other, &cast.community.treasury()?).await?;
    has(other, "9987.50").await?;
    let (bob, eve) = (address(&cast.bob).await?, address(&cast.eve).await?);
    let first = pay(&cast.ann, &bob, "9987.50").await?;
    check(first.state == PaymentState::Final, "the first payment is final")?;
    let second = pay(other, &eve, "9987.50").await?;
    check(second.state == PaymentState::Blocked, "the second payment of the coin is blocked")?;
    let shown = second.conflict.as_deref() == Some(first.id.as_str());
    check(shown, "the evidence names the first payment")?;
    let seen = |all: &Vec<DoubleSpendInfo>| {
        all.iter().any(|one| one.locked_for == first.id && one.refused == second.id)
    };
    for validator in &cast.validators {
        let what = format!("the evidence at {}", validator.name);
        validator.wait(&what, "validator_evidence", &json!({}), seen).await?;
    }
    // He was paid at an address of his; the payer shows it to him.
    let proof: PaymentText = cast.ann.call("pay_proof", &json!({ "id": first.id })).await?;
    let _: Value = cast.bob.call("pay_receive", &proof).await?;
    has(&cast.bob, "10000.00").await?;
    has(&cast.eve, "0.00").await
}

/// Bob pays Eve again and again while a validator dies.
async fn killed(cast: &mut Cast) -> Result<(), DemoError> {
    let eve = address(&cast.eve).await?;
    let half = KILLED / 2;
    for number in 0..KILLED {
        if number == half
            && let Some(validator) = cast.validators.get_mut(1)
        {
            validator.kill().await?;
        }
        let paid = pay(&cast.bob, &eve, "1.00").await?;
        check(paid.state == PaymentState::Final, format!("payment {number} is final"))?;
    }
    has(&cast.bob, "9940.00").await?;
    let lines: Vec<LineInfo> = cast.bob.call("pay_history", &json!({ "limit": 200 })).await?;
    let sent = lines.iter().filter(|line| line.sent.is_some()).count();
    check(sent == KILLED, format!("{KILLED} payments are in the history, not {sent}"))?;
    if let Some(validator) = cast.validators.get_mut(1) {
        validator.up().await?;
        let votes = |status: &ValidatorStatus| status.ready;
        validator.wait("v2 to vote again", "validator_status", &json!({}), votes).await?;
    }
    Ok(())
}

/// A validator is replaced while Bob pays Eve.
async fn replaced(cast: &mut Cast) -> Result<(), DemoError> {
    let fifth = cast.community.candidate("v5", Transport::Both).await?;
    let eve = address(&cast.eve).await?;
    let present: Vec<&Local> = cast.validators.iter().collect();
    let mut next: Vec<&Local> = present.iter().take(3).copied().collect();
    next.push(&fifth);
    let epoch = cast.community.succeed(&present, &next).await?;
    for number in 0..REPLACED {
        let paid = pay(&cast.bob, &eve, "1.00").await?;
        check(paid.state == PaymentState::Final, format!("payment {number} is final"))?;
    }
    vote_in(epoch, &next).await?;
    if let Some(mut fourth) = cast.validators.pop() {
        fourth.stop().await?;
    }
    cast.validators.push(fifth);
    let paid = pay(&cast.bob, &eve, "1.00").await?;
    check(paid.state == PaymentState::Final, "a payment in the new epoch is final")?;
    has(&cast.bob, "9919.00").await
}
