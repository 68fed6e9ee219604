//! Every bound of chains, in one place.

/// Bytes of a chain's name, with the character that says its kind.
pub const NAME_BYTES: usize = 128;
/// Blocks that one block builds on.
pub const BACKS: usize = 64;
/// Pioneers of a chain; they share 30 reps, so more would have none.
pub const PIONEERS: usize = 30;
/// Bytes of a payload in public forums, and of others in an identity's chain.
pub const PAYLOAD_BYTES: u64 = 128_000;
/// Bytes of a payload in private groups, and of an identity's owner.
pub const TRUSTED_PAYLOAD_BYTES: u64 = ENVELOPE_BYTES as u64;
/// Bytes of an envelope: those of the largest payload.
pub const ENVELOPE_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of an encoded block with its signature: it names at most `BACKS` others.
pub const BLOCK_BYTES: usize = 4096;
/// Bytes of an encoded genesis.
pub const GENESIS_BYTES: usize = 2048;
/// The past freezes only so many places from the end of the order.
pub const FREEZE_PLACES: u64 = 100;
/// The past freezes only so many milliseconds before the last effective time.
pub const FREEZE_MILLIS: u64 = 7 * 24 * 3_600_000;
/// Blocks after which the reputations are kept in memory, all of them; of the double every second
/// one, and so on.
pub const STATES: u64 = 1024;
/// KiB of memory that stretching a pass phrase takes.
pub const STRETCH_MEMORY: u32 = 64 * 1024;
/// How often that memory is gone through.
pub const STRETCH_PASSES: u32 = 3;
/// Chains that one node follows.
pub const CHAINS: usize = 256;
/// Bytes of a request between peers.
pub const REQUEST_BYTES: usize = 128 * 1024;
/// Bytes of a response: a page of blocks, or a part of a payload.
pub const RESPONSE_BYTES: usize = 1024 * 1024;
/// Blocks that say how much is known. They are many, because those that the order leaves out stay tips
/// for ever.
pub const TIPS: usize = 1024;
/// Blocks that say what is known and left aside. If there are more, some come again.
pub const ASIDE_TIPS: usize = 256;
/// Blocks that say how much was known earlier. They need not say all: what they leave out comes again.
pub const CUT_TIPS: usize = 64;
/// Earlier states that a pull names: their distances double.
pub const CUTS: usize = 24;
/// Blocks that a node asks for by name, with what they build on: some of that it may have refused before it knew them.
pub const WANTED: usize = 64;
/// Blocks that lacked what they build on, of which an exchange remembers so many, to ask for some of them.
pub const LACKING: usize = 1024;
/// Of these, so many of one author are asked for.
pub const WANTED_PER_AUTHOR: usize = 4;
/// Blocks of one page.
pub const PAGE_BLOCKS: usize = 1024;
/// Bytes after which a page ends.
pub const PAGE_BYTES: usize = 512 * 1024;
/// Bytes of a payload that travels with its block.
pub const INLINE_BYTES: usize = 16 * 1024;
/// Chunks of a payload in one response.
pub const CHUNKS: usize = 8;
/// Hashes from a chunk up to the payload's hash: 64 MiB are 1,024 chunks.
pub const PATH: usize = 16;
/// Names of chains in one response.
pub const NAMES: usize = 256;
/// Held posts of one author from one neighbour in one chain, and blocked blocks of one author.
pub const HELD: usize = 16;
/// Held posts from one neighbour in one chain.
pub const HELD_PER_NEIGHBOUR: usize = 256;
/// Held posts in one chain.
pub const HELD_PER_CHAIN: usize = 2048;
/// Milliseconds that a block may be ahead of the reader's clock.
pub const AHEAD_MILLIS: u64 = 30 * 60 * 1000;
/// Milliseconds after which a request counts as lost.
pub const ASK_MILLIS: u64 = 60 * 1000;
/// Milliseconds between two rounds of reconciliation.
pub const ROUND_MILLIS: u64 = 30 * 1000;
/// Milliseconds after which there is one when a node begins to listen to a chain.
pub const SOON_MILLIS: u64 = 2 * 1000;
/// Neighbours that are asked in one round, for each chain.
pub const ROUND_PEERS: usize = 3;
/// Blocks of all chains whose graphs are kept in memory; those not used longest go first.
pub const LOADED_BLOCKS: usize = 2_000_000;
/// Bytes of a post's title, and of an author's name.
pub const TITLE_BYTES: usize = 256;
/// Bytes of what an author says of themselves.
pub const PROFILE_BYTES: usize = 4096;
/// Files that come with one post.
pub const ATTACHMENTS: usize = 16;
/// Bytes of a file's name.
pub const FILE_NAME_BYTES: usize = 255;
/// Authors that are muted in one chain.
pub const MUTED: usize = 4096;
/// Bytes of a body that a listing shows.
pub const SHOWN_BYTES: usize = 4096;
/// Posts in one part of a listing.
pub const SHOWN: usize = 512;
/// Places that are looked at for one part of a listing.
pub const LOOKED_AT: usize = 20_000;
/// Bytes of payloads after which a part of a listing ends: nothing else is decided meanwhile.
pub const LOOKED_AT_BYTES: u64 = 16 * 1024 * 1024;
/// Pages of missing payloads that are looked at for one that is to be fetched, in one round.
pub const MISSING_PAGES: usize = 256;
/// Missing payloads on each.
pub const MISSING_PAGE: usize = 16;
/// Chains of a peer that are looked after in one turn: what is asked in a turn has its bound, however
/// many peers come at once.
pub const ASKED_PER_TURN: usize = 256;
/// Neighbours that are told at once of what is not gossiped; the others ask with their next round.
pub const NEIGHBOURS_TOLD: usize = 16;
/// Blocks that the order leaves out, though they are admitted, in each account: of those that an author wrote, and of
/// those that others without reps wrote on what the author began. What gives way to others comes on top.
pub const LEFT_OUT: usize = 4096;
/// If there are more in an account, none of them travels with its payload but those that a like can bring back.
pub const MANY: usize = 256;
/// Authors in whose accounts a block that is left out is sought room, if its own is full.
pub const PAYERS: usize = 8;
/// Hard forks that are shown: those that were left aside last.
pub const FORKS_SHOWN: usize = 64;
/// Blocks that are shown of a hard fork, of those on which nothing builds.
pub const FORK_TIPS: usize = 8;
/// Blocks of hard forks that are left aside in one chain. Blocks that were once followed do not count.
pub const FORKED: usize = 4096;
/// Of these, blocks of forks that one author began. Who follows that side gets the rest of it.
pub const FORKED_SHARE: usize = 512;
/// Blocks that were refused because the order leaves out too many of their author's, in one chain: they are
/// not looked at again for some time.
pub const REFUSED: usize = 4096;
/// Milliseconds after which blocks that were refused are looked at again.
pub const REFUSED_MILLIS: u64 = 60 * 60 * 1000;
/// Blocks that are refused in one exchange which brings nothing else, after which the next one waits: so many are
/// those of a hard fork that is larger than what is remembered of one.
pub const VAIN_BLOCKS: u64 = 256;
/// Milliseconds that it waits at most.
pub const PAUSE_MILLIS: u64 = 10 * 60 * 1000;
/// Milliseconds after the last new block of an exchange after which what it has brought freezes, though
/// it has not ended.
pub const SETTLED_MILLIS: u64 = 5 * 60 * 1000;
/// Milliseconds after the first new block of exchanges after which what they have brought freezes, though
/// they go on.
pub const SETTLED_MOST_MILLIS: u64 = 60 * 60 * 1000;
/// Places that are sought, and blocks that are gone through for that, between two rounds, for what one peer
/// sends of a chain and is then not taken.
pub const WASTED_PLACES: u64 = 16 * 1024;
/// Beside these, so many times all places of the chain.
pub const WASTED_TIMES: u64 = 4;

/// Places that are sought for that at most, however long the chain is.
pub const WASTED_MOST: u64 = 1024 * 1024;

/// What may be sought in vain in a chain of so many blocks.
#[must_use]
pub const fn share(blocks: usize) -> u64 {
    let share = WASTED_PLACES.saturating_add((blocks as u64).saturating_mul(WASTED_TIMES));
    if share < WASTED_MOST { share } else { WASTED_MOST }
}
/// Payloads in a row that one peer does not have, after which the others are asked for with the next
/// round.
pub const MISSES: u32 = 16;
/// Commands and peers that wait for one exchange with a peer.
pub const WAITERS: usize = 16;
/// Pages in a row of which nothing is new, from one peer.
pub const IDLE_PAGES: u32 = 64;
/// Blocks that come together and are placed without all of the order being sought again.
pub const NEWCOMERS: usize = 8;
/// Blocks that are placed between two points at which reputations are kept, while how the order was
/// found is kept.
pub const SNAPSHOTS: usize = 64;
/// Blocks that are gone through to see whether what came can change a frozen place, where one was left
/// out. With more, the order is sought from the first place that may have changed.
pub const LOOKED_BACK: usize = 256;
/// Blocks that were not chosen, over all choices of the order, while how it was found is kept: beyond
/// that the next block has it sought anew. 16 bytes each, and as many steps for a new block.
pub const TRACE_OTHERS: usize = 128 * 1024;
/// Placed blocks after which the order is sought anew from where all comes together, if they are twice
/// as many as there were to place when that was last done: meanwhile all may have come together later.
pub const TRACED: usize = 1024;
