use covey_kernel::{Blame, Fault, MachineError};

use crate::{output::TxId, reason::Reason, reconfigure::InvalidLink, wire::NotReady};

/// What can go wrong in the ledger. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A transaction, or what proves it, is not valid.
    #[error("the transaction is not valid: {0}")]
    Invalid(Reason),
    /// The validator cannot answer.
    #[error("the validator is not ready")]
    NotReady(NotReady),
    /// The validator's key is there, but not the store of its locks.
    #[error(
        "this validator has run before, but its locks are gone: without them it could sign a second \
         payment of one coin, so it must not run with this key again; have it replaced by one with a \
         new key"
    )]
    LocksMissing,
    /// The store of locks is older than the key's count of starts.
    #[error(
        "the validator's locks are from an older copy (start {found}, the key has seen {wanted}): it \
         could sign a second payment of one coin, so it must not run with this key again; have it \
         replaced by one with a new key"
    )]
    LocksOld {
        /// Starts that the store has seen.
        found: u64,
        /// Starts that the key has seen.
        wanted: u64,
    },
    /// The key is not that of the validator which this node is in the genesis.
    #[error(
        "this node's key and its validator's key are not those of one validator of this network: use \
         the key file that `covey network new` wrote for it"
    )]
    NotThisValidator,
    /// A proposal, or a configuration, does not follow the one known.
    #[error("this configuration cannot follow: {0}")]
    Configuration(#[from] InvalidLink),
    /// No such proposal is open.
    #[error("there is no such proposal for the next epoch: see `covey validator reconfigure list`")]
    NoSuchProposal,
    /// As many proposals are kept as may be.
    #[error(
        "as many proposals are open as may be, and this validator has agreed to all: propose it at \
         another validator"
    )]
    TooManyProposals,
    /// Only those who validate now agree to who is next.
    #[error(
        "this node does not validate in the newest epoch, so it cannot agree to who is next: see \
         `covey validator status`"
    )]
    MayNotAgree,
    /// Keys were made for as many epochs as may be that this node has still to enter.
    #[error(
        "this validator has keys for {} epochs that it has not entered: wait until it has caught up",
        crate::limits::KEYS
    )]
    TooManyKeys,
    /// There is no such payment, or it has no such output.
    #[error("there is no such payment: see `covey pay history`")]
    NoSuchPayment,
    /// A payment is not final.
    #[error("the payment {0} is not final yet: see `covey pay history`")]
    NotFinal(TxId),
    /// Too little may be spent.
    #[error(
        "{wanted} are needed and {free} may be spent ({reserved} are in payments that are not final, {held} are \
         held back)"
    )]
    Insufficient {
        /// With the fee.
        wanted: String,
        /// What may be spent.
        free: String,
        /// What payments spend that are not final.
        reserved: String,
        /// What was found by the phrase and may not be spent yet.
        held: String,
    },
    /// Whatever is spent, too little is left over.
    #[error(
        "{change} would be left over, less than the smallest output of {minimum}: pay that much more, \
         or less"
    )]
    ChangeTooSmall {
        /// What would be left over.
        change: String,
        /// The smallest output.
        minimum: String,
    },
    /// There is enough, in too many coins.
    #[error(
        "the coins are too small: a payment takes {inputs} at most; put them together first with \
         `covey pay consolidate`"
    )]
    TooFragmented {
        /// Coins that a payment takes.
        inputs: usize,
    },
    /// Nothing is to be paid.
    #[error("an amount must be more than zero")]
    ZeroAmount,
    /// Less than an output may be.
    #[error("the smallest amount that can be paid is {minimum}")]
    TooSmall {
        /// The smallest output.
        minimum: String,
    },
    /// More than can be counted.
    #[error("the amounts add up to more than can be counted: pay less")]
    AmountTooLarge,
    /// Nobody, or too many at once.
    #[error("a payment pays from 1 to 255 others: split it")]
    TooManyPayees,
    /// A blocked payment may still arrive.
    #[error(
        "the payment {0} of the same is blocked and may still arrive: paying again may pay twice; add \
         --twice if you accept that"
    )]
    PaysTwice(TxId),
    /// Too many payments are not final.
    #[error("too many payments are not final yet: wait until some are, or see `covey pay resume`")]
    TooManyPending,
    /// Too many addresses wait for their first payment.
    #[error(
        "20 addresses wait for their first payment, and a restored wallet looks no further: use one of \
         them (`covey pay addresses`)"
    )]
    TooManyUnpaid,
    /// Too many requests are kept.
    #[error("as many payment requests are kept as may be")]
    TooManyRequests,
    /// The address is somebody else's.
    #[error("this is not an address of this wallet")]
    NotMine,
    /// The wallet has addresses already.
    #[error(
        "this wallet is in use: a phrase can be restored only in one that was never used; set up a \
         new data directory for it"
    )]
    WalletInUse,
    /// The search by the phrase goes on.
    #[error(
        "the search for this phrase's coins is not over: wait until `covey pay balance` says so"
    )]
    StillSearching,
    /// There are fewer than two coins.
    #[error("there are not two coins that could be put together")]
    NothingToConsolidate,
    /// The payee's node cannot be asked for an address.
    #[error(
        "their node cannot be reached to ask where to pay: try again when it runs, or pay an address \
         that they give you (`covey pay request`)"
    )]
    PayeeAway,
    /// The payee's node has no wallet in use.
    #[error(
        "their node gives no address to pay: they have no wallet on this network, or have not used it \
         yet (`covey pay address`)"
    )]
    PayeeHasNone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason)
    }
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        match self {
            Self::Invalid(_) => Blame::Peer,
            Self::NotReady(_) => Blame::Later,
            Self::Store(fault) => Blame::Store(fault.clone()),
            _ => Blame::User,
        }
    }
}
