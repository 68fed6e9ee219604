use covey_kernel::Peer;
use libp2p::{
    Multiaddr, PeerId, TransportError,
    swarm::{DialError, dial_opts::PeerCondition},
};

use super::gate::Refused;

/// Why the swarm cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SwarmError {
    /// Another program listens there.
    #[error("{address} is in use by another program: choose another port, or end that program")]
    InUse {
        /// Where.
        address: Multiaddr,
    },
    /// Not an address this node can listen on.
    #[error("cannot listen on {address}: only TCP and QUIC addresses of this host can be used")]
    NotListenable {
        /// Which.
        address: Multiaddr,
    },
    /// The operating system refuses.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: Multiaddr,
        /// What it says.
        source: std::io::Error,
    },
    /// None of the addresses works.
    #[error("there is no address left to listen on: set network.listen to an address of this host")]
    NoListener,
    /// An address of a peer to be dialed does not say which peer.
    #[error("{setting}: {address} does not end in /p2p/<peer id> with an Ed25519 peer id")]
    NoPeerId {
        /// Which setting holds it.
        setting: &'static str,
        /// Which.
        address: Multiaddr,
    },
    /// A transport or behaviour cannot be set up.
    #[error("cannot set up {what}: {why}")]
    Setup {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
}

/// Why an address could not be connected with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialFailure {
    /// Somebody else answers there: the node has another key, or it is an impostor.
    #[error("at {address} answers {obtained}, not {expected}")]
    WrongPeerId {
        /// Where.
        address: Multiaddr,
        /// Who was meant.
        expected: PeerId,
        /// Who answers.
        obtained: PeerId,
    },
    /// This node itself answers there.
    #[error("{address} is this node itself")]
    Itself {
        /// Where.
        address: Multiaddr,
    },
    /// The peer is refused.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// Our own limits, or a ban.
    #[error("not allowed: {0}")]
    Denied(String),
    /// Nothing is known of where it is.
    #[error("no address is known")]
    NoAddress,
    /// A dial to the same peer is under way.
    #[error("already dialing this peer")]
    Already,
    /// Nobody answers there, or not in our way.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It closed the connection before it said who it is.
    #[error("the connection closed before the peer said who it is")]
    Closed,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// Too many dials at once.
    #[error("too many dials at once")]
    Busy,
}

impl DialFailure {
    /// What libp2p's error means for a dial to this peer, if one was meant.
    pub(super) fn of(error: &DialError, expected: Option<PeerId>) -> Self {
        match error {
            DialError::WrongPeerId { obtained, address } => Self::WrongPeerId {
                address: address.clone(),
                expected: expected.unwrap_or(*obtained),
                obtained: *obtained,
            },
            DialError::LocalPeerId { address } => Self::Itself { address: address.clone() },
            DialError::NoAddresses => Self::NoAddress,
            DialError::DialPeerConditionFalse(PeerCondition::Always | _) => Self::Already,
            DialError::Aborted => Self::Closed,
            DialError::Denied { cause } => match cause.downcast_ref::<Refused>() {
                Some(refused) => Self::Refused(refused.clone()),
                None => Self::Denied(chain(cause)),
            },
            DialError::Transport(errors) => Self::Unreachable(describe(errors)),
        }
    }
}

/// An error with its causes, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn describe(errors: &[(Multiaddr, TransportError<std::io::Error>)]) -> String {
    let each = errors.iter().map(|(address, error)| match error {
        TransportError::MultiaddrNotSupported(_) => format!("{address}: not supported"),
        TransportError::Other(error) => format!("{address}: {}", chain(error)),
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Why a peer's connection was closed by us, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who.
    pub peer: Peer,
    /// Why.
    pub why: Refused,
    /// Since when.
    pub since: std::time::SystemTime,
}
