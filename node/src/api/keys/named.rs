//! Named keys, and what stands for a key in other methods: its hexadecimal digits or its name.

use std::sync::Arc;

use covey_kernel::{Keypair, PublicKey};
use data_encoding::{HEXLOWER_PERMISSIVE, HEXUPPER};
use zeroize::Zeroizing;

use crate::{
    api::types::{Done, KeyParams, NamedKey, NewKey},
    datadir::{KeyName, KeystoreError},
    node::State,
    rpc::{Method, NoParams, Registry, RpcError, codes},
};

const DIGITS: usize = 64;

pub(super) fn register(registry: &mut Registry<State>) {
    use codes::{BAD_KEY, BAD_KEY_NAME, KEY_EXISTS, KEYSTORE_FAILED, TOO_MANY_KEYS, UNKNOWN_KEY};
    registry
        .method(
            Method {
                name: "keys_new",
                summary: "Keeps a private key under a name; by default a new one.",
                errors: &[BAD_KEY_NAME, KEY_EXISTS, TOO_MANY_KEYS, KEYSTORE_FAILED, BAD_KEY],
            },
            new,
        )
        .method(
            Method {
                name: "keys_list",
                summary: "Lists the named keys.",
                errors: &[KEYSTORE_FAILED],
            },
            list,
        )
        .method(
            Method {
                name: "keys_forget",
                summary: "Deletes a named key for good.",
                errors: &[BAD_KEY_NAME, UNKNOWN_KEY, KEYSTORE_FAILED],
            },
            forget,
        );
}

async fn new(state: Arc<State>, params: NewKey) -> Result<NamedKey, RpcError> {
    let name = name(&params.name)?;
    let key = match params.private {
        Some(private) => digits(&private)?,
        None => Keypair::generate(&mut rand::rng()),
    };
    let view = view(&name, &key.public());
    on_disk(move || state.keys.add(&name, &key)).await?;
    Ok(view)
}

async fn list(state: Arc<State>, _: NoParams) -> Result<Vec<NamedKey>, RpcError> {
    let keys = on_disk(move || state.keys.list()).await?;
    Ok(keys.iter().map(|(name, key)| view(name, key)).collect())
}

async fn forget(state: Arc<State>, params: KeyParams) -> Result<Done, RpcError> {
    let name = name(&params.name)?;
    on_disk(move || state.keys.forget(&name)).await?;
    Ok(Done {})
}

/// The private key of who signs or reads.
pub(in crate::api) async fn private(state: &Arc<State>, text: &str) -> Result<Keypair, RpcError> {
    let text = text.trim();
    match is_no_name(text) {
        true => digits(text),
        false => named(state, text).await,
    }
}

/// Somebody's public key.
pub(in crate::api) async fn public(state: &Arc<State>, text: &str) -> Result<PublicKey, RpcError> {
    let text = text.trim();
    if !is_no_name(text) {
        return Ok(named(state, text).await?.public());
    }
    // It may be a private key, given by mistake: it is not said again.
    let why = || format!("this is no public key: it has {DIGITS} hexadecimal digits");
    text.parse().map_err(|_| RpcError::new(codes::BAD_KEY, why()))
}

async fn named(state: &Arc<State>, text: &str) -> Result<Keypair, RpcError> {
    let name = text.parse().map_err(|_| {
        // What was given may be most of a private key, so it is not said again.
        let why =
            format!("this is neither a key, of {DIGITS} hexadecimal digits, nor a key's name");
        RpcError::new(codes::BAD_KEY, why)
    })?;
    let state = state.clone();
    on_disk(move || state.keys.get(&name)).await
}

/// Whether it can only be meant as a key's digits: no name is as long.
fn is_no_name(text: &str) -> bool {
    text.len() > KeyName::LENGTH
}

/// A private key in hexadecimal digits; with the public key behind it, as some write it, 128.
fn digits(text: &str) -> Result<Keypair, RpcError> {
    let bad =
        || RpcError::new(codes::BAD_KEY, format!("a private key has {DIGITS} hexadecimal digits"));
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| bad())?;
    let bytes = Zeroizing::new(bytes);
    let (secret, public) = bytes.split_first_chunk::<32>().ok_or_else(bad)?;
    let key = Keypair::from_secret(secret);
    match public.is_empty() || public == key.public().as_bytes() {
        true => Ok(key),
        false => Err(bad()),
    }
}

fn name(text: &str) -> Result<KeyName, RpcError> {
    text.parse().map_err(|why| RpcError::new(codes::BAD_KEY_NAME, why))
}

fn view(name: &KeyName, key: &PublicKey) -> NamedKey {
    NamedKey { name: name.to_string(), public: HEXUPPER.encode(key.as_bytes()) }
}

/// Files are not read and written where other requests wait.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeystoreError> + Send + 'static,
) -> Result<T, RpcError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| RpcError::from(codes::INTERNAL))?.map_err(|error| refusal(&error))
}

fn refusal(error: &KeystoreError) -> RpcError {
    let code = match error {
        KeystoreError::Exists(_) => codes::KEY_EXISTS,
        KeystoreError::Unknown(_) => codes::UNKNOWN_KEY,
        KeystoreError::Full => codes::TOO_MANY_KEYS,
        KeystoreError::Files(_) => codes::KEYSTORE_FAILED,
    };
    RpcError::new(code, error)
}
