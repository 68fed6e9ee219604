//! The control socket: JSON-RPC 2.0 for this machine's own programs.
//!
//! Each method is registered once, in a [`Registry`], with its types; the OpenRPC document comes
//! from there. A [`Server`] serves the resulting [`Api`] on a Unix socket, as newline-delimited
//! JSON and as HTTP and WebSocket (the first byte tells), and on a loopback port when asked.
//!
//! jsonrpsee serves HTTP and WebSocket. Lines are served here, on the same methods and the same
//! `service`: calls of one line may finish in any order, and so may the calls of one batch.

mod bind;
mod calls;
pub mod codes;
mod connection;
mod connections;
mod error;
mod events;
mod guard;
mod io;
pub mod limits;
mod lines;
mod openrpc;
mod params;
mod pulse;
mod registry;
mod server;
mod service;

pub use bind::BindError;
pub use codes::Code;
pub use error::RpcError;
pub use events::from_broadcast;
pub use limits::Limits;
pub use params::NoParams;
pub use registry::{Api, Method, MethodSummary, Registry, RegistryError, Subscription};
pub use server::{Http, Server, Settings};

#[cfg(test)]
mod tests;
