use covey_kernel::{Blame, Fault, MachineError, PublicKey};

use crate::{
    BlockId, Invalid,
    limits::{AHEAD_MILLIS, CHAINS, HELD, HELD_PER_NEIGHBOUR, LEFT_OUT, MUTED},
    wire::Refusal,
};

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No chain of this name is followed.
    #[error("no chain {0:?}: join it with `covey chains join`, or see `covey chains list`")]
    UnknownChain(String),
    /// Several chains have this name.
    #[error("several chains are called {name:?}: say which, {choices}")]
    Ambiguous {
        /// The name.
        name: String,
        /// How each is named.
        choices: String,
    },
    /// Too many chains.
    #[error("{CHAINS} chains are followed, which is the limit: leave one first")]
    TooManyChains,
    /// No such block in this chain.
    #[error("no block {0} in this chain")]
    UnknownBlock(BlockId),
    /// The genesis carries nothing.
    #[error("the genesis has no payload")]
    NoPayload,
    /// It has been voted out.
    #[error("the payload is revoked: {dislikes} dislikes, {likes} likes")]
    Revoked {
        /// Placed dislikes of the block.
        dislikes: u32,
        /// Placed likes of the block.
        likes: u32,
    },
    /// It was deleted here.
    #[error("the payload was purged from this node")]
    Purged,
    /// It is known by its hash alone.
    #[error("the payload has not arrived yet: try again when a neighbour that has it is connected")]
    NotArrived,
    /// It is too large to travel with a post that is held, or with so many of them.
    #[error(
        "the payload is too large to come with a post that waits for a like: like the post, or wait until somebody does"
    )]
    HeldBack,
    /// It cannot be read without a key.
    #[error("the payload is encrypted for one person")]
    Sealed,
    /// It cannot be read with the key that was given.
    #[error("the payload is encrypted for somebody else than whose key this is")]
    NotForThisKey,
    /// It cannot be encrypted to this key.
    #[error("nothing can be encrypted to this key")]
    BadReader,
    /// Groups have one key for everything.
    #[error("a private group encrypts every post for its members")]
    AllSealed,
    /// Forums are nobody's.
    #[error("a forum has no owner to encrypt to")]
    NoOwner,
    /// What was to be posted breaks a rule of the chain.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Votes have an author.
    #[error("a vote must be signed: give --sign")]
    Unsigned,
    /// Of the author, where the vote would stand.
    #[error("{author} has {reps} reps in this chain: a vote costs one")]
    NoReps {
        /// Who.
        author: PublicKey,
        /// How many they have.
        reps: i64,
    },
    /// Nobody likes their own post.
    #[error("{0} is your own post: nobody likes their own")]
    OwnPost(BlockId),
    /// It is left out with another one.
    #[error("{0} builds on {1}, which the order leaves out: a like of that brings back both")]
    LeftOutWith(BlockId, BlockId),
    /// Nothing can admit what it builds on.
    #[error("{0} can never be admitted: a like of it would be lost")]
    Hopeless(BlockId),
    /// A dislike of what is not in the order has no place to stand.
    #[error("{0} is not in the order: it can be liked, not disliked")]
    NotPlaced(BlockId),
    /// A vote on a block that is left aside, or on a held post that builds on one.
    #[error(
        "{0} is on a side that is not followed: choose that first, see `covey chain NAME status`"
    )]
    Forked(BlockId),
    /// What it builds on is of long ago.
    #[error("this would change what is frozen: what it builds on is too old")]
    Frozen,
    /// Its payload was not asked for.
    #[error(
        "{0} is left aside, and its payload is not here: follow its side with `covey chain NAME choose {0}`"
    )]
    NotFetched(BlockId),
    /// With it alone both sides would be mixed.
    #[error(
        "{0} is too early: following it would mix both sides. Choose a later block of its side; `covey chain NAME heads forked` lists the last ones"
    )]
    TooEarly(BlockId),
    /// The genesis, or a held post: it is on no side.
    #[error("{0} is on no side: choose a block that is in the order, or that `heads forked` lists")]
    NoSide(BlockId),
    /// Nothing to build on is admissible now.
    #[error("the heads of this chain contradict each other: try again when more has arrived")]
    NoHeads,
    /// What it would build on is of a time that has not come, by the node's clock.
    #[error(
        "the latest posts of this chain are over {} minutes ahead of this node's clock: set the clock right, and post then",
        AHEAD_MILLIS / 60_000
    )]
    ClockBehind,
    /// The first post of a forum.
    #[error("the first post of a forum must be signed: give --sign")]
    FirstUnsigned,
    /// The first post that is followed is not here.
    #[error(
        "the first post of this forum has not arrived yet: try again when a neighbour that has it is connected"
    )]
    NoFirst,
    /// Too many authors are muted.
    #[error("{MUTED} authors are muted in this chain, which is the limit: unmute one first")]
    TooManyMuted,
    /// Too many of the author's blocks are left out.
    #[error(
        "the order leaves out as many blocks of this author as there may be ({HELD} that end a branch, {LEFT_OUT} in all): wait until one of them is liked"
    )]
    TooManyLeftOut,
    /// Too many posts wait.
    #[error(
        "{HELD_PER_NEIGHBOUR} posts made here are held in this chain, which is the limit: wait until somebody with reps likes one of them"
    )]
    TooManyHeld,
    /// Two forums of a name that began with different posts are two forums.
    #[error("the peer follows this chain with another first post, {0}: it cannot be mixed")]
    PeerOtherFirst(BlockId),
    /// The peer has no such chain.
    #[error("the peer does not follow this chain, or it is private and the keys differ")]
    PeerNotHere,
    /// The peer said nothing useful.
    #[error("the peer cannot be asked: {0}")]
    Peer(String),
    /// Refused, as a peer's request.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// A peer's words are not what they should be.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        match self {
            Self::Store(fault) => Blame::Store(fault.clone()),
            Self::Refused(Refusal::Invalid(())) | Self::Malformed(_) => Blame::Peer,
            Self::Refused(_) => Blame::Later,
            _ => Blame::User,
        }
    }
}
