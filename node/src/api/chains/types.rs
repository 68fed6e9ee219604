//! What the methods of `chains` take and give.

mod forks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use forks::{ChooseParams, Chosen, ForkView};

use crate::api::secret::Secret;

/// Names a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chain {
    /// `#chat`, `$family`, `@KEY`, or with the beginning of the genesis or the first post: `#chat@1B5C`.
    pub chain: String,
}

/// Which chain to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JoinParams {
    /// Its name; `#chat@ID` follows the first post ID.
    pub chain: String,
    /// A private group's shared key; a forum's pioneers, whose rules are then those of version 0.10.
    #[serde(default)]
    pub keys: Vec<Secret>,
    /// `paper` or `v10`; by default what the keys say.
    #[serde(default)]
    pub rules: Option<String>,
}

/// A chain that is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainView {
    /// Its name.
    pub name: String,
    /// Its genesis' id.
    pub genesis: String,
    /// The first post that is followed, in forums under the rules of the paper.
    pub first: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
}

/// Whether a chain was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// Whether it was.
    pub left: bool,
}

/// What is known of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusView {
    /// Which.
    #[serde(flatten)]
    pub chain: ChainView,
    /// Blocks in the order, without the genesis.
    pub placed: u64,
    /// Admitted blocks that the order leaves out.
    pub blocked: u64,
    /// Posts that wait for a like.
    pub held: u64,
    /// Blocks whose payload has not arrived.
    pub missing: u64,
    /// Bytes of payloads that are here.
    pub kept: u64,
    /// Bytes of payloads up to which others' are fetched: the setting `chains.room_mib`.
    pub room: u64,
    /// Places that no block can change any more.
    pub frozen: u64,
    /// Hard forks, at most 64.
    pub forks: Vec<ForkView>,
    /// A hash of the order: the same on all nodes that show the same.
    pub order: String,
}

/// One id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Id {
    /// `HEIGHT_HASH`.
    pub id: String,
}

/// Which heads to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeadsParams {
    /// The chain.
    pub chain: String,
    /// `placed` (the default), `held`, `blocked` or `forked`.
    #[serde(default)]
    pub which: Option<String>,
}

/// A part of the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderParams {
    /// The chain.
    pub chain: String,
    /// Only what is none of these blocks nor their ancestors.
    #[serde(default)]
    pub after: Vec<String>,
    /// How many to leave out at the beginning.
    #[serde(default)]
    pub skip: u64,
    /// How many to give, at most 20,000.
    #[serde(default)]
    pub limit: Option<u64>,
}

/// Ids in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ids {
    /// The ids.
    pub ids: Vec<String>,
    /// How many there are in all.
    pub total: u64,
}

/// One block of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockParams {
    /// The chain.
    pub chain: String,
    /// The block.
    pub id: String,
}

/// A vote in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoteView {
    /// A like, else a dislike.
    pub like: bool,
    /// Of which block.
    pub target: String,
}

/// A block, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockView {
    /// Its id.
    pub id: String,
    /// `placed`, `blocked`, `held`, `forked` (left aside) or `never`.
    pub state: String,
    /// Its place in the order.
    pub place: Option<u64>,
    /// When its author made it, as they say, in milliseconds since 1970; the genesis has none.
    pub time: Option<u64>,
    /// The author's public key.
    pub author: Option<String>,
    /// The author's signature.
    pub signature: Option<String>,
    /// The blocks before it.
    pub backs: Vec<String>,
    /// What it votes on.
    pub vote: Option<VoteView>,
    /// The payload's hash.
    pub payload: Option<String>,
    /// Bytes of the payload as it travels.
    pub size: Option<u64>,
    /// Whether the payload is encrypted.
    pub sealed: bool,
    /// Placed likes of it.
    pub likes: u32,
    /// Placed dislikes of it.
    pub dislikes: u32,
    /// Whether the payload is neither shown nor passed on.
    pub revoked: bool,
}

/// Which payload, or which file that came with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadParams {
    /// The chain.
    pub chain: String,
    /// The block.
    pub id: String,
    /// The name of an attachment; none: the body.
    #[serde(default)]
    pub attachment: Option<String>,
    /// The private key, or its name, of the person for whom it is encrypted.
    #[serde(default)]
    pub decrypt: Option<Secret>,
    /// How many bytes to leave out at the beginning.
    #[serde(default)]
    pub skip: u64,
    /// How many bytes to give, at most 2,500,000.
    #[serde(default)]
    pub limit: Option<u64>,
}

/// A payload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadView {
    /// What it says, if it is UTF-8 and has at most 256 KiB.
    pub text: Option<String>,
    /// Its bytes, or those that were asked for, in Base64.
    pub base64: String,
    /// How many bytes it has in all.
    pub size: u64,
    /// What it is about.
    pub title: Option<String>,
    /// Which block it answers.
    pub reply: Option<String>,
    /// The names of files that come with it.
    pub attachments: Vec<String>,
}

/// A file to post with a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttachmentParams {
    /// What it is called.
    pub name: String,
    /// Its bytes; or `upload`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// What was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
}

/// A part of what is too large for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadParams {
    /// The upload to which it belongs; none: it is the first part of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// The bytes that follow those that were uploaded before.
    pub base64: String,
}

/// What was uploaded until now. It serves one post; each part, and the post, must follow within 60 s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uploaded {
    /// Its id.
    pub upload: String,
    /// Its bytes.
    pub size: u64,
}

/// What to post. One of `text`, `base64` and `upload`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostParams {
    /// The chain.
    pub chain: String,
    /// What it is about.
    #[serde(default)]
    pub title: Option<String>,
    /// Which block it answers.
    #[serde(default)]
    pub reply: Option<String>,
    /// Files that come with it.
    #[serde(default)]
    pub attachments: Vec<AttachmentParams>,
    /// A text.
    #[serde(default)]
    pub text: Option<String>,
    /// Any bytes.
    #[serde(default)]
    pub base64: Option<String>,
    /// What was uploaded.
    #[serde(default)]
    pub upload: Option<String>,
    /// The author's private key, 64 hexadecimal digits, or its name; none: unsigned.
    #[serde(default)]
    pub sign: Option<Secret>,
    /// Who alone can read it: `owner` (of an identity's chain), a public key or a key's name; none:
    /// everybody who has the chain.
    #[serde(default)]
    pub encrypt: Option<String>,
}

/// A vote to cast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoteParams {
    /// The chain.
    pub chain: String,
    /// On which block.
    pub id: String,
    /// A like, else a dislike.
    pub like: bool,
    /// The voter's private key, 64 hexadecimal digits, or its name.
    pub sign: Secret,
    /// Why.
    #[serde(default)]
    pub why: Option<String>,
}

/// How an author wants to be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileParams {
    /// The chain.
    pub chain: String,
    /// The name.
    pub name: String,
    /// A few words.
    #[serde(default)]
    pub about: String,
    /// The author's private key, 64 hexadecimal digits, or its name.
    pub sign: Secret,
}

/// Which posts to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShowParams {
    /// The chain.
    pub chain: String,
    /// From this place of the order on.
    #[serde(default)]
    pub from: u64,
    /// At most so many, and not more than 512.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Only those that say this, in whatever case.
    #[serde(default)]
    pub search: Option<String>,
    /// Only those that came since the chain was last marked as read.
    #[serde(default)]
    pub unread: bool,
}

/// A post, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownView {
    /// Its id.
    pub id: String,
    /// Its place in the order.
    pub place: u64,
    /// When it was made, as its author says, in milliseconds since 1970.
    pub time: u64,
    /// The author's public key.
    pub author: Option<String>,
    /// How the author wants to be called.
    pub name: Option<String>,
    /// What it votes on.
    pub vote: Option<VoteView>,
    /// `message`, `profile`, `missing`, `revoked`, `purged` or `sealed`.
    pub payload: String,
    /// What it is about.
    pub title: Option<String>,
    /// Which block it answers.
    pub reply: Option<String>,
    /// What it says; at most 4,096 bytes of it.
    pub body: String,
    /// The names of files that come with it.
    pub attachments: Vec<String>,
    /// Placed likes of it.
    pub likes: u32,
    /// Placed dislikes of it.
    pub dislikes: u32,
    /// Whether it came since the chain was last marked as read.
    pub unread: bool,
}

/// A part of a chain, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownPage {
    /// The posts, in order.
    pub posts: Vec<ShownView>,
    /// The place to go on from, if there may be more.
    pub next: Option<u64>,
}

/// Whom to mute, or not to mute any longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MuteParams {
    /// The chain.
    pub chain: String,
    /// The author's public key, or a named key's name.
    pub author: String,
    /// Whether to show their posts no longer.
    pub mute: bool,
}

/// Authors of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Authors {
    /// Their public keys.
    pub authors: Vec<String>,
}

/// What to delete here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PurgeParams {
    /// A block's id, or a payload's hash.
    pub what: String,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purged {
    /// How many payloads.
    pub purged: u64,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posted {
    /// Its id.
    pub id: String,
    /// `placed`, `blocked` or `held`.
    pub state: String,
}

/// Whose reps to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepsParams {
    /// The chain.
    pub chain: String,
    /// A block's id, an author's public key or a named key's name.
    pub of: String,
}

/// Reps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reps {
    /// How many.
    pub reps: i64,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerParams {
    /// A multiaddress, `IP:PORT` of TCP, or the peer id or IP address of a connected node.
    pub peer: String,
}

/// What to synchronise with a peer now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncParams {
    /// The chain.
    pub chain: String,
    /// A multiaddress, `IP:PORT` of TCP, or the peer id or IP address of a connected node.
    pub peer: String,
    /// `send` or `recv`.
    pub direction: String,
}

/// What a synchronisation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// Blocks that were new to the receiving side.
    pub accepted: u64,
    /// Blocks that were offered.
    pub offered: u64,
}

/// How long a peer takes to answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pinged {
    /// Milliseconds from the question to the answer.
    pub ms: f64,
}

/// The public chains of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Names {
    /// Their names.
    pub names: Vec<String>,
}

/// What happens to chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventView {
    /// A block has come or was made.
    Block {
        /// In which chain.
        chain: ChainView,
        /// Which.
        id: String,
        /// `placed`, `blocked` or `held`.
        state: String,
    },
    /// Another side of a hard fork is followed.
    Chosen {
        /// In which chain.
        chain: ChainView,
        /// Blocks of that side; of each a `block` follows.
        adopted: u64,
        /// Blocks that contradict it: they are no longer in the order.
        aside: u64,
    },
    /// A chain is followed.
    Joined {
        /// Which.
        chain: ChainView,
    },
    /// A chain is followed no longer.
    Left {
        /// Which.
        chain: ChainView,
    },
    /// A forum's first post is known.
    Begun {
        /// Of which.
        chain: ChainView,
    },
}

impl EventView {
    /// The chain that it is about.
    #[must_use]
    pub fn chain(&self) -> &ChainView {
        match self {
            Self::Block { chain, .. }
            | Self::Chosen { chain, .. }
            | Self::Joined { chain }
            | Self::Left { chain }
            | Self::Begun { chain } => chain,
        }
    }
}
