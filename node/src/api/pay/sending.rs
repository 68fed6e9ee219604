//! Paying, and waiting for payments to be final.

use std::{sync::Arc, time::Duration};

use covey_kernel::Peer;
use covey_ledger::{
    Asset, TxId,
    wallet::{Command, Event, Order, PaymentView, Progress, Reply},
};
use covey_messaging as messaging;
use tokio::{sync::broadcast::error::RecvError, time::timeout};

use super::{
    about, call, convert,
    convert::Words,
    ledger, plain,
    types::{PaymentInfo, PaymentParams, PaymentText, ProofParams, SendManyParams, SendParams},
    unexpected, words,
};
use crate::{
    api::msg,
    node::State,
    rpc::{Registry, RpcError, codes},
};

/// How long a call waits for a payment at most.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(
            about("pay_send", "Pays an address, a request or a contact; stored when this answers."),
            send,
        )
        .method(about("pay_send_many", "Pays several addresses in one transaction."), send_many)
        .method(about("pay_payment", "Tells how far a payment has come."), payment)
        .method(about("pay_proof", "Gives what shows a payment to its payee."), proof);
}

/// Who is paid.
enum To {
    Address(covey_kernel::PublicKey),
    Contact(Peer),
}

async fn send(state: Arc<State>, params: SendParams) -> Result<PaymentInfo, RpcError> {
    let mut words = plain(&state)?;
    let mut asset = convert::asset(params.asset.as_deref())?;
    let mut asked = None;
    let to = if params.to.trim().to_ascii_lowercase().starts_with("covey:") {
        let uri = words.uri(&params.to)?;
        if let Some(id) = uri.asset {
            asset = Asset(Some(covey_ledger::AssetId(id)));
        }
        asked = uri.amount;
        To::Address(uri.to)
    } else {
        payee(&state, &words, &params.to).await?
    };
    if asset != Asset::COIN {
        words = super::words(&state).await?;
    }
    let amount = params.amount.as_deref();
    let amount = amount.map(|text| words.parse_amount(&asset, text)).transpose()?;
    let amount = match (amount, asked) {
        (Some(amount), Some(asked)) if amount != asked => {
            let error = format!("the request asks for {}", words.amount(&asset, asked));
            return Err(RpcError::new(codes::TWO_AMOUNTS, error));
        }
        (amount, asked) => amount.or(asked).ok_or_else(|| RpcError::from(codes::NO_AMOUNT))?,
    };
    let note = convert::label(&params.note)?;
    let order =
        |to| Order { to: vec![(to, amount)], asset, note, payee: None, twice: params.twice };
    let command = match to {
        To::Address(address) => Command::Send(order(address)),
        // It is replaced by what their wallet says.
        To::Contact(peer) => Command::SendTo(peer, order(peer)),
    };
    send_and_wait(&state, &words, command, params.wait_ms).await
}

async fn send_many(state: Arc<State>, params: SendManyParams) -> Result<PaymentInfo, RpcError> {
    let words = words(&state).await?;
    let asset = convert::asset(params.asset.as_deref())?;
    let to = params.to.iter().map(|payee| {
        let address = words.parse_address(&payee.address)?;
        Ok((address, words.parse_amount(&asset, &payee.amount)?))
    });
    let to = to.collect::<Result<Vec<_>, RpcError>>()?;
    let note = convert::label(&params.note)?;
    let order = Order { to, asset, note, payee: None, twice: params.twice };
    send_and_wait(&state, &words, Command::Send(order), params.wait_ms).await
}

/// An address, or a contact by name or key.
async fn payee(state: &State, words: &Words<'_>, text: &str) -> Result<To, RpcError> {
    let not_an_address = match words.parse_address(text) {
        Ok(address) => return Ok(To::Address(address)),
        Err(error) => error,
    };
    let messaging::Reply::Contacts(contacts) =
        msg::call(state, messaging::Command::Contacts).await?
    else {
        return Err(unexpected());
    };
    let wanted = text.trim().to_lowercase();
    let named = |contact: &&messaging::ContactView| contact.name.to_lowercase() == wanted;
    let begins = |contact: &&messaging::ContactView| {
        let key = contact.identity.to_string();
        !wanted.is_empty()
            && (contact.name.to_lowercase().starts_with(&wanted) || key.starts_with(&wanted))
    };
    if let Some(contact) = contacts.iter().find(named) {
        return may_be_paid(contact);
    }
    let found: Vec<_> = contacts.iter().filter(begins).collect();
    match found.as_slice() {
        [contact] => may_be_paid(contact),
        [] if text.contains('1') => Err(not_an_address),
        [] => {
            let error = format!("{text:?} is neither an address of this network nor a contact");
            Err(RpcError::new(codes::UNKNOWN_CONTACT, error))
        }
        _ => Err(RpcError::from(codes::AMBIGUOUS)),
    }
}

/// Whose keys have changed unseen might be somebody else by now.
fn may_be_paid(contact: &messaging::ContactView) -> Result<To, RpcError> {
    if contact.changed {
        return Err(codes::KEYS_CHANGED.into());
    }
    if contact.relation != messaging::Relation::Accepted {
        return Err(RpcError::from(codes::NOT_ACCEPTED));
    }
    Ok(To::Contact(contact.peer))
}

/// Listens before it sends, so that nothing is missed.
async fn send_and_wait(
    state: &State,
    words: &Words<'_>,
    command: Command,
    wait_ms: u64,
) -> Result<PaymentInfo, RpcError> {
    let mut events = ledger(state)?.wallet.subscribe();
    let Reply::Payment(sent) = call(state, command).await? else { return Err(unexpected()) };
    let view = settled(state, &mut events, *sent, wait_ms).await?;
    Ok(words.payment(&view))
}

fn is_settled(view: &PaymentView) -> bool {
    !matches!(view.progress, Progress::Sending(()))
}

/// Waits until a payment is final, failed or blocked; how it stands at the end of the time.
async fn settled(
    state: &State,
    events: &mut tokio::sync::broadcast::Receiver<Event>,
    first: PaymentView,
    wait_ms: u64,
) -> Result<PaymentView, RpcError> {
    if wait_ms == 0 || is_settled(&first) {
        return Ok(first);
    }
    let tx = first.tx;
    let settles = async {
        loop {
            match events.recv().await {
                Ok(Event::Payment(view)) if view.tx == tx && is_settled(&view) => return Ok(*view),
                Ok(_) => {}
                // So much happens that some of it was missed.
                Err(RecvError::Lagged(_)) => {
                    let view = look(state, tx).await?;
                    if is_settled(&view) {
                        return Ok(view);
                    }
                }
                Err(RecvError::Closed) => return Err(RpcError::from(codes::STOPPING)),
            }
        }
    };
    let wait = Duration::from_millis(wait_ms).min(LONGEST_WAIT);
    match timeout(wait, settles).await {
        Ok(settled) => settled,
        Err(_elapsed) => look(state, tx).await,
    }
}

async fn look(state: &State, tx: TxId) -> Result<PaymentView, RpcError> {
    match call(state, Command::Payment(tx)).await? {
        Reply::Payment(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

async fn payment(state: Arc<State>, params: PaymentParams) -> Result<PaymentInfo, RpcError> {
    let words = words(&state).await?;
    let mut events = ledger(&state)?.wallet.subscribe();
    let view = look(&state, convert::tx(&params.id)?).await?;
    let view = settled(&state, &mut events, view, params.wait_ms).await?;
    Ok(words.payment(&view))
}

/// A payment as the reply to a command.
pub(super) async fn payment_reply(state: &State, reply: Reply) -> Result<PaymentInfo, RpcError> {
    match reply {
        Reply::Payment(view) => Ok(words(state).await?.payment(&view)),
        _ => Err(unexpected()),
    }
}

async fn proof(state: Arc<State>, params: ProofParams) -> Result<PaymentText, RpcError> {
    let tx = convert::tx(&params.id)?;
    let index = match params.index {
        Some(index) => index,
        None => only_line(&look(&state, tx).await?)?,
    };
    match call(&state, Command::Proof(tx, index)).await? {
        Reply::Proof(receipt) => Ok(PaymentText { payment: receipt.to_string() }),
        _ => Err(unexpected()),
    }
}

fn only_line(view: &PaymentView) -> Result<u16, RpcError> {
    match view.lines.as_slice() {
        [line] => Ok(line.index),
        _ => Err(RpcError::new(codes::INVALID_PARAMS, "the payment pays several, or nobody")
            .help("name one of its places: index")),
    }
}
