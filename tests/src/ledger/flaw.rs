//! Mistakes that the checkers must find, and how validators cheat.

use covey_kernel::Effect;
use covey_ledger::{
    Validator, Wallet,
    wire::{Request, ToWallet},
};

use super::{half::Half, machine::LedgerNode};

/// A deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A validator that writes no locks.
    ForgetsLocks,
    /// A validator that does not look at its locks.
    VotesTwice,
    /// A wallet that leaves what it spends among what may be spent.
    SpendsReserved,
    /// A wallet that pays once more, from other coins, what is not final when its owner asks it to go on.
    PaysAgain,
    /// A wallet that forgets what was its own once.
    CreditsTwice,
    /// A wallet that does not remember, after a crash, what is not final.
    ForgetsPending,
    /// A wallet that tells no payee.
    NeverDelivers,
    /// A wallet that asks for no wake-up.
    Oversleeps,
}

impl Flaw {
    /// Whether the mistake is not to see what lies under a key.
    pub(super) fn hides(self, key: &[u8]) -> bool {
        self == Self::VotesTwice && key.starts_with(&[Validator::TAG, 0x10])
    }

    /// Whether the mistake is not to write there.
    pub(super) fn drops(self, key: &[u8], deletes: bool) -> bool {
        match self {
            Self::ForgetsLocks => key.starts_with(&[Validator::TAG, 0x10]),
            Self::SpendsReserved => deletes && key.starts_with(&[Wallet::TAG, 0x21]),
            Self::CreditsTwice => key.starts_with(&[Wallet::TAG, 0x22]),
            Self::ForgetsPending => !deletes && key.starts_with(&[Wallet::TAG, 0x31]),
            _ => false,
        }
    }

    /// Whether the mistake is not to do this.
    pub(super) fn silences(self, effect: &Effect<LedgerNode>) -> bool {
        match (self, effect) {
            (Self::NeverDelivers, Effect::Ask { bytes, .. }) => {
                matches!(Request::decode(bytes), Ok(Request::Wallet(ToWallet::Deliver(_))))
            }
            (Self::Oversleeps, Effect::Wake(_)) => true,
            _ => false,
        }
    }
}

/// How a validator cheats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vice {
    /// It votes for every transaction it sees.
    VotesForAll,
    /// It answers late.
    Slow,
    /// It answers nothing.
    Silent,
    /// It says whatever comes to its mind.
    Lies,
    /// It is never ready.
    NeverReady,
    /// It calls everything invalid.
    Refuses,
}
