//! Every bound of messaging, in one place.

use covey_kernel::Span;

/// Bytes of one text; longer ones are sent as a file.
pub const TEXT_BYTES: usize = 32 * 1024;
/// Bytes of the text that goes with an invite.
pub const INVITE_TEXT_BYTES: usize = 1024;
/// Bytes of a display name or of a contact's local name.
pub const NAME_BYTES: usize = 64;
/// Bytes of a reaction.
pub const REACTION_BYTES: usize = 32;
/// Bytes of one ciphertext with its ratchet header: a text, its frame and Olm's padding.
pub const SEALED_BYTES: usize = TEXT_BYTES + 2048;
/// Envelopes in one delivery.
pub const DELIVERY_ENVELOPES: usize = 256;
/// Stored bytes of what goes into one delivery; ciphertexts are a little longer.
pub const DELIVERY_BYTES: usize = 128 * 1024;
/// Bytes of an encoded request.
pub const REQUEST_BYTES: usize = 256 * 1024;
/// Bytes of an encoded response.
pub const RESPONSE_BYTES: usize = 64 * 1024;

/// Contacts, in whatever state.
pub const CONTACTS: usize = 10_000;
/// Invites from people without a valid contact code that wait for a decision.
pub const STRANGERS: usize = 64;
/// Invites from one node that wait for a decision; identities are free, nodes less so.
pub const INVITES_PER_PEER: usize = 2;
/// Invites that came with a valid contact code and wait for a decision.
pub const CODE_HOLDERS: usize = 1024;
/// Own invites that have not yet reached the other side.
pub const OPEN_INVITES: usize = 256;
/// Contact codes that are valid at the same time.
pub const CODES: usize = 64;
/// Addresses in a contact code.
pub const CODE_ADDRESSES: usize = 8;
/// Bytes of a contact code as text.
pub const CODE_BYTES: usize = 4096;
/// How long a contact code is valid.
pub const CODE_LIFE: Span = Span::days(30);

/// Messages to one contact that wait for their acknowledgement.
pub const OUTBOX: u64 = 100_000;
/// Ratchet sessions kept for one contact; the one unused for longest goes first.
pub const SESSIONS: usize = 4;
/// Counters above the last gapless one that may have been received.
pub const AHEAD: usize = 1024;
/// How far a peer may push the conversation's clock at once.
pub const CLOCK_JUMP: u64 = 1 << 20;
/// Bytes of content one contact may store here.
pub const INBOUND_BYTES: u64 = 1 << 30;

/// One-time keys in a batch of prekeys.
pub const ONE_TIME_KEYS: usize = 64;
/// A drained batch is replaced no sooner than this after it was made.
pub const BATCH_LIFE: Span = Span::hours(1);
/// How long a fallback key is handed out; it is forgotten one such span later.
pub const FALLBACK_LIFE: Span = Span::days(7);
/// How long a signed bundle is valid: while its fallback key can still be used.
pub const BUNDLE_LIFE: Span = Span::days(14);
/// Sessions that one contact may start with fallback keys within [`FALLBACK_LIFE`]. Each is
/// remembered until its key is forgotten, so that none is made twice.
pub const FALLBACK_SESSIONS: u32 = 64;

/// First wait before a failed request is tried again.
pub const RETRY_FIRST: Span = Span::secs(1);
/// Longest wait before a failed request is tried again.
pub const RETRY_LAST: Span = Span::secs(300);
/// How long an own request may stay unanswered before it counts as lost.
pub const ASK_LIFE: Span = Span::secs(30);

/// How often a contact may make us encrypt anew within [`RESEAL_SPAN`].
pub const RESEALS: u32 = 3;
/// The span for [`RESEALS`].
pub const RESEAL_SPAN: Span = Span::hours(1);

/// Messages in one page of history.
pub const PAGE: usize = 1000;
/// Messages that one search looks at before it gives back a cursor.
pub const SEARCHED: usize = 4096;

/// Changes of identity that an announcement can vouch for.
pub const SUCCESSIONS: usize = 8;
/// Digits of a safety number.
pub const SAFETY_DIGITS: usize = 60;
/// Own messages that a read receipt looks back over.
pub const RECEIPT_WINDOW: usize = 512;
/// How high a conversation's clock may begin, with the yes to our invite.
pub const CLOCK_FIRST: u64 = 1 << 40;
/// Bytes of a stored reason.
pub const REASON_BYTES: usize = 256;
/// Changes to one message that are kept until the message itself arrives: the latest of each
/// kind, and those that overtook it.
pub const EARLY: usize = 8;
