use covey_ledger::{Error, InvalidReceipt, Reason};

use crate::rpc::{Code, codes};

/// What the methods of `pay` and `validator` answer besides what every method may answer.
pub(in crate::api) const CODES: &[Code] = &[
    codes::NO_LEDGER,
    codes::NO_VALIDATOR,
    codes::BAD_ADDRESS,
    codes::OTHER_ADDRESS,
    codes::BAD_AMOUNT,
    codes::ZERO_AMOUNT,
    codes::AMOUNT_TOO_SMALL,
    codes::AMOUNT_TOO_LARGE,
    codes::INSUFFICIENT_FUNDS,
    codes::CHANGE_TOO_SMALL,
    codes::TOO_FRAGMENTED,
    codes::PAYS_TWICE,
    codes::TOO_MANY_PENDING,
    codes::TOO_MANY_PAYEES,
    codes::TOO_MANY_UNPAID,
    codes::UNKNOWN_PAYMENT,
    codes::NOT_FINAL,
    codes::NOT_MINE,
    codes::BAD_URI,
    codes::BAD_PAYMENT,
    codes::PAYMENT_ELSEWHERE,
    codes::WALLET_IN_USE,
    codes::STILL_SEARCHING,
    codes::NOTHING_TO_CONSOLIDATE,
    codes::PAYEE_AWAY,
    codes::PAYEE_HAS_NONE,
    codes::BAD_PHRASE,
    codes::BAD_ASSET,
    codes::TOO_MANY_PAYMENT_REQUESTS,
    codes::LABEL_TOO_LONG,
    codes::NO_AMOUNT,
    codes::TWO_AMOUNTS,
    codes::TX_MALFORMED,
    codes::TX_NO_INPUTS,
    codes::TX_INPUT_ORDER,
    codes::TX_PROOF_COUNT,
    codes::TX_OUTPUT_COUNT,
    codes::TX_OUTPUT_ROOT,
    codes::TX_ZERO_AMOUNT,
    codes::TX_OVERFLOW,
    codes::TX_SUMS,
    codes::TX_FEE,
    codes::TX_BELOW_MINIMUM,
    codes::TX_WITNESSES,
    codes::TX_OWNER_SIGNATURE,
    codes::TX_PROOF_OUTPOINT,
    codes::TX_PROOF_PATH,
    codes::TX_UNKNOWN_OUTPOINT,
    codes::TX_CERTIFICATE_EPOCH,
    codes::TX_CERTIFICATE_VOTES,
    codes::TX_CERTIFICATE_SIGNERS,
    codes::TX_VOTE_PATH,
    codes::TX_VOTE_SIGNATURE,
    codes::TX_NOT_IMPORTED,
    codes::TX_LOCKED,
    codes::TX_FROZEN,
    codes::TX_ONLY_CONSOLIDATION,
    codes::UNKNOWN_CONTACT,
    codes::AMBIGUOUS,
    codes::BUSY,
    codes::HALTED,
];

/// The code of each of the ledger's errors.
pub(in crate::api) fn code(error: &Error) -> Code {
    match error {
        Error::Invalid(reason) => invalid(*reason),
        Error::NoSuchPayment => codes::UNKNOWN_PAYMENT,
        Error::NotFinal(_) => codes::NOT_FINAL,
        Error::Insufficient { .. } => codes::INSUFFICIENT_FUNDS,
        Error::ChangeTooSmall { .. } => codes::CHANGE_TOO_SMALL,
        Error::TooFragmented { .. } => codes::TOO_FRAGMENTED,
        Error::ZeroAmount => codes::ZERO_AMOUNT,
        Error::TooSmall { .. } => codes::AMOUNT_TOO_SMALL,
        Error::AmountTooLarge => codes::AMOUNT_TOO_LARGE,
        Error::TooManyPayees => codes::TOO_MANY_PAYEES,
        Error::PaysTwice(_) => codes::PAYS_TWICE,
        Error::TooManyPending => codes::TOO_MANY_PENDING,
        Error::TooManyUnpaid => codes::TOO_MANY_UNPAID,
        Error::TooManyRequests => codes::TOO_MANY_PAYMENT_REQUESTS,
        Error::NotMine => codes::NOT_MINE,
        Error::WalletInUse => codes::WALLET_IN_USE,
        Error::StillSearching => codes::STILL_SEARCHING,
        Error::NothingToConsolidate => codes::NOTHING_TO_CONSOLIDATE,
        Error::PayeeAway => codes::PAYEE_AWAY,
        Error::PayeeHasNone => codes::PAYEE_HAS_NONE,
        Error::NotReady(_)
        | Error::LocksMissing
        | Error::LocksOld { .. }
        | Error::NotThisValidator
        | Error::Configuration(_)
        | Error::NoSuchProposal
        | Error::EpochNotOver => codes::REFUSED,
        Error::Store(_) => codes::HALTED,
    }
}

/// The code of what is wrong with a shown payment.
pub(in crate::api) fn receipt(error: &InvalidReceipt) -> Code {
    match error {
        InvalidReceipt::Malformed | InvalidReceipt::Chain(_) => codes::BAD_PAYMENT,
        InvalidReceipt::OtherNetwork { .. } => codes::PAYMENT_ELSEWHERE,
        InvalidReceipt::Invalid(reason) => invalid(*reason),
    }
}

/// The code of what is wrong with a transaction.
pub(in crate::api) fn invalid(reason: Reason) -> Code {
    match reason {
        Reason::Malformed => codes::TX_MALFORMED,
        Reason::NoInputs => codes::TX_NO_INPUTS,
        Reason::InputOrder => codes::TX_INPUT_ORDER,
        Reason::ProofCount => codes::TX_PROOF_COUNT,
        Reason::OutputCount => codes::TX_OUTPUT_COUNT,
        Reason::OutputRoot => codes::TX_OUTPUT_ROOT,
        Reason::ZeroAmount => codes::TX_ZERO_AMOUNT,
        Reason::Overflow => codes::TX_OVERFLOW,
        Reason::Sums => codes::TX_SUMS,
        Reason::Fee => codes::TX_FEE,
        Reason::BelowMinimum => codes::TX_BELOW_MINIMUM,
        Reason::Witnesses => codes::TX_WITNESSES,
        Reason::OwnerSignature => codes::TX_OWNER_SIGNATURE,
        Reason::ProofOutpoint => codes::TX_PROOF_OUTPOINT,
        Reason::ProofPath => codes::TX_PROOF_PATH,
        Reason::UnknownOutpoint => codes::TX_UNKNOWN_OUTPOINT,
        Reason::CertificateEpoch => codes::TX_CERTIFICATE_EPOCH,
        Reason::CertificateVotes => codes::TX_CERTIFICATE_VOTES,
        Reason::CertificateSigners => codes::TX_CERTIFICATE_SIGNERS,
        Reason::VotePath => codes::TX_VOTE_PATH,
        Reason::VoteSignature => codes::TX_VOTE_SIGNATURE,
        Reason::NotImported => codes::TX_NOT_IMPORTED,
        Reason::Locked => codes::TX_LOCKED,
        Reason::Frozen => codes::TX_FROZEN,
        Reason::OnlyConsolidation => codes::TX_ONLY_CONSOLIDATION,
    }
}
