//! What the methods of `node`, `net` and `keys` take and give.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// `node_status`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The version of covey.
    pub version: String,
    /// The network's name.
    pub network: String,
    /// The network's id.
    pub network_id: String,
    /// This node's libp2p peer id.
    pub peer_id: String,
    /// This node's key in hexadecimal.
    pub peer: String,
    /// The data directory.
    pub data: String,
    /// The process.
    pub pid: u32,
    /// Seconds since the node started.
    pub uptime_seconds: u64,
    /// Resident memory in bytes, where the system tells it.
    pub memory_bytes: Option<u64>,
    /// Connected peers of this network.
    pub peers: usize,
    /// Addresses it listens on.
    pub listen: Vec<String>,
    /// The protocols that run here.
    pub protocols: Vec<ProtocolStatus>,
}

/// How a protocol is doing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ProtocolStatus {
    /// Its name.
    pub name: String,
    /// Turns taken.
    pub turns: u64,
    /// Inputs taken in.
    pub inputs: u64,
    /// Inputs refused by a rule.
    pub refused: u64,
    /// Inputs refused because the inbox was full.
    pub busy: u64,
    /// Synced commits.
    pub commits: u64,
    /// Half of the commits took at most so many microseconds.
    pub commit_p50_micros: Option<u64>,
    /// 99 of 100 commits took at most so many microseconds.
    pub commit_p99_micros: Option<u64>,
}

/// `node_now`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct SetNow {
    /// The time to set, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<u64>,
}

/// The node's time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Now {
    /// Milliseconds since 1970.
    pub now: u64,
}

/// A connected peer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PeerView {
    /// Its libp2p peer id.
    pub peer_id: String,
    /// Its key in hexadecimal.
    pub peer: String,
    /// The remote ends of its connections.
    pub addresses: Vec<String>,
    /// What it says it runs.
    pub agent: Option<String>,
    /// `inbound` if it has dialed, `outbound` if we have.
    pub direction: String,
    /// The last round trip in milliseconds.
    pub ping_ms: Option<f64>,
    /// Connected since, in milliseconds since 1970.
    pub since: u64,
    /// Whether its connections are kept.
    pub kept: bool,
}

/// A peer that was refused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RefusedView {
    /// Its libp2p peer id.
    pub peer_id: String,
    /// Why.
    pub why: String,
    /// When, in milliseconds since 1970.
    pub since: u64,
}

/// `net_peers`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Peers {
    /// Connected peers.
    pub peers: Vec<PeerView>,
    /// Peers refused of late, with the reason.
    pub refused: Vec<RefusedView>,
}

/// `net_addresses`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AddressesView {
    /// Addresses that this node listens on, each with its peer id, to be given to others.
    pub listen: Vec<String>,
    /// Addresses known to work from outside.
    pub external: Vec<String>,
}

/// A peer on the local network.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NearbyView {
    /// Its libp2p peer id.
    pub peer_id: String,
    /// Its key in hexadecimal, as `msg invite` takes it.
    pub peer: String,
    /// Where.
    pub addresses: Vec<String>,
    /// Whether there is a connection.
    pub connected: bool,
}

/// `net_dial`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Dial {
    /// A multiaddress, with or without `/p2p/<peer id>`; or `IP:PORT` of TCP.
    pub address: String,
}

/// Who answered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Dialed {
    /// Its libp2p peer id.
    pub peer_id: String,
}

/// Own keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Keys {
    /// How you are called.
    pub name: String,
    /// Your identity: an Ed25519 key in hexadecimal.
    pub identity: String,
    /// The node's Ed25519 key in hexadecimal.
    pub peer: String,
    /// The node's libp2p peer id.
    pub peer_id: String,
    /// The ratchet's Curve25519 key in hexadecimal.
    pub ratchet: String,
    /// The sealing X25519 key in hexadecimal.
    pub sealing: String,
    /// Grows with every change of keys or name.
    pub sequence: u64,
}

/// `keys_rotate`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rotate {
    /// Also a new identity, vouched for by the old one.
    #[serde(default)]
    pub identity: bool,
}

/// `keys_new`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewKey {
    /// What to call it: 1 to 32 of `a` to `z`, `0` to `9` and `-`.
    pub name: String,
    /// The private key, 64 hexadecimal digits; none: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<Secret>,
}

/// `keys_forget`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeyParams {
    /// What the key is called.
    pub name: String,
}

/// A key that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedKey {
    /// What it is called.
    pub name: String,
    /// The public key in hexadecimal.
    pub public: String,
}

/// Nothing to tell.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct Done {}
