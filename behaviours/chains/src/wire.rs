//! What two nodes say to each other about chains. Everything is canonical CBOR of fixed arrays.

use covey_kernel::{Bounded, Bytes, Hash, Text, cbor, limits::GOSSIP_BYTES, record, tagged};

use crate::{
    BlockId, SignedBlock,
    limits::{
        ASIDE_TIPS, CHUNKS, CUT_TIPS, CUTS, INLINE_BYTES, NAME_BYTES, NAMES, PAGE_BLOCKS, PATH,
        REQUEST_BYTES, RESPONSE_BYTES, TIPS, WANTED,
    },
};

record! {
    /// Which chain: a forum under the rules of the paper is its genesis and its first post.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ChainRef {
        /// The hash in the genesis' id.
        pub genesis: Hash,
        /// The first post that is followed; none if none is known, or in other chains.
        pub first: Option<Hash>,
    }
}

record! {
    /// A chain, by somebody who may have it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Asker {
        /// Which chain.
        pub chain: ChainRef,
        /// Shows that the asker knows the key of a private group.
        pub proof: Option<Hash>,
    }
}

/// Blocks that say, with all their ancestors, how much is known.
pub type Tips = Bounded<BlockId, TIPS>;

/// Some of the blocks that said it earlier.
pub type Cut = Bounded<BlockId, CUT_TIPS>;

record! {
    /// Asks for the blocks that the asker lacks.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Pull {
        /// Of which chain.
        pub asker: Asker,
        /// What the asker knows.
        pub tips: Tips,
        /// What it knows and leaves aside: it need not come again.
        pub aside: Bounded<BlockId, ASIDE_TIPS>,
        /// What it knew when it knew 1, 2, 4, 8 … blocks less: who does not know the tips finds
        /// among them the last that both know.
        pub cuts: Bounded<Cut, CUTS>,
        /// What the last page said of the next; 0 at first.
        pub after: u32,
        /// What of all that the asker lacks.
        pub part: Part,
    }
}

tagged! {
    /// What of all that somebody lacks.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Part {
        /// All of it.
        0 => All(()),
        /// What is in the order: nobody's junk is.
        1 => Placed(()),
        /// These, and what they build on.
        2 => Named(Bounded<BlockId, WANTED>),
    }
}

record! {
    /// Asks for a part of a payload.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Want {
        /// Of which chain.
        pub asker: Asker,
        /// Of which block.
        pub block: BlockId,
        /// The first chunk that is wanted.
        pub first: u32,
    }
}

tagged! {
    /// A request between peers.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Request {
        /// Asks for the blocks that the asker lacks.
        0 => Pull(Pull),
        /// Asks for a part of a payload.
        1 => Want(Want),
        /// Asks for the posts made at the asked node that are held.
        2 => Held(Asker),
        /// Asks to be pulled from, and what came of it.
        3 => Nudge(Asker),
        /// Asks which public chains there are.
        4 => Names(()),
    }
}

record! {
    /// A block, and its payload if it is there and small.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Item {
        /// The block.
        pub block: SignedBlock,
        /// Its payload, as it travels.
        pub payload: Option<Bytes<INLINE_BYTES>>,
    }
}

record! {
    /// Blocks, those that others build on first.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Page {
        /// The blocks.
        pub items: Bounded<Item, PAGE_BLOCKS>,
        /// What to name for the next page, if there are more.
        pub next: Option<u32>,
    }
}

record! {
    /// A part of a payload, with what shows that it belongs there.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Chunk {
        /// The bytes.
        pub bytes: Bytes<{ covey_blobs::CHUNK_BYTES }>,
        /// From the chunk up to the payload's hash.
        pub path: Bounded<Hash, PATH>,
    }
}

record! {
    /// What came of a nudge.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Tally {
        /// Blocks that were new and are now known.
        pub accepted: u64,
        /// Blocks that were offered.
        pub offered: u64,
    }
}

tagged! {
    /// Why a request is refused.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Refusal {
        /// There is no such chain here, or not for the asker.
        0 => NotHere(()),
        /// The chain that is followed here has another first post.
        1 => OtherFirst(Hash),
        /// The request breaks a rule.
        2 => Invalid(()),
        /// Not now.
        3 => Later(()),
        /// That payload is not here.
        4 => NoPayload(()),
    }
}

tagged! {
    /// An answer to a peer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Response {
        /// What the asker lacks.
        0 => Page(Page),
        /// Some of the tips are not known here: ask again with cuts.
        1 => Cuts(()),
        /// A part of a payload, from the chunk that was asked for.
        2 => Chunks(Bounded<Chunk, CHUNKS>),
        /// Posts that are held.
        3 => Held(Bounded<Item, PAGE_BLOCKS>),
        /// What came of a nudge.
        4 => Tally(Tally),
        /// The names of public chains.
        5 => Names(Bounded<Text<NAME_BYTES>, NAMES>),
        /// Refused.
        6 => Refused(Refusal),
    }
}

record! {
    /// A new block, told to everybody who follows the chain.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct News {
        /// Of which chain.
        pub chain: ChainRef,
        /// The block.
        pub item: Item,
    }
}

impl ChainRef {
    /// What the chain is gossiped on.
    #[must_use]
    pub fn topic(&self) -> Hash {
        Hash::of(&cbor::encode(self))
    }
}

macro_rules! wire {
    ($($type:ty: $limit:expr),+) => { $(
        impl $type {
            /// The canonical bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                cbor::encode(self)
            }

            /// Reads canonical bytes within the bound.
            pub fn decode(bytes: &[u8]) -> Result<Self, cbor::DecodeError> {
                cbor::decode(bytes, $limit)
            }
        }
    )+ };
}
wire!(Request: REQUEST_BYTES, Response: RESPONSE_BYTES, News: GOSSIP_BYTES);
