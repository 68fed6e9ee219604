//! `keys_*`: the node's own keys, and named ones.

mod named;

use std::sync::Arc;

use covey_messaging::{Command, Reply, SignedKeySet};

pub(super) use named::{private, public};

use super::{
    msg,
    types::{Keys, Rotate},
};
use crate::{
    node::{State, peer_id},
    rpc::{Method, NoParams, Registry, RpcError},
};

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(
            Method { name: "keys_show", summary: "Tells your own keys.", errors: &[] },
            |state, _: NoParams| keys(state, Command::Whoami),
        )
        .method(
            Method {
                name: "keys_rotate",
                summary: "Makes new encryption keys; contacts are told and have to confirm them.",
                errors: &[],
            },
            |state, rotate: Rotate| keys(state, Command::Rotate { identity: rotate.identity }),
        );
    named::register(registry);
}

async fn keys(state: Arc<State>, command: Command) -> Result<Keys, RpcError> {
    match msg::call(&state, command).await? {
        Reply::Identity(keys) => Ok(view(&keys)),
        _ => Err(msg::unexpected()),
    }
}

fn view(keys: &SignedKeySet) -> Keys {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    Keys {
        name: keys.set.name.to_string(),
        identity: keys.identity.to_string(),
        peer: keys.set.peer.to_string(),
        peer_id: peer_id(&keys.set.peer),
        ratchet: hex(&keys.set.ratchet.0),
        sealing: hex(&keys.set.sealing.0),
        sequence: keys.set.sequence,
    }
}
