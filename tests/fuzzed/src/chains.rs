use std::str::FromStr;

use covey_chains::{
    BlockId, Name, SignedBlock,
    envelope::Content,
    genesis::Genesis,
    limits::{BLOCK_BYTES, GENESIS_BYTES, REQUEST_BYTES, RESPONSE_BYTES},
    wire::{Item, News, Request, Response},
};
use covey_kernel::{NetworkId, Text, limits::GOSSIP_BYTES};

use crate::decoders::canonical;

/// The forum that blocks are checked against.
fn forum() -> Genesis {
    let name = Text::new("chat").unwrap();
    Genesis::forum(NetworkId::open(), name, covey_chains::genesis::Rules::Paper(()))
}

/// Whatever a block claims, it can be looked at, and its name leads back to it.
fn look(signed: &SignedBlock) {
    let id = signed.block.id();
    assert_eq!(BlockId::from_str(&id.to_string()), Ok(id));
    if signed.check(&forum()).is_ok() {
        assert!(id.height > 0 && signed.block.backs.iter().all(|back| back.height < id.height));
        assert_eq!(signed.block.author.is_some(), signed.signature.is_some());
    }
    if let Some((author, bytes, signature)) = signed.signed(&NetworkId::open()) {
        author.verify_bytes(&bytes, &signature).ok();
    }
}

fn look_at_all(items: &[Item]) {
    items.iter().for_each(|item| look(&item.block));
}

/// Requests between nodes about chains.
pub fn chains_request(bytes: &[u8]) {
    if let Some(Request::Pull(pull)) = canonical::<Request>(bytes, REQUEST_BYTES) {
        assert_eq!(pull.asker.chain.topic(), pull.asker.chain.topic());
    }
}

/// Responses about chains.
pub fn chains_response(bytes: &[u8]) {
    match canonical::<Response>(bytes, RESPONSE_BYTES) {
        Some(Response::Page(page)) => look_at_all(&page.items),
        Some(Response::Held(items)) => look_at_all(&items),
        Some(Response::Names(names)) => {
            names.iter().for_each(|name| chains_words(name.as_bytes()));
        }
        _ => {}
    }
}

/// What is gossiped.
pub fn chains_news(bytes: &[u8]) {
    if let Some(news) = canonical::<News>(bytes, GOSSIP_BYTES) {
        look(&news.item.block);
    }
}

/// Blocks, and the parameters of chains.
pub fn chains_records(bytes: &[u8]) {
    if let Some(signed) = canonical::<SignedBlock>(bytes, BLOCK_BYTES) {
        look(&signed);
    }
    if let Some(genesis) = canonical::<Genesis>(bytes, GENESIS_BYTES) {
        assert_eq!(genesis.id().height, 0);
        assert!(!genesis.name().to_string().is_empty());
        assert!(genesis.payload_limit(None) == genesis.payload.others);
        assert_eq!(genesis.params(None), genesis.params(None));
    }
}

/// A payload: whatever it is, it can be shown, and is read the same when it is made anew.
pub fn chains_content(bytes: &[u8]) {
    let content = Content::decode(bytes.to_vec());
    assert_eq!(Content::decode(content.encode()), content);
    assert!(content.body().len() <= bytes.len());
}

/// Names of chains and blocks as people type them.
pub fn chains_words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(name) = Name::from_str(text) {
        assert_eq!(Name::from_str(&name.to_string()), Ok(name));
    }
    if let Ok(id) = BlockId::from_str(text) {
        assert_eq!(id.to_string(), text.to_ascii_uppercase());
    }
}
