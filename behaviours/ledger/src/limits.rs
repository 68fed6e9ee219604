//! Every bound of the ledger.

use covey_kernel::Span;

/// Validators of one configuration: as many as a bitmap of 64 bits names.
pub const VALIDATORS: usize = 64;

/// Governance keys of one configuration.
pub const GOVERNORS: usize = 16;

/// Inputs of one transaction.
pub const INPUTS: usize = 64;

/// Outputs of one transaction.
pub const OUTPUTS: usize = 256;

/// Hashes from an output up to the root: the logarithm of [`OUTPUTS`].
pub const OUTPUT_PATH: usize = 8;

/// Transactions under one signature of a validator: those of one turn.
pub const BATCH: usize = covey_kernel::limits::TURN_INPUTS;

/// Hashes from a transaction up to the root of its batch: the logarithm of [`BATCH`].
pub const BATCH_PATH: usize = 9;

/// Outputs of a genesis.
pub const GENESIS_OUTPUTS: usize = 1024;

/// Bytes of an encoded genesis.
pub const GENESIS_BYTES: usize = 256 << 10;

/// Bytes of the name of a network, a validator or a token.
pub const NAME_BYTES: usize = 64;

/// Bytes of what the network's coin is called.
pub const UNIT_BYTES: usize = 16;

/// Addresses at which one validator is looked for.
pub const ADDRESSES: usize = 4;

/// Bytes of one encoded request. 64 inputs with certificates of 43 votes each have room, if their
/// validators were not busy; else fewer.
pub const REQUEST_BYTES: usize = 512 << 10;

/// Bytes of one encoded response: an entry of a lock set is a whole request, and must fit into one.
pub const RESPONSE_BYTES: usize = REQUEST_BYTES + (1 << 10);

/// Bytes of the proofs of what one payment spends: a request has room for them beside all else at its
/// largest.
pub const PROOF_BYTES: usize = REQUEST_BYTES - (64 << 10);

/// Ballots that a node remembers as correctly signed, twice.
pub const KNOWN_BALLOTS: usize = 32_768;

/// How often a validator tells the others its highest sequence number while that grows.
pub const HEIGHT_EVERY: Span = Span::secs(1);

/// How often a validator that has just started asks again those who have not answered.
pub const ASK_AGAIN: Span = Span::secs(1);

/// Outputs that one answer tells of an address.
pub const HOLDINGS: usize = 64;

/// Bytes of a label or a note.
pub const LABEL_BYTES: usize = 200;

/// Addresses that were made and never paid to, in each branch: so many a search by the phrase passes
/// over before it ends.
pub const GAP: u32 = 20;

/// Peers that are told an address each.
pub const HANDED: usize = 256;

/// Own transactions that are not final.
pub const PENDING: usize = 8192;

/// Payment requests that are kept.
pub const REQUESTS: usize = 10_000;

/// How long a payee's node is told of a payment before it is given up.
pub const DELIVER_FOR: Span = Span::days(30);

/// Payees' nodes that are told at once.
pub const DELIVERIES: usize = 1024;

/// First pause before a validator, or a payee, that gave no answer is asked again; it doubles.
pub const RETRY_FIRST: Span = Span::millis(250);

/// Longest pause before a validator that gave no answer is asked again.
pub const RETRY_LAST: Span = Span::secs(30);

/// How long an answer may take before the question counts as lost.
pub const ASK_LIFE: Span = Span::secs(15);

/// Lines of a list shown at once.
pub const PAGE: usize = 1000;

/// Outputs of one address that one validator may tell of in a search by the phrase.
pub const SEARCHED: usize = 10_000;

/// Votes that all validators together are asked for at once.
pub const WANTED: usize = 8192;

/// Votes that one validator is asked for at once: as many requests of one peer as wait for their turn.
pub const WANTED_OF_ONE: usize = 256;

/// Bytes of a payment that is shown to its payee, with the chain of configurations.
pub const RECEIPT_BYTES: usize = 4 << 20;

/// Configurations that a payment shows from the genesis on.
pub const RECEIPT_LINKS: usize = 256;

/// Configurations in one answer. The largest takes about 90 KiB.
pub const LINKS: usize = 4;

/// Proposals for the next epoch that a validator keeps; of more the one with the least support makes
/// room.
pub const CANDIDACIES: usize = 16;

/// Voting keys that a validator has at once for epochs that have begun and that it has not entered.
pub const KEYS: usize = 4;

/// How often members of two epochs tell each other of the next configuration while there is one to
/// decide on; and how often a node that does not vote asks for it.
pub const SUCCESSION_EVERY: Span = Span::secs(5);

/// How often a wallet, or a validator that votes, asks validators for configurations that it has not heard of.
pub const LINKS_EVERY: Span = Span::secs(60);

/// Wallets that are asked for them at once while too few validators are there.
pub const OTHERS_ASKED: usize = 8;

/// How often a validator asks those again from which it takes lock sets over.
pub const IMPORT_AGAIN: Span = Span::secs(1);

/// Ids of a lock set in one answer: few enough that a turn notes them in some tens of milliseconds.
pub const LOG_PAGE: usize = 2048;

/// Entries of a lock set that are asked for at once.
pub const ENTRIES: usize = 256;

/// Ids that a member of the last epoch may list before it has shown the entries of the earlier ones:
/// whoever makes ids up fills no disk.
pub const UNSHOWN: u64 = 65_536;

/// Who lacks fewer of what a member of the last epoch has listed has copied it, but for the newest.
pub const NEARLY_COPIED: u64 = 2048;

/// How long a validator waits before it looks again at all that was not certain ahead.
pub const TIGHTEN_AGAIN: Span = Span::secs(5);

/// Ids of the union of lock sets that one turn goes through, at the end or ahead.
pub const SETTLE_STEP: usize = 2048;

/// Coins that a wallet keeps in memory to choose from, of some 100 bytes each; of more it reads the store.
pub const PURSE: usize = 65_536;

/// Transactions that spend one output that are looked at: of an owner who has signed more, the output is
/// frozen.
pub const SPENDERS: usize = 1024;

/// Keys of what earlier epochs have left that one turn removes: few enough that payments do not wait.
pub const PRUNE_STEP: usize = 2048;

/// How often a turn removes some.
pub const PRUNE_EVERY: Span = Span::millis(100);

/// Certificates that a wallet renews at once.
pub const RENEWALS: usize = 32;

/// How often a wallet goes on renewing certificates.
pub const RENEW_AGAIN: Span = Span::secs(2);

/// How often a validator shows the others a transaction again that somebody with only a phrase asks for.
pub const PASS_AGAIN: Span = Span::secs(2);

/// Transactions that a validator shows others at once, each to one.
pub const PASSING: usize = 1024;

/// Claims of which a validator remembers up to where it can show nothing.
pub const PASSED_OVER: usize = 1024;

/// Transactions of which a validator remembers that it has shown them.
pub const PASSED: usize = 16_384;
