//! Real nodes: the built `covey`, on temporary directories, on loopback.

mod disk;
mod people;
mod proxy;
mod run;
mod running;
pub mod succession;
pub mod town;
mod wait;

pub use disk::Disk;
pub use people::{befriend, contact, contacts, history, invites, send, text_arrives, texts};
pub use proxy::{Capture, TcpProxy, UdpProxy};
pub use run::{Home, Outcome, binary};
pub use running::{Announced, Node, Stream};
pub use wait::{PATIENCE, until, until_some, within};
