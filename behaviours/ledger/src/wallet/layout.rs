//! Where things lie in a wallet's store.

use covey_kernel::{Peer, PublicKey};

use crate::{
    amount::Amount,
    output::{Asset, Outpoint, TxId},
    phrase::Branch,
};

/// The phrase, and how many addresses were made.
pub(super) const ME: &[u8] = &[0x01];
/// The certified configurations.
pub(super) const LINKS: &[u8] = &[0x02];
/// All own addresses, in the order in which they were made.
pub(super) const ADDRESSES: &[u8] = &[0x11];
/// All coins that are not spent.
pub(super) const COINS: &[u8] = &[0x20];
/// The transactions that are not final.
pub(super) const PENDING: &[u8] = &[0x31];
/// What came and went, in order.
pub(super) const HISTORY: &[u8] = &[0x40];
/// All payment requests.
pub(super) const REQUESTS: &[u8] = &[0x50];
/// All balances.
pub(super) const BALANCES: &[u8] = &[0x60];
/// What is to be told to payees.
pub(super) const DELIVERIES: &[u8] = &[0x70];
/// All tokens of which the manifest is known.
pub(super) const TOKENS: &[u8] = &[0x72];
/// Addresses that were told to peers.
pub(super) const HANDED: &[u8] = &[0x71];

fn key(tag: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut key = tag.to_vec();
    parts.iter().for_each(|part| key.extend(*part));
    key
}

/// An own address.
pub(super) fn own(address: &PublicKey) -> Vec<u8> {
    key(&[0x10], &[address.as_bytes()])
}

/// The address at a place of the key tree.
pub(super) fn address(branch: Branch, index: u32) -> Vec<u8> {
    key(ADDRESSES, &[&[branch.into()], &index.to_be_bytes()])
}

/// A coin.
pub(super) fn coin(outpoint: &Outpoint) -> Vec<u8> {
    key(COINS, &[&outpoint.key()])
}

/// An asset, as a part of a key: the coin is before all tokens.
fn asset_key(asset: &Asset) -> Vec<u8> {
    asset.0.map_or(vec![0; 33], |id| key(&[1], &[id.0.as_bytes()]))
}

/// All coins that a transaction has made.
pub(super) fn coins_of(tx: &TxId) -> Vec<u8> {
    key(COINS, &[tx.0.as_bytes()])
}

/// All coins that may be spent, by asset and amount.
pub(super) const FREE: &[u8] = &[0x21];

/// All coins of an asset that may be spent, by amount.
pub(super) fn free_of(asset: &Asset) -> Vec<u8> {
    key(FREE, &[&asset_key(asset)])
}

/// Those of an asset from an amount on.
pub(super) fn free_from(asset: &Asset, amount: Amount) -> Vec<u8> {
    key(&free_of(asset), &[&amount.units().to_be_bytes()])
}

/// A coin that may be spent.
pub(super) fn free(asset: &Asset, amount: Amount, outpoint: &Outpoint) -> Vec<u8> {
    key(&free_from(asset, amount), &[&outpoint.key()])
}

/// What a key made by [`free`] says.
pub(super) fn read_free(key: &[u8]) -> Option<(Asset, Amount, Outpoint)> {
    let (asset, rest) = key.get(1..)?.split_at_checked(33)?;
    let (amount, outpoint) = rest.split_at_checked(8)?;
    let amount = Amount::new(u64::from_be_bytes(amount.try_into().ok()?));
    Some((asset_of(asset)?, amount, Outpoint::from_key(outpoint)?))
}

/// The transaction for which a coin of ours was spent: what was once ours is not credited again.
pub(super) fn spent(outpoint: &Outpoint) -> Vec<u8> {
    key(&[0x22], &[&outpoint.key()])
}

/// An own transaction.
pub(super) fn payment(tx: &TxId) -> Vec<u8> {
    key(&[0x30], &[tx.0.as_bytes()])
}

/// An own transaction that is not final.
pub(super) fn pending(tx: &TxId) -> Vec<u8> {
    key(PENDING, &[tx.0.as_bytes()])
}

/// A line of the history.
pub(super) fn history(number: u64) -> Vec<u8> {
    key(HISTORY, &[&number.to_be_bytes()])
}

/// A number in a key made of a tag and a number.
pub(super) fn number(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(1..9)?.try_into().ok()?))
}

/// The payment request of an address.
pub(super) fn request(address: &PublicKey) -> Vec<u8> {
    key(REQUESTS, &[address.as_bytes()])
}

/// How much there is of an asset.
pub(super) fn balance(asset: &Asset) -> Vec<u8> {
    key(BALANCES, &[&asset_key(asset)])
}

/// An output that its payee is told of.
pub(super) fn delivery(outpoint: &Outpoint) -> Vec<u8> {
    key(DELIVERIES, &[&outpoint.key()])
}

/// The address that a peer was told.
pub(super) fn handed(peer: &Peer) -> Vec<u8> {
    key(HANDED, &[peer.as_bytes()])
}

/// A token.
pub(super) fn token(asset: &crate::output::AssetId) -> Vec<u8> {
    key(TOKENS, &[asset.0.as_bytes()])
}

/// The transaction in a key made by [`pending`].
pub(super) fn pending_tx(key: &[u8]) -> Option<TxId> {
    let tx = <[u8; 32]>::try_from(key.get(1..)?).ok()?;
    Some(TxId(covey_kernel::Hash::from_bytes(tx)))
}

/// The asset in a key made by [`balance`].
pub(super) fn balance_asset(key: &[u8]) -> Option<Asset> {
    asset_of(key.get(1..)?)
}

/// The asset in what [`asset_key`] makes.
fn asset_of(key: &[u8]) -> Option<Asset> {
    let (tag, id) = key.split_first()?;
    let id = <[u8; 32]>::try_from(id).ok()?;
    match tag {
        0 => Some(Asset::COIN),
        _ => Some(Asset(Some(crate::output::AssetId(covey_kernel::Hash::from_bytes(id))))),
    }
}
