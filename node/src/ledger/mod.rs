//! The files of a network with a ledger: its genesis, and a validator's keys.

mod genesis;
mod validator;

pub use genesis::{GenesisError, GenesisFile, MemberFile, OutputFile};
pub use validator::{ValidatorFile, ValidatorKeyError};
