//! What a local user asks for, gets, and may listen to.

use covey_kernel::{Hash, Keypair, Peer, PublicKey, Time};

use crate::{
    BlockId, Name, SignedBlock, Vote,
    envelope::Content,
    genesis::Genesis,
    graph::{Never, Votes},
    phrase::GroupKey,
    wire::Tally,
};

/// A chain as a user names it: `#chat`, or `#chat@ID` with its first post or its genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Its name.
    pub name: Name,
    /// The beginning of the hash of its first post or its genesis, in hexadecimal digits.
    pub id: Option<String>,
}

/// What to join.
#[derive(Debug)]
pub struct Join {
    /// Its parameters.
    pub genesis: Genesis,
    /// The first post to follow; none: the first one that comes.
    pub first: Option<Hash>,
    /// A private group's key.
    pub key: Option<GroupKey>,
}

/// What to post.
#[derive(Debug)]
pub struct Post {
    /// Where.
    pub chain: Selector,
    /// What.
    pub content: Content,
    /// Who signs.
    pub sign: Option<Keypair>,
    /// A like (`true`) or dislike of a block.
    pub vote: Option<(bool, BlockId)>,
    /// Who alone can read it; none: everybody who has the chain.
    pub reader: Option<Reader>,
}

/// Who alone can read a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The owner of the identity's chain.
    Owner,
    /// Whoever has the secret of this key.
    Key(PublicKey),
}

/// Which heads to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Placed blocks on which no placed one builds.
    Placed,
    /// Posts that wait for a like.
    Held,
    /// Admitted blocks that the order leaves out.
    Blocked,
    /// Blocks that are left aside, as they contradict what is frozen.
    Forked,
}

/// Whose reps to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A post's: likes less dislikes.
    Block(BlockId),
    /// An author's.
    Author(PublicKey),
}

/// In which direction to synchronise with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer gets what it lacks.
    Send,
    /// We get what we lack.
    Receive,
}

/// Which posts to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    /// Of which chain.
    pub chain: Selector,
    /// From this place of the order on.
    pub from: u64,
    /// At most so many.
    pub limit: usize,
    /// Only those that say this, in whatever case.
    pub search: Option<String>,
    /// Only those that came since the chain was last marked as read.
    pub unread: bool,
}

/// What to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// The payload of this block.
    Block(BlockId),
    /// The payload with this hash, wherever it is.
    Payload(Hash),
}

/// What a local user asks for.
#[derive(Debug)]
pub enum Command {
    /// Follow a chain.
    Join(Box<Join>),
    /// Follow it no longer, and forget it.
    Leave(Selector),
    /// All chains that are followed.
    List,
    /// What is known of a chain.
    Status(Selector),
    /// The genesis' id.
    Genesis(Selector),
    /// Heads.
    Heads(Selector, Which),
    /// The order.
    Order(Selector),
    /// All placed blocks that are none of these nor their ancestors, in order.
    Traverse(Selector, Vec<BlockId>),
    /// A block.
    Block(Selector, BlockId),
    /// A block's payload, with its envelope; and the key to read it with if it is for one person.
    Content(Selector, BlockId, Option<Box<Keypair>>),
    /// Post or vote.
    Post(Box<Post>),
    /// Reps.
    Reps(Selector, Of),
    /// Posts, for a person to read.
    Show(Show),
    /// Everything that is there has been read.
    MarkRead(Selector),
    /// Show an author's posts no longer (`true`), or again.
    Mute(Selector, PublicKey, bool),
    /// The authors that are muted.
    Muted(Selector),
    /// Delete a payload here, refuse it and never serve it again.
    Purge(Purge),
    /// Follow the side of a hard fork on which this block is.
    Choose(Selector, BlockId),
    /// Synchronise with a peer now.
    Sync(Selector, Peer, Direction),
    /// Ask a peer for its public chains.
    PeerChains(Peer),
}

/// A chain that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainInfo {
    /// Its name.
    pub name: Name,
    /// Its genesis.
    pub genesis: BlockId,
    /// The first post that is followed, where that matters.
    pub first: Option<BlockId>,
    /// Since when it is followed.
    pub since: Time,
}

/// A hard fork: a past that contradicts what is frozen here, and is left aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkInfo {
    /// The block with which it begins.
    pub first: BlockId,
    /// How many places from the end it would change the order.
    pub back: u64,
    /// Since when it is known here, or was left aside for another side.
    pub since: Time,
    /// The latest blocks to which it leads, of those on which nothing builds: to choose one of them is to
    /// follow it.
    pub tips: Vec<BlockId>,
}

/// What is known of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStatus {
    /// Which.
    pub info: ChainInfo,
    /// Placed blocks, without the genesis.
    pub placed: u64,
    /// Admitted blocks that the order leaves out.
    pub blocked: u64,
    /// Posts that wait for a like.
    pub held: u64,
    /// Blocks whose payload has not arrived.
    pub missing: u64,
    /// Bytes of payloads that are here.
    pub kept: u64,
    /// Bytes of payloads up to which others' are fetched.
    pub room: u64,
    /// Frozen places.
    pub frozen: u64,
    /// Hard forks.
    pub forks: Vec<ForkInfo>,
    /// SHA-256 of the ids in their order: the same on all nodes that show the same.
    pub order: Hash,
}

/// Where a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the order, at this place; the genesis is at 0.
    Placed(u64),
    /// Admitted, and left out of the order: its author's reps were spent elsewhere.
    Blocked,
    /// Its author had no reps: it waits for a like.
    Held,
    /// Admitted, and left aside: it belongs to a hard fork that is not followed.
    Forked,
    /// Nothing can admit it.
    Never(Never),
}

/// A block, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Its id.
    pub id: BlockId,
    /// The block; none for the genesis.
    pub block: Option<SignedBlock>,
    /// Where it stands.
    pub state: State,
    /// The votes on it.
    pub votes: Votes,
    /// Whether its payload is neither shown nor passed on.
    pub revoked: bool,
}

/// What is there of a post's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It says this.
    Content(Content),
    /// It has not arrived.
    Missing,
    /// It is revoked by dislikes.
    Revoked,
    /// It was purged here.
    Purged,
    /// It is encrypted for somebody else.
    Sealed,
}

/// A post, for a person to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: BlockId,
    /// Its place in the order.
    pub place: u64,
    /// When it was made, as its author says.
    pub time: Time,
    /// Who signed it.
    pub author: Option<PublicKey>,
    /// How the author wants to be called.
    pub name: Option<String>,
    /// What it votes on.
    pub vote: Option<Vote>,
    /// What it says. Attachments come without their bytes, and long texts are cut.
    pub said: Said,
    /// The votes on it.
    pub votes: Votes,
    /// Whether it came since the chain was last marked as read.
    pub unread: bool,
}

/// What a local user gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A chain that is followed now.
    Joined(ChainInfo),
    /// Whether it was followed.
    Left(bool),
    /// All chains.
    List(Vec<ChainInfo>),
    /// A chain's state.
    Status(Box<ChainStatus>),
    /// One id.
    Id(BlockId),
    /// Several ids.
    Ids(Vec<BlockId>),
    /// A block.
    Block(Box<BlockInfo>),
    /// A payload with its envelope.
    Content(Box<Content>),
    /// What was made, and where it stands.
    Posted(BlockId, State),
    /// Reps.
    Reps(i64),
    /// Posts, and the place to go on from if there may be more.
    Shown(Vec<Shown>, Option<u64>),
    /// Done.
    Done,
    /// Authors.
    Authors(Vec<PublicKey>),
    /// How many payloads were deleted.
    Purged(u64),
    /// The other side of a hard fork is followed.
    Chosen {
        /// Blocks of that side.
        adopted: u64,
        /// Blocks that contradict it, and are left aside.
        aside: u64,
        /// The last block of the order that was left aside: to choose it is to go back. The chosen one if none
        /// was.
        before: BlockId,
    },
    /// What a synchronisation came to.
    Synced(Tally),
    /// Names of a peer's chains.
    Names(Vec<String>),
}

/// What a local user may listen to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block has come or was made.
    Block {
        /// In which chain.
        chain: ChainInfo,
        /// Which.
        id: BlockId,
        /// Where it stands.
        state: State,
    },
    /// Another side of a hard fork is followed.
    Chosen {
        /// In which chain.
        chain: ChainInfo,
        /// Blocks of that side.
        adopted: u64,
        /// Blocks that contradict it, and are left aside.
        aside: u64,
    },
    /// A chain is followed.
    Joined(ChainInfo),
    /// A chain is followed no longer.
    Left(ChainInfo),
    /// The first post is known, and with it which chain this is.
    Begun(ChainInfo),
}
