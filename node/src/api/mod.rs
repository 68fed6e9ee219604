//! The methods of the control socket, one namespace a file.

pub mod chains;
mod host;
mod keys;
pub mod msg;
mod net;
mod node;
pub mod pay;
pub mod secret;
pub mod types;
pub mod validator;

use std::sync::Arc;

use crate::{
    driver::CallError,
    node::State,
    rpc::{Api, Code, Registry, RegistryError, RpcError, codes},
    swarm,
};

/// All methods of a node.
pub fn methods(state: Arc<State>) -> Result<Api, RegistryError> {
    let mut registry = Registry::new(state);
    node::register(&mut registry);
    net::register(&mut registry);
    keys::register(&mut registry);
    msg::register(&mut registry);
    chains::register(&mut registry);
    pay::register(&mut registry);
    validator::register(&mut registry);
    registry.finish()
}

/// The swarm answers nothing once the node stops.
fn swarm_ended(_: swarm::Ended) -> RpcError {
    codes::STOPPING.into()
}

/// What a machine's refusal looks like to a client.
fn call_error<E: std::error::Error>(
    error: CallError<E>,
    code: impl FnOnce(&E) -> Code,
) -> RpcError {
    match error {
        CallError::Busy => codes::BUSY.into(),
        CallError::Stopped => codes::STOPPING.into(),
        CallError::Refused(error) => RpcError::new(code(&error), &error),
    }
}
