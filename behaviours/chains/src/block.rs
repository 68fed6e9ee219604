use covey_kernel::{
    Bounded, Domain, Hash, Keypair, NetworkId, PublicKey, Signature, Time, cbor, record,
    signing_bytes,
};

use crate::{
    BlockId,
    genesis::{Genesis, Kind},
    limits::BACKS,
};

const BLOCK: Domain = Domain::new("covey/chains/block/v1");

record! {
    /// What a block says of its payload, which travels apart from it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Payload {
        /// Of the payload as it travels, see [`covey_blobs::Blob`].
        pub hash: Hash,
        /// Its bytes.
        pub size: u64,
        /// Whether it is encrypted.
        pub sealed: bool,
    }
}

record! {
    /// A vote on a block.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Vote {
        /// +1, else -1.
        pub like: bool,
        /// The block.
        pub target: BlockId,
    }
}

record! {
    /// A block: all that its id covers.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Block {
        /// When its author made it, as they say.
        pub time: Time,
        /// What it carries.
        pub payload: Payload,
        /// A vote, if it is one.
        pub vote: Option<Vote>,
        /// The blocks before it, in the order of their ids.
        pub backs: Bounded<BlockId, BACKS>,
        /// Who signs it.
        pub author: Option<PublicKey>,
    }
}

record! {
    /// A block with its author's signature.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignedBlock {
        /// The block.
        pub block: Block,
        /// Over the block's id; none if it has no author.
        pub signature: Option<Signature>,
        /// In a private group: shows that it was made by somebody who knows the key.
        pub mark: Option<Hash>,
    }
}

/// Why a block is refused, whatever else is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Only the genesis has nothing before it.
    #[error("it names no block before it")]
    NoBacks,
    /// So that a block has one form.
    #[error("the blocks before it are not named once each, in the order of their ids")]
    BacksOrder,
    /// Nothing can be that high.
    #[error("a block before it claims a height that no block has")]
    Height,
    /// An author without a signature, or a signature without an author.
    #[error("author and signature do not go together")]
    Unsigned,
    /// Votes cost reps, and reps have an owner.
    #[error("votes are signed")]
    UnsignedVote,
    /// The genesis is nobody's, and what is not lower is no ancestor.
    #[error("a vote is on an earlier block, and not on the genesis")]
    VoteTarget,
    /// More than the chain allows to this author.
    #[error("the payload is {size} bytes, over the limit of {limit}")]
    PayloadSize {
        /// How large it is.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
    /// In a private group.
    #[error("payloads of a private group are encrypted")]
    NotSealed,
    /// In a private group there is one, elsewhere none.
    #[error("only blocks of a private group have a mark")]
    Mark,
    /// In the chain of an identity that wants no answers.
    #[error("only the owner posts here")]
    NotOwner,
}

impl Block {
    /// Its height: 1 + the highest back. None if a back claims what no block can have.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        self.backs.iter().map(|back| back.height).max().unwrap_or_default().checked_add(1)
    }

    /// The block that it likes, if it builds on that alone: such a like admits a held post, or brings back what
    /// the order leaves out.
    #[must_use]
    pub fn vouches_for(&self) -> Option<BlockId> {
        let vote = self.vote.filter(|vote| vote.like && *self.backs == [vote.target]);
        vote.map(|vote| vote.target)
    }

    /// Its id; with height 0, which is nobody's but the genesis', if it can have none.
    #[must_use]
    pub fn id(&self) -> BlockId {
        let height = self.height().unwrap_or_default();
        BlockId { height, hash: Hash::of(&cbor::encode(self)) }
    }

    /// Signs it, if `key` is its author's.
    #[must_use]
    pub fn sign(self, network: &NetworkId, key: Option<&Keypair>) -> SignedBlock {
        let key = key.filter(|key| self.author == Some(key.public()));
        let signature = key.map(|key| key.sign(BLOCK, network, &self.id()));
        SignedBlock { block: self, signature, mark: None }
    }
}

impl SignedBlock {
    /// Checks what can be seen on the block alone. Its signature is left to
    /// [`SignedBlock::signed`], so that many can be verified at once.
    pub fn check(&self, genesis: &Genesis) -> Result<(), Invalid> {
        let block = &self.block;
        let height = block.height().ok_or(Invalid::Height)?;
        if block.backs.is_empty() {
            return Err(Invalid::NoBacks);
        }
        if !block.backs.is_sorted_by(|one, next| one < next) {
            return Err(Invalid::BacksOrder);
        }
        if block.author.is_some() != self.signature.is_some() {
            return Err(Invalid::Unsigned);
        }
        if let Some(vote) = &block.vote {
            if block.author.is_none() {
                return Err(Invalid::UnsignedVote);
            }
            if vote.target.height == 0 || vote.target.height >= height {
                return Err(Invalid::VoteTarget);
            }
        }
        check_kind(block, genesis)?;
        match self.mark.is_some() == matches!(genesis.kind, Kind::Group(_)) {
            true => Ok(()),
            false => Err(Invalid::Mark),
        }
    }

    /// What is signed by whom, for [`covey_kernel::verify_batch`].
    #[must_use]
    pub fn signed(&self, network: &NetworkId) -> Option<(PublicKey, Vec<u8>, Signature)> {
        let (author, signature) = self.block.author.zip(self.signature)?;
        Some((author, signing_bytes(BLOCK, network, &self.block.id()), signature))
    }
}

/// What the kind of chain asks of a block.
fn check_kind(block: &Block, genesis: &Genesis) -> Result<(), Invalid> {
    let limit = genesis.payload_limit(block.author.as_ref());
    if block.payload.size > limit {
        return Err(Invalid::PayloadSize { size: block.payload.size, limit });
    }
    match &genesis.kind {
        Kind::Group(_) if !block.payload.sealed => Err(Invalid::NotSealed),
        Kind::Identity(owner) if owner.only && block.author != Some(owner.key) => {
            Err(Invalid::NotOwner)
        }
        _ => Ok(()),
    }
}
