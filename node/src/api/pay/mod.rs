//! `pay_*`: the wallet.

pub(in crate::api) mod convert;
pub(in crate::api) mod errors;
mod sending;
pub mod types;

use std::{collections::BTreeMap, sync::Arc};

use covey_ledger::{
    Decimals, Network, Phrase, Receipt,
    wallet::{Command, Reply},
};

use super::{call_error, types::Done};
use crate::{
    node::{Ledger, State},
    rpc::{Method, NoParams, Registry, RpcError, Subscription, codes, from_broadcast},
};
use convert::Words;
use types::{
    Address, AddressInfo, AssetParams, BalanceInfo, CoinInfo, CoinsParams, DEFAULT_PAGE,
    HistoryParams, IssueParams, LabelParams, LineInfo, NewAddress, PaymentInfo, PaymentText,
    PhraseText, Received, RequestInfo, RequestParams, Resumed, TokenInfo, ValidatorInfo,
    VerifiedInfo, WalletStatus,
};

/// The ledger of this network.
pub(in crate::api) fn ledger(state: &State) -> Result<&Ledger, RpcError> {
    state.ledger.as_ref().ok_or_else(|| codes::NO_LEDGER.into())
}

async fn call(state: &State, command: Command) -> Result<Reply, RpcError> {
    ledger(state)?.wallet.call(command).await.map_err(|error| call_error(error, errors::code))
}

/// A reply of another kind than its command's: a fault in the code.
fn unexpected() -> RpcError {
    codes::INTERNAL.into()
}

fn about(name: &'static str, summary: &'static str) -> Method {
    Method { name, summary, errors: errors::CODES }
}

/// The network, and what its tokens are called.
async fn words(state: &State) -> Result<Words<'_>, RpcError> {
    let Reply::Tokens(tokens) = call(state, Command::Tokens).await? else {
        return Err(unexpected());
    };
    Ok(Words { network: network(state)?, tokens: tokens.into_iter().collect() })
}

fn network(state: &State) -> Result<&Network, RpcError> {
    Ok(&ledger(state)?.network)
}

/// The network alone, where no token is spoken of.
fn plain(state: &State) -> Result<Words<'_>, RpcError> {
    Ok(Words { network: network(state)?, tokens: BTreeMap::new() })
}

/// What a valid payment shows, in JSON.
#[must_use]
pub fn verified(
    network: &Network,
    tokens: BTreeMap<covey_ledger::AssetId, covey_ledger::Manifest>,
    shown: &covey_ledger::Shown,
) -> VerifiedInfo {
    Words { network, tokens }.verified(shown)
}

pub(super) fn register(registry: &mut Registry<State>) {
    addresses(registry);
    money(registry);
    phrases(registry);
    sending::register(registry);
    registry.subscription(
        Subscription {
            name: "pay_subscribe",
            unsubscribe: "pay_unsubscribe",
            notification: "pay_event",
            summary: "Streams payments as they come further, and coins as they come.",
            errors: errors::CODES,
        },
        |state: Arc<State>, _: NoParams| async move {
            let events = ledger(&state)?.wallet.subscribe();
            let tokens = words(&state).await?.tokens;
            let state = state.clone();
            Ok(from_broadcast(events, move |event| {
                let network = network(&state).ok()?;
                Some(Words { network, tokens: tokens.clone() }.event(&event))
            }))
        },
    );
}

fn addresses(registry: &mut Registry<State>) {
    registry
        .method(about("pay_status", "Tells how the wallet is doing."), status)
        .method(
            about("pay_address", "Makes a new address."),
            |state: Arc<State>, NewAddress { label }| async move {
                match call(&state, Command::Address(convert::label(&label)?)).await? {
                    Reply::Address(key) => Ok(Address { address: plain(&state)?.address(&key) }),
                    _ => Err(unexpected()),
                }
            },
        )
        .method(
            about("pay_addresses", "Lists your addresses."),
            |state: Arc<State>, _: NoParams| async move {
                let Reply::Addresses(views) = call(&state, Command::Addresses).await? else {
                    return Err(unexpected());
                };
                let words = plain(&state)?;
                let info = |view: covey_ledger::wallet::AddressView| AddressInfo {
                    address: words.address(&view.address),
                    label: view.label.to_string(),
                    paid: view.paid,
                    change: view.change,
                };
                Ok(views.into_iter().map(info).collect::<Vec<_>>())
            },
        )
        .method(
            about("pay_label", "Calls an address of yours something else."),
            |state: Arc<State>, LabelParams { address, label }| async move {
                let address = plain(&state)?.parse_address(&address)?;
                call(&state, Command::Label(address, convert::label(&label)?)).await?;
                Ok(Done {})
            },
        )
        .method(about("pay_request", "Makes a payment request, at an address of its own."), request)
        .method(
            about("pay_requests", "Lists payment requests, and what was paid."),
            |state: Arc<State>, _: NoParams| async move {
                let words = words(&state).await?;
                match call(&state, Command::Requests).await? {
                    Reply::Requests(asked) => {
                        let info = asked.iter().map(|(key, asked)| words.request(key, asked));
                        Ok(info.collect::<Vec<RequestInfo>>())
                    }
                    _ => Err(unexpected()),
                }
            },
        );
}

fn money(registry: &mut Registry<State>) {
    registry
        .method(
            about("pay_balance", "Tells how much there is of each asset."),
            |state: Arc<State>, _: NoParams| async move {
                let words = words(&state).await?;
                match call(&state, Command::Balance).await? {
                    Reply::Balances(all) => {
                        let info = all.iter().map(|(asset, balance)| words.balance(asset, balance));
                        Ok(info.collect::<Vec<BalanceInfo>>())
                    }
                    _ => Err(unexpected()),
                }
            },
        )
        .method(about("pay_coins", "Lists coins."), coins)
        .method(about("pay_history", "Lists what came and went, newest first."), history)
        .method(
            about("pay_pending", "Lists payments that are not final."),
            |state: Arc<State>, _: NoParams| async move {
                let words = words(&state).await?;
                match call(&state, Command::Pending).await? {
                    Reply::Payments(all) => {
                        Ok(all.iter().map(|one| words.payment(one)).collect::<Vec<PaymentInfo>>())
                    }
                    _ => Err(unexpected()),
                }
            },
        )
        .method(
            about("pay_resume", "Tries all payments that are not final again at once."),
            |state: Arc<State>, _: NoParams| async move {
                match call(&state, Command::Resume).await? {
                    Reply::Resumed(resumed) => Ok(Resumed { resumed }),
                    _ => Err(unexpected()),
                }
            },
        )
        .method(
            about("pay_consolidate", "Puts small coins together."),
            |state: Arc<State>, AssetParams { asset }| async move {
                let command = Command::Consolidate(convert::asset(asset.as_deref())?);
                sending::payment_reply(&state, call(&state, command).await?).await
            },
        )
        .method(about("pay_issue", "Makes a token, all of it yours."), issue)
        .method(
            about("pay_tokens", "Lists the tokens that are known."),
            |state: Arc<State>, _: NoParams| async move {
                let words = words(&state).await?;
                let info = words.tokens.iter().map(|(id, token)| words.token(id, token));
                Ok(info.collect::<Vec<TokenInfo>>())
            },
        )
        .method(about("pay_receive", "Takes a payment that somebody shows."), receive)
        .method(about("pay_verify", "Checks a payment that somebody shows, offline."), verify);
}

fn phrases(registry: &mut Registry<State>) {
    registry
        .method(
            about("pay_phrase", "Gives the words that restore the wallet."),
            |state: Arc<State>, _: NoParams| async move {
                match call(&state, Command::Phrase).await? {
                    Reply::Phrase(words) => Ok(PhraseText { phrase: words.to_string().into() }),
                    _ => Err(unexpected()),
                }
            },
        )
        .method(
            about("pay_restore", "Becomes the wallet of other words, and searches for its coins."),
            |state: Arc<State>, PhraseText { phrase }| async move {
                let phrase = Phrase::parse(&phrase)
                    .map_err(|error| RpcError::new(codes::BAD_PHRASE, error))?;
                call(&state, Command::Restore(Box::new(phrase))).await.map(|_| Done {})
            },
        )
        .method(
            about(
                "pay_alone",
                "Says that no other device uses the words: what they found may be spent.",
            ),
            |state: Arc<State>, _: NoParams| async move {
                call(&state, Command::Alone).await.map(|_| Done {})
            },
        );
}

async fn status(state: Arc<State>, _: NoParams) -> Result<WalletStatus, RpcError> {
    let Reply::Status(status) = call(&state, Command::Status).await? else {
        return Err(unexpected());
    };
    let genesis = &network(&state)?.genesis;
    let currency = &genesis.currency;
    let validators = status
        .validators
        .iter()
        .map(|(name, connected)| ValidatorInfo { name: name.to_string(), connected: *connected });
    Ok(WalletStatus {
        network: genesis.name.to_string(),
        unit: currency.unit.to_string(),
        decimals: currency.decimals.get(),
        prefix: currency.prefix.to_string(),
        minimum: currency.decimals.format(currency.minimum),
        fee: currency.decimals.format(currency.fee),
        epoch: status.epoch,
        validators: validators.collect(),
        quorum: status.quorum,
        pending: status.pending,
        phrase: convert::phrase_state(status.restored).into(),
    })
}

async fn coins(state: Arc<State>, params: CoinsParams) -> Result<Vec<CoinInfo>, RpcError> {
    let words = words(&state).await?;
    let command = Command::Coins {
        asset: convert::asset(params.asset.as_deref())?,
        limit: params.limit.unwrap_or(DEFAULT_PAGE),
        after: params.after.as_deref().map(convert::outpoint).transpose()?,
    };
    match call(&state, command).await? {
        Reply::Coins(coins) => {
            Ok(coins.iter().map(|(outpoint, coin)| words.coin(outpoint, coin)).collect())
        }
        _ => Err(unexpected()),
    }
}

async fn history(state: Arc<State>, params: HistoryParams) -> Result<Vec<LineInfo>, RpcError> {
    let words = words(&state).await?;
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    match call(&state, Command::History { limit, before: params.before }).await? {
        Reply::History(lines) => {
            Ok(lines.iter().map(|(number, line)| words.line(*number, line)).collect())
        }
        _ => Err(unexpected()),
    }
}

async fn request(state: Arc<State>, params: RequestParams) -> Result<RequestInfo, RpcError> {
    let words = words(&state).await?;
    let asset = convert::asset(params.asset.as_deref())?;
    let amount = params.amount.as_deref();
    let amount = amount.map(|text| words.parse_amount(&asset, text)).transpose()?;
    let label = convert::label(&params.label)?;
    if label.contains(covey_kernel::is_hidden) {
        let error = "the label contains characters that show nothing";
        return Err(RpcError::new(codes::BAD_URI, error).help("leave them out"));
    }
    let command = Command::Ask { amount, asset, label: label.clone() };
    match call(&state, command).await? {
        Reply::Address(address) => {
            let made = state.clock.now();
            let paid = covey_ledger::Amount::ZERO;
            let asked = covey_ledger::wallet::Asked { amount, asset, label, made, paid };
            Ok(words.request(&address, &asked))
        }
        _ => Err(unexpected()),
    }
}

async fn issue(state: Arc<State>, params: IssueParams) -> Result<PaymentInfo, RpcError> {
    let decimals = Decimals::new(params.decimals)
        .ok_or_else(|| RpcError::new(codes::BAD_AMOUNT, "a token has at most 18 decimals"))?;
    let amount = decimals.parse(&params.amount);
    let amount = amount.map_err(|error| RpcError::new(codes::BAD_AMOUNT, error))?;
    let name = params.name.trim();
    if name.is_empty() || name.contains(covey_kernel::is_hidden) {
        let error = "a token's name has at least one character, and none that shows nothing";
        return Err(RpcError::new(codes::BAD_ASSET, error));
    }
    let name = covey_kernel::Text::new(name);
    let name = name.map_err(|error| RpcError::new(codes::LABEL_TOO_LONG, error))?;
    let reply = call(&state, Command::Issue { name, amount, decimals }).await?;
    sending::payment_reply(&state, reply).await
}

async fn receive(state: Arc<State>, params: PaymentText) -> Result<Received, RpcError> {
    let words = words(&state).await?;
    let receipt: Receipt = params.payment.parse().map_err(convert::receipt_error)?;
    receipt.verify(words.network).map_err(convert::receipt_error)?;
    match call(&state, Command::Receive(Box::new(receipt))).await? {
        Reply::Received { came, known } => Ok(Received { came: words.came(&came), known }),
        _ => Err(unexpected()),
    }
}

async fn verify(state: Arc<State>, params: PaymentText) -> Result<VerifiedInfo, RpcError> {
    let words = words(&state).await?;
    let receipt: Receipt = params.payment.parse().map_err(convert::receipt_error)?;
    let shown = receipt.verify(words.network).map_err(convert::receipt_error)?;
    Ok(words.verified(&shown))
}
