//! Between the machine's types and JSON.

use std::collections::BTreeMap;

use covey_kernel::{Hash, PublicKey, Text};
use covey_ledger::{
    Amount, Asset, AssetId, Decimals, InvalidAddress, InvalidAmount, InvalidUri, Manifest, Network,
    Outpoint, PaymentUri, Shown, TxId, address_text, parse_address,
    wallet::{
        Asked, Balance, Came, Coin, Event, Failure, Label, LineView, PaymentView, Progress,
        Restored, Use,
    },
};

use super::{
    errors,
    types::{
        BalanceInfo, CameInfo, CoinInfo, LineInfo, PaidInfo, PayEvent, PaymentInfo, PaymentState,
        RequestInfo, TokenInfo, VerifiedInfo,
    },
};
use crate::rpc::{RpcError, codes};

/// What is needed to write amounts and addresses as people read them.
pub(in crate::api) struct Words<'n> {
    pub(in crate::api) network: &'n Network,
    pub(in crate::api) tokens: BTreeMap<AssetId, Manifest>,
}

impl Words<'_> {
    pub(in crate::api) fn address(&self, key: &PublicKey) -> String {
        address_text(&self.network.genesis.currency.prefix, key)
    }

    pub(in crate::api) fn parse_address(&self, text: &str) -> Result<PublicKey, RpcError> {
        let parsed = parse_address(&self.network.genesis.currency.prefix, text);
        parsed.map_err(|error| RpcError::new(address_code(&error), error))
    }

    pub(in crate::api) fn uri(&self, text: &str) -> Result<PaymentUri, RpcError> {
        let currency = &self.network.genesis.currency;
        PaymentUri::parse(text, &currency.prefix, currency.decimals).map_err(|error| {
            let code = match &error {
                InvalidUri::Address(error) => address_code(error),
                _ => codes::BAD_URI,
            };
            RpcError::new(code, error)
        })
    }

    pub(in crate::api) fn decimals(&self, asset: &Asset) -> Decimals {
        match asset.0 {
            None => self.network.genesis.currency.decimals,
            Some(id) => self.tokens.get(&id).map_or(Decimals::NONE, |token| token.decimals),
        }
    }

    /// The number alone.
    pub(in crate::api) fn amount(&self, asset: &Asset, amount: Amount) -> String {
        self.decimals(asset).format(amount)
    }

    pub(in crate::api) fn parse_amount(
        &self,
        asset: &Asset,
        text: &str,
    ) -> Result<Amount, RpcError> {
        let parsed = self.decimals(asset).parse(text);
        parsed.map_err(|error: InvalidAmount| RpcError::new(codes::BAD_AMOUNT, error))
    }

    fn name(&self, asset: &Asset) -> String {
        match asset.0 {
            None => self.network.genesis.currency.unit.to_string(),
            Some(id) => {
                self.tokens.get(&id).map(|token| token.name.to_string()).unwrap_or_default()
            }
        }
    }

    pub(in crate::api) fn balance(&self, asset: &Asset, balance: &Balance) -> BalanceInfo {
        BalanceInfo {
            asset: asset_text(asset),
            name: self.name(asset),
            available: self.amount(asset, balance.free),
            reserved: self.amount(asset, balance.reserved),
            held: self.amount(asset, balance.held),
            coins: balance.coins,
        }
    }

    pub(in crate::api) fn coin(&self, outpoint: &Outpoint, coin: &Coin) -> CoinInfo {
        let (state, spent_by) = match coin.used {
            Use::Free(()) => ("free", None),
            Use::Reserved(by) => ("reserved", Some(by)),
            Use::Held(()) => ("held", None),
            Use::Lost(by) => ("lost", Some(by)),
        };
        CoinInfo {
            coin: outpoint.to_string(),
            amount: self.amount(&coin.output.asset, coin.output.amount),
            address: self.address(&coin.output.address),
            state: state.into(),
            spent_by: spent_by.map(|tx| tx.to_string()),
            since: coin.came.millis(),
        }
    }

    pub(in crate::api) fn payment(&self, view: &PaymentView) -> PaymentInfo {
        let (state, why, conflict) = match &view.progress {
            Progress::Sending(()) => (PaymentState::Sending, None, None),
            Progress::Certified(_) => (PaymentState::Final, None, None),
            Progress::Failed(Failure::Invalid(reason)) => {
                (PaymentState::Failed, Some(reason.to_string()), None)
            }
            Progress::Failed(Failure::Spent(by)) => {
                let why = "another payment has spent its coins".to_owned();
                (PaymentState::Failed, Some(why), Some(*by))
            }
            Progress::Blocked(evidence) => {
                let why = "validators have promised its coins to another payment that their owner \
                           signed";
                let by = evidence.tx(&self.network.id);
                (PaymentState::Blocked, Some(why.to_owned()), Some(by))
            }
        };
        let paid = view.lines.iter().map(|line| PaidInfo {
            address: self.address(&line.to),
            amount: self.amount(&view.asset, line.amount),
            index: line.index,
        });
        PaymentInfo {
            id: view.tx.to_string(),
            state,
            votes: view.votes,
            needed: view.needed,
            paid: paid.collect(),
            asset: asset_text(&view.asset),
            note: view.note.to_string(),
            made: view.made.millis(),
            why,
            conflict: conflict.map(|tx| tx.to_string()),
        }
    }

    pub(in crate::api) fn came(&self, came: &Came) -> CameInfo {
        CameInfo {
            coin: came.outpoint.to_string(),
            address: self.address(&came.output.address),
            amount: self.amount(&came.output.asset, came.output.amount),
            asset: asset_text(&came.output.asset),
            at: came.at.millis(),
        }
    }

    pub(in crate::api) fn line(&self, number: u64, line: &LineView) -> LineInfo {
        let (sent, received) = match line {
            LineView::Paid(payment) => (Some(self.payment(payment)), None),
            LineView::Came(came) => (None, Some(self.came(came))),
        };
        LineInfo { number, sent, received }
    }

    pub(in crate::api) fn request(&self, address: &PublicKey, asked: &Asked) -> RequestInfo {
        let currency = &self.network.genesis.currency;
        let label = (!asked.label.is_empty()).then(|| asked.label.to_string());
        let uri = PaymentUri {
            to: *address,
            amount: asked.amount,
            asset: asked.asset.0.map(|id| id.0),
            label,
            message: None,
        };
        RequestInfo {
            address: self.address(address),
            uri: uri.format(&currency.prefix, currency.decimals),
            amount: asked.amount.map(|amount| self.amount(&asked.asset, amount)),
            asset: asset_text(&asked.asset),
            label: asked.label.to_string(),
            made: asked.made.millis(),
            paid: self.amount(&asked.asset, asked.paid),
        }
    }

    pub(in crate::api) fn token(&self, id: &AssetId, token: &Manifest) -> TokenInfo {
        TokenInfo {
            asset: id.0.to_string(),
            name: token.name.to_string(),
            amount: token.decimals.format(token.amount),
            decimals: token.decimals.get(),
            issuer: self.address(&token.issuer),
        }
    }

    pub(in crate::api) fn verified(&self, shown: &Shown) -> VerifiedInfo {
        VerifiedInfo {
            coin: shown.outpoint.to_string(),
            address: self.address(&shown.output.address),
            amount: self.amount(&shown.output.asset, shown.output.amount),
            asset: asset_text(&shown.output.asset),
            epoch: shown.epoch,
            newest_epoch: shown.newest,
            signers: shown.signers.clone(),
        }
    }

    pub(in crate::api) fn event(&self, event: &Event) -> PayEvent {
        match event {
            Event::Payment(payment) => PayEvent::Payment { payment: self.payment(payment) },
            Event::Came(came) => PayEvent::Received { came: self.came(came) },
            Event::Delivered(outpoint) => PayEvent::Delivered { coin: outpoint.to_string() },
            Event::Searched(addresses) => PayEvent::Searched { addresses: *addresses },
            Event::Found(coins) => PayEvent::Found { coins: *coins },
        }
    }
}

fn address_code(error: &InvalidAddress) -> crate::rpc::Code {
    match error {
        InvalidAddress::OtherNetwork { .. } => codes::OTHER_ADDRESS,
        _ => codes::BAD_ADDRESS,
    }
}

fn asset_text(asset: &Asset) -> Option<String> {
    asset.0.map(|id| id.0.to_string())
}

fn hash(text: &str) -> Option<Hash> {
    text.trim().parse().ok()
}

/// The network's coin, or a token by its id.
pub(in crate::api) fn asset(text: Option<&str>) -> Result<Asset, RpcError> {
    let Some(text) = text else { return Ok(Asset::COIN) };
    let id = hash(text).ok_or_else(|| RpcError::from(codes::BAD_ASSET))?;
    Ok(Asset(Some(AssetId(id))))
}

pub(in crate::api) fn tx(text: &str) -> Result<TxId, RpcError> {
    hash(text).map(TxId).ok_or_else(|| RpcError::from(codes::UNKNOWN_PAYMENT))
}

/// A coin as it is shown: the transaction and the place there.
pub(in crate::api) fn outpoint(text: &str) -> Result<Outpoint, RpcError> {
    let parts = text.split_once(':');
    let parsed = parts
        .and_then(|(tx, index)| Some(Outpoint { tx: TxId(hash(tx)?), index: index.parse().ok()? }));
    parsed.ok_or_else(|| RpcError::new(codes::INVALID_PARAMS, "a coin is written as ID:PLACE"))
}

pub(in crate::api) fn label(text: &str) -> Result<Label, RpcError> {
    Text::new(text).map_err(|error| RpcError::new(codes::LABEL_TOO_LONG, error))
}

pub(in crate::api) fn phrase_state(restored: Restored) -> &'static str {
    match restored {
        Restored::No(()) => "own",
        Restored::Searching(()) => "searching",
        Restored::Held(()) => "held",
        Restored::Alone(()) => "alone",
    }
}

pub(in crate::api) fn receipt_error(error: covey_ledger::InvalidReceipt) -> RpcError {
    RpcError::new(errors::receipt(&error), error)
}
