//! Error codes: stable numbers that clients may rely on. A number, once released, keeps its
//! meaning.
//!
//! | range | whose |
//! |---|---|
//! | -32768 … -32000 | JSON-RPC itself |
//! | 1000 … 1099 | any method |
//! | 1100 … 1199 | `node`, `rpc`, `net`, `keys`, `crypto` |
//! | 2000 … 2999 | `msg` |
//! | 3000 … 3999 | `chains`, `chain`, `peer` |
//! | 4000 … 4999 | `pay`, `validator`, `network` |
//! | 5000 … 5999 | `election` |

/// One kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The JSON-RPC error code.
    pub number: i32,
    /// The same as a word, in `data.name`.
    pub name: &'static str,
    /// What it means, and the message when there is no better one.
    pub meaning: &'static str,
    /// What to do, in `data.help`.
    pub help: &'static str,
}

macro_rules! codes {
    ($($NAME:ident = $number:literal, $name:literal, $meaning:literal, $help:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $NAME: Code =
                Code { number: $number, name: $name, meaning: $meaning, help: $help };
        )*

        /// All codes.
        pub const ALL: &[Code] = &[$($NAME),*];
    };
}

codes! {
    PARSE = -32700, "parse_error", "the request is not JSON",
        "send one JSON object or array per line, encoded in UTF-8";
    INVALID_REQUEST = -32600, "invalid_request", "the JSON is not a JSON-RPC 2.0 request",
        "send an object with jsonrpc, id, method and params";
    METHOD_NOT_FOUND = -32601, "method_not_found", "there is no such method",
        "rpc_methods lists them";
    INVALID_PARAMS = -32602, "invalid_params", "the parameters do not fit the method",
        "rpc_discover describes them";
    INTERNAL = -32603, "internal_error", "the node made a mistake",
        "look into the node's log, and report it";
    TOO_MANY_SUBSCRIPTIONS = -32006, "too_many_subscriptions",
        "the connection has as many subscriptions as it may",
        "unsubscribe from one, or open another connection";
    REQUEST_TOO_LARGE = -32007, "request_too_large", "the request is too large",
        "send less at once; one request may have 1 MiB";
    RESPONSE_TOO_LARGE = -32008, "response_too_large", "the response would be too large",
        "ask for less at once; one response may have 4 MiB";
    BATCH_TOO_LONG = -32010, "batch_too_long", "the batch has too many calls",
        "split it; one batch may have 256 calls";
    BATCH_RESPONSE_TOO_LARGE = -32011, "batch_response_too_large",
        "the responses to the batch are too large together; its calls have run",
        "split it; the responses to one batch may have 4 MiB";

    BUSY = 1000, "busy", "the node has too much to do", "try again in a moment";
    REFUSED = 1002, "refused", "the rules do not allow it",
        "change what you ask for: the same is refused again";
    HALTED = 1004, "halted", "the store failed, so this protocol has stopped",
        "free disk space or mend the disk, then restart the node";
    STOPPING = 1005, "stopping", "the node is stopping", "start it again: covey start";

    TOO_MANY_CONNECTIONS = 1100, "too_many_connections",
        "too many programs are connected to the node",
        "close connections that are not in use, or raise rpc.max_connections";
    HALF_SENT = 1101, "half_sent", "the request did not arrive whole in time",
        "end each request with a line feed";
    SLOW_READER = 1102, "slow_reader", "what the node sent was not read in time",
        "read while sending";
    EVICTED = 1103, "evicted", "the connection was idle and had to make room",
        "connect again";
    SUBSCRIPTION_ENDED = 1104, "subscription_ended", "the subscription has come to its end",
        "nothing more will come; subscribe again to start anew";
    SUBSCRIPTION_LAGGED = 1105, "subscription_lagged",
        "events came faster than they were read, and some are lost",
        "ask for the current state, then subscribe again";
    UNAUTHORIZED = 1106, "unauthorized", "the token is missing or wrong",
        "send Authorization: Bearer with the content of rpc.cookie in the data directory";
    FORBIDDEN = 1107, "forbidden", "web pages may not use the node",
        "use the Unix socket, or HTTP to a loopback address without an Origin header";
    NOT_HERE = 1108, "not_here", "subscriptions need a connection that stays",
        "subscribe by WebSocket or on the Unix socket, outside a batch";
    UNREACHABLE = 1109, "unreachable", "nobody answers at this address",
        "check the address, and that their node runs";
    CLOCK_NOT_SETTABLE = 1110, "clock_not_settable", "this node's clock cannot be set",
        "start the node with --settable-clock, which is for tests";
    BAD_KEY_NAME = 1111, "bad_key_name", "no key can be called so",
        "choose a name like ann or my-key-2";
    KEY_EXISTS = 1112, "key_exists", "there is a key of this name already",
        "choose another name, or forget that key first";
    UNKNOWN_KEY = 1113, "unknown_key", "there is no key of this name",
        "`covey keys list` shows those there are";
    TOO_MANY_KEYS = 1114, "too_many_keys", "the keystore is full",
        "forget a key first";
    KEYSTORE_FAILED = 1115, "keystore_failed", "a key's file cannot be read or written",
        "mend what the message says";
    BAD_KEY = 1116, "bad_key", "this is no key",
        "give 64 hexadecimal digits, or the name of a key that `covey keys list` shows; \
         `covey crypto pubpvt \"pass phrase\"` prints PUBLIC PRIVATE";

    UNKNOWN_CONTACT = 2000, "unknown_contact", "no contact goes by this name or key",
        "msg_contacts lists them";
    AMBIGUOUS = 2001, "ambiguous", "several contacts' names or keys begin like this",
        "give more of the name or key";
    NOT_ACCEPTED = 2002, "not_accepted", "they have not accepted your invite yet",
        "wait until they accept it; msg_invites shows its state";
    NOT_YET_ACCEPTED = 2003, "not_yet_accepted", "their invite waits for your answer",
        "accept it first: msg_accept";
    BLOCKED = 2004, "blocked", "you have blocked them", "unblock them first: msg_unblock";
    KEYS_CHANGED = 2005, "keys_changed", "their keys have changed and are not confirmed",
        "compare the safety number, then confirm it: msg_verify";
    ALREADY_KNOWN = 2006, "already_known", "they are invited or a contact already",
        "msg_contacts and msg_invites show them";
    BAD_CODE = 2007, "bad_code", "the contact code cannot be used", "ask for a new one";
    OTHER_NETWORK = 2008, "other_network", "the contact code is of another network",
        "use a code of your network, or a node of theirs";
    NO_INVITE = 2009, "no_invite", "there is no invite to answer", "msg_invites lists them";
    EMPTY_TEXT = 2010, "empty_text", "the text is empty", "write something";
    TEXT_TOO_LONG = 2011, "text_too_long", "the text is too long", "send it as a file";
    UNKNOWN_MESSAGE = 2012, "unknown_message", "there is no such message here",
        "`covey msg history WHO --ids` shows them";
    NOT_YOURS = 2013, "not_yours", "only its author can change a message",
        "change a message of your own";
    DELETED = 2014, "deleted", "the message is deleted", "it cannot be changed any more";
    BAD_NAME = 2015, "bad_name", "the name cannot be used",
        "choose another one, of 1 to 64 bytes without control characters";
    BAD_REACTION = 2016, "bad_reaction", "the reaction is too long", "use one emoji";
    TOO_MANY = 2017, "too_many", "a limit is reached",
        "wait until there is room, or make some";
    NOT_BLOCKED = 2018, "not_blocked", "they are not blocked", "there is nothing to undo";
    OWN_CODE = 2019, "own_code", "the contact code is your own", "give it to somebody else";
    INVITE_TOO_LONG = 2020, "invite_too_long", "the invite's text is too long", "shorten it";
    OUTBOX_FULL = 2021, "outbox_full", "too many messages to them wait to be delivered",
        "wait until some of them are delivered";

    UNKNOWN_CHAIN = 3000, "unknown_chain", "no chain of this name is followed",
        "chains_list shows those that are; chains_join follows one";
    AMBIGUOUS_CHAIN = 3001, "ambiguous_chain", "several chains have this name",
        "write #NAME@ID with the beginning of the first post's or the genesis' hash";
    BAD_CHAIN_NAME = 3002, "bad_chain_name", "this names no chain",
        "write #forum, $group or @KEY";
    BAD_CHAIN_KEY = 3003, "bad_chain_key", "the key cannot be used", "give another key";
    UNKNOWN_BLOCK = 3004, "unknown_block", "there is no such block in this chain",
        "`covey chain NAME order` lists them";
    BAD_BLOCK_ID = 3005, "bad_block_id", "this is no block's id",
        "write HEIGHT_HASH, as in 2_1B5C…";
    NO_PAYLOAD = 3006, "no_payload", "there is no payload", "ask for a post's payload";
    REVOKED = 3007, "revoked", "the payload is revoked by dislikes",
        "it is shown again only if enough people like it";
    PURGED = 3008, "purged", "the payload was purged from this node", "it does not come back";
    NOT_ARRIVED = 3009, "not_arrived", "the payload has not arrived yet",
        "connect with a peer that has it, and try again";
    PAYLOAD_TOO_LARGE = 3010, "payload_too_large", "the payload is too large", "post less";
    NOT_OWNER = 3011, "not_owner", "only the owner posts in this chain",
        "sign with the owner's key";
    NO_REPS = 3012, "no_reps", "the author has no reps in this chain",
        "wait until the author's posts have earned some";
    OWN_POST = 3013, "own_post", "nobody likes their own post", "like others' posts";
    UNSIGNED = 3014, "unsigned", "this must be signed", "give a private key";
    BAD_VOTE = 3015, "bad_vote", "this vote cannot be", "vote on a post of this chain";
    OTHER_FIRST = 3016, "other_first", "the chain has another first post",
        "join #NAME@ID too, with the peer's first post, to follow both";
    PEER_FAILED = 3017, "peer_failed", "the peer did not do it",
        "check that it runs and follows the chain";
    TOO_MANY_CHAINS = 3018, "too_many_chains", "as many chains are followed as may be",
        "leave one first";
    TOO_MANY_HELD = 3027, "too_many_held", "too many posts made here wait for a like",
        "wait until somebody with reps likes one of them";
    TOO_MANY_MUTED = 3028, "too_many_muted", "too many authors are muted", "unmute one first";
    CLOCK_BEHIND = 3030, "clock_behind", "the node's clock is behind the chain",
        "set the clock right, and post then";
    HELD_BACK = 3029, "held_back", "the payload is too large to come with a post that waits for a like",
        "like the post, or wait until somebody does";
    UPLOADS_FULL = 3020, "uploads_full", "too much is uploaded and not posted yet",
        "wait a minute, or upload less: 128 MiB and 64 uploads at once";
    SEALED = 3021, "sealed", "the payload is encrypted for one person",
        "give their private key: get payload ID --decrypt=KEY";
    WRONG_READER = 3022, "wrong_reader", "the payload is encrypted for somebody else",
        "give the private key of whom it is for; not even its author can read it";
    BAD_READER = 3023, "bad_reader", "it cannot be encrypted so",
        "in forums and identities' chains name a public key, --encrypt=KEY; a group's posts are encrypted anyway";
    LEFT_ASIDE = 3024, "left_aside", "the block is of a hard fork, and left aside",
        "follow its side: chain NAME choose ID";
    FROZEN = 3025, "frozen", "this would change what is frozen",
        "like or answer something newer";
    NO_SIDE = 3026, "no_side", "this block does not say which side to follow",
        "choose a block that chain NAME heads forked lists, or one in the order";
    UNKNOWN_UPLOAD = 3019, "unknown_upload", "there is no such upload: it was posted, or is too old",
        "upload it again; an upload serves one post, within 60 s";

    NO_LEDGER = 4000, "no_ledger", "this network has no ledger",
        "set the node up with a genesis: covey init --network GENESIS";
    NO_VALIDATOR = 4001, "no_validator", "this node is no validator",
        "ask a node that was set up as one; to become one: `covey init --network GENESIS --candidate`";
    BAD_ADDRESS = 4002, "bad_address", "this is no address of this network",
        "copy the address again, whole";
    OTHER_ADDRESS = 4003, "other_address", "this is an address of another network",
        "ask for an address on this network";
    BAD_AMOUNT = 4004, "bad_amount", "this is no amount",
        "write it like 12.50, with no more decimals than the network has";
    ZERO_AMOUNT = 4005, "zero_amount", "an amount must be more than zero",
        "pay more";
    AMOUNT_TOO_SMALL = 4006, "amount_too_small", "the amount is smaller than the network allows",
        "pay at least as much as the message says";
    AMOUNT_TOO_LARGE = 4007, "amount_too_large", "the amounts add up to more than can be counted",
        "pay less";
    INSUFFICIENT_FUNDS = 4008, "insufficient_funds", "there is not enough money that may be spent",
        "wait for payments that are not final, or pay less";
    CHANGE_TOO_SMALL = 4009, "change_too_small", "too little would be left over",
        "pay a little more or less";
    TOO_FRAGMENTED = 4010, "too_fragmented", "the coins are too many and too small",
        "put them together first: pay_consolidate";
    PAYS_TWICE = 4011, "pays_twice", "a blocked payment of the same may still arrive",
        "look at it first: pay_payment; send with twice if paying twice is acceptable";
    TOO_MANY_PENDING = 4012, "too_many_pending", "too many payments are not final",
        "wait until some are";
    TOO_MANY_PAYEES = 4013, "too_many_payees", "a payment pays from 1 to 255 others",
        "split it";
    TOO_MANY_UNPAID = 4014, "too_many_unpaid", "too many addresses wait for their first payment",
        "use one of them: pay_addresses";
    UNKNOWN_PAYMENT = 4015, "unknown_payment", "there is no such payment",
        "pay_history lists them";
    NOT_FINAL = 4016, "not_final", "the payment is not final yet",
        "wait until it is: pay_payment";
    NOT_MINE = 4017, "not_mine", "the address is not of this wallet",
        "show it to whoever it pays";
    BAD_URI = 4018, "bad_uri", "this is no payment request",
        "copy it again, whole: covey:ADDRESS?amount=12.50";
    BAD_PAYMENT = 4019, "bad_payment", "this is no payment",
        "copy it again, whole, as pay_proof gives it";
    PAYMENT_ELSEWHERE = 4020, "payment_elsewhere", "the payment is on another network",
        "show it to a node on that network";
    WALLET_IN_USE = 4021, "wallet_in_use", "a phrase can be restored only in a wallet that was never used",
        "set up a new data directory";
    STILL_SEARCHING = 4022, "still_searching", "the search for the phrase's coins is not over",
        "wait until it is: pay_status";
    NOTHING_TO_CONSOLIDATE = 4023, "nothing_to_consolidate", "there are not two coins to put together",
        "nothing needs to be done";
    PAYEE_AWAY = 4024, "payee_away", "their node cannot be reached",
        "pay an address that they give you";
    PAYEE_HAS_NONE = 4025, "payee_has_none", "their node gives no address",
        "ask them to use their wallet: covey pay address";
    BAD_PHRASE = 4026, "bad_phrase", "these are not the words of a wallet",
        "compare them word by word";
    BAD_ASSET = 4027, "bad_asset", "this is no token",
        "give the token's id as pay_tokens shows it";
    TOO_MANY_PAYMENT_REQUESTS = 4028, "too_many_payment_requests", "as many payment requests are kept as may be",
        "use an address without a request";
    LABEL_TOO_LONG = 4029, "label_too_long", "a label or note is too long",
        "it may have 200 bytes";
    NO_AMOUNT = 4030, "no_amount", "it does not say how much is to be paid",
        "name an amount";
    TWO_AMOUNTS = 4031, "two_amounts", "the request asks for another amount",
        "leave the amount out, or pay the address by hand";
    NO_PROPOSAL = 4032, "no_proposal", "no such proposal is open",
        "see `covey validator reconfigure list`";
    TOO_MANY_EPOCH_KEYS = 4033, "too_many_epoch_keys", "the validator has keys for many epochs that it has not entered",
        "wait until it has caught up with the newest epoch";
    BAD_DRAFT = 4034, "bad_draft", "these validators cannot follow the present ones",
        "sign the draft with `covey validator reconfigure sign`, or make it again";
    NO_ENTRY = 4035, "no_entry", "this node is no validator yet, so it has no name and no addresses as one",
        "give its name and its addresses";
    TOO_MANY_PROPOSALS = 4036, "too_many_proposals", "as many proposals are open as may be",
        "propose it at another validator";
    MAY_NOT_AGREE = 4037, "may_not_agree", "the node does not validate in the newest epoch",
        "agree at those who do";
    TX_MALFORMED = 4100, "tx_malformed",
        "it is malformed",
        "nothing was signed for it: make the payment anew";
    TX_NO_INPUTS = 4101, "tx_no_inputs",
        "it spends nothing",
        "nothing was signed for it: make the payment anew";
    TX_INPUT_ORDER = 4102, "tx_input_order",
        "an output is listed twice among its inputs, or they are not in ascending order",
        "nothing was signed for it: make the payment anew";
    TX_PROOF_COUNT = 4103, "tx_proof_count",
        "it does not have one proof for each input",
        "nothing was signed for it: make the payment anew";
    TX_OUTPUT_COUNT = 4104, "tx_output_count",
        "the number of its outputs is not what its body says",
        "nothing was signed for it: make the payment anew";
    TX_OUTPUT_ROOT = 4105, "tx_output_root",
        "its outputs are not those that its body commits to",
        "nothing was signed for it: make the payment anew";
    TX_ZERO_AMOUNT = 4106, "tx_zero_amount",
        "an output is worth nothing",
        "nothing was signed for it: make the payment anew";
    TX_OVERFLOW = 4107, "tx_overflow",
        "its amounts add up to more than can be counted",
        "nothing was signed for it: make the payment anew";
    TX_SUMS = 4108, "tx_sums",
        "what comes out is not what goes in",
        "nothing was signed for it: make the payment anew";
    TX_FEE = 4109, "tx_fee",
        "what goes in is not what comes out and the network's fee",
        "nothing was signed for it: make the payment anew";
    TX_BELOW_MINIMUM = 4110, "tx_below_minimum",
        "an output is smaller than the network allows",
        "nothing was signed for it: make the payment anew";
    TX_WITNESSES = 4111, "tx_witnesses",
        "it is not signed by exactly the owners of what it spends",
        "nothing was signed for it: make the payment anew";
    TX_OWNER_SIGNATURE = 4112, "tx_owner_signature",
        "an owner's signature is wrong",
        "nothing was signed for it: make the payment anew";
    TX_PROOF_OUTPOINT = 4113, "tx_proof_outpoint",
        "a proof is of another output than the one that is spent",
        "nothing was signed for it: make the payment anew";
    TX_PROOF_PATH = 4114, "tx_proof_path",
        "an output is not among those of the transaction that was certified",
        "nothing was signed for it: make the payment anew";
    TX_UNKNOWN_OUTPOINT = 4115, "tx_unknown_outpoint",
        "the network has no such output",
        "nothing was signed for it: make the payment anew";
    TX_CERTIFICATE_EPOCH = 4116, "tx_certificate_epoch",
        "a certificate is of an epoch that is not known here",
        "nothing was signed for it: make the payment anew";
    TX_CERTIFICATE_VOTES = 4117, "tx_certificate_votes",
        "a certificate does not have the votes of exactly a quorum of validators",
        "nothing was signed for it: make the payment anew";
    TX_CERTIFICATE_SIGNERS = 4118, "tx_certificate_signers",
        "a certificate names signers that are no validators, or not one for each vote",
        "nothing was signed for it: make the payment anew";
    TX_VOTE_PATH = 4119, "tx_vote_path",
        "a vote is not for this transaction",
        "nothing was signed for it: make the payment anew";
    TX_VOTE_SIGNATURE = 4120, "tx_vote_signature",
        "a validator's signature is wrong",
        "nothing was signed for it: make the payment anew";
    TX_NOT_IMPORTED = 4121, "tx_not_imported",
        "a certificate of an earlier epoch is of a transaction that this epoch's validators were not handed",
        "nothing was signed for it: make the payment anew";
    TX_LOCKED = 4122, "tx_locked",
        "an output that it spends is promised to another transaction",
        "nothing was signed for it: make the payment anew";
    TX_FROZEN = 4123, "tx_frozen",
        "several transactions of an earlier epoch spend the same output: show a certificate of one of them",
        "nothing was signed for it: make the payment anew";
    TX_ONLY_CONSOLIDATION = 4124, "tx_only_consolidation",
        "the validator has little space left and takes only transactions with fewer outputs than inputs",
        "nothing was signed for it: make the payment anew";
}
