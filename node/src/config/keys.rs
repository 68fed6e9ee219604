//! Every setting: one line each.

use std::path::PathBuf;

use libp2p::Multiaddr;

use super::values::{DisplayName, FileMode, Filter, Format, Loopback, Raw, Setting};

/// What is known of a setting besides its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The table in the file.
    pub section: &'static str,
    /// The name in that table.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
}

impl Key {
    /// `section.name`, as in `--set` and in messages.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("COVEY_{}_{}", self.section, self.name).to_uppercase()
    }
}

macro_rules! settings {
    ($(
        $(#[doc = $about:literal])*
        $section:ident: $Section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $Type:ty = $default:expr; )*
        }
    )*) => {
        $(
            $(#[doc = $about])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $Section { $( $(#[doc = $doc])+ pub $key: $Type, )* }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $( $key: $default, )* }
                }
            }
        )*

        /// All settings.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Config { $( $(#[doc = $about])* pub $section: $Section, )* }

        impl Config {
            /// Every setting, in the order of the documentation.
            pub const KEYS: &'static [Key] = &[$($(Key {
                section: stringify!($section),
                name: stringify!($key),
                doc: concat!($($doc),+).trim_ascii(),
            },)*)*];

            /// Sets one key; says what it expected instead.
            pub(super) fn set(&mut self, key: &Key, raw: &Raw<'_>) -> Result<(), String> {
                match (key.section, key.name) {
                    $($((stringify!($section), stringify!($key)) => {
                        self.$section.$key = Setting::read(raw)?;
                    })*)*
                    _ => {}
                }
                Ok(())
            }

            /// The value of one key.
            pub(super) fn get(&self, key: &Key) -> serde_json::Value {
                match (key.section, key.name) {
                    $($((stringify!($section), stringify!($key)) => {
                        self.$section.$key.show()
                    })*)*
                    _ => serde_json::Value::Null,
                }
            }
        }
    };
}

settings! {
    /// Which network, and how to reach it.
    network: Network {
        /// The network to join: a name that its members share. A node that was set up with a genesis
        /// is on that network instead.
        name: String = "open".into();
        /// Addresses to listen on; port 0 is any free port.
        listen: Vec<Multiaddr> = any_address();
        /// Addresses at which others reach this node from outside, as behind a forwarded port. Contact
        /// codes contain them.
        external: Vec<Multiaddr> = Vec::new();
        /// Nodes to ask first, each with its /p2p/ peer id.
        bootstrap: Vec<Multiaddr> = Vec::new();
        /// Nodes to stay connected with, each with its /p2p/ peer id.
        static_peers: Vec<Multiaddr> = Vec::new();
        /// Find nodes on the local network by multicast DNS.
        mdns: bool = true;
        /// The network has no internet: answer Kademlia queries without waiting for a known outside address.
        isolated: bool = false;
        /// Connections with peers at most.
        max_connections: u32 = 512;
    }
    /// The control socket.
    rpc: Rpc {
        /// Also serve HTTP and WebSocket on this loopback address, guarded by a token.
        http: Option<Loopback> = None;
        /// Permissions of the control socket, in octal. A group that is to use it must also be
        /// able to enter the data directory (chmod 710).
        file_mode: FileMode = FileMode::PRIVATE;
        /// Connections of local clients at most; half of them by HTTP.
        max_connections: u32 = 2048;
    }
    /// What the node says about itself.
    log: Log {
        /// What to log: a level, or directives such as info,covey=debug.
        filter: Filter = Filter::info();
        /// How to write it: text or json.
        format: Format = Format::Text;
        /// Where to write it, instead of standard error.
        file: Option<PathBuf> = None;
    }
    /// Private messages.
    messaging: Messaging {
        /// How you want to be called, instead of by the beginning of your key.
        name: Option<DisplayName> = None;
        /// Tell senders when their messages have been read.
        read_receipts: bool = true;
    }
    /// Forums, groups and identities.
    chains: Chains {
        /// MiB of payloads that each chain has here before what others write waits for room.
        room_mib: u32 = 4096;
    }
}

impl Chains {
    /// Bytes.
    #[must_use]
    pub fn room(&self) -> u64 {
        u64::from(self.room_mib) << 20
    }
}

fn any_address() -> Vec<Multiaddr> {
    let texts = [
        "/ip4/0.0.0.0/udp/0/quic-v1",
        "/ip6/::/udp/0/quic-v1",
        "/ip4/0.0.0.0/tcp/0",
        "/ip6/::/tcp/0",
    ];
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
