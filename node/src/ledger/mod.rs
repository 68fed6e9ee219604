//! The files of a network with a ledger: its genesis, and the keys of its validators.

mod founding;
mod genesis;
mod joining;
mod validator;

pub use founding::{
    Founding, FoundingError, GENESIS_NAME, NewNetwork, Place, TREASURY_NAME, validator_name,
};
pub use genesis::{
    CurrencyFile, GenesisError, GenesisFile, GovernanceFile, MemberFile, OutputFile,
};
pub use joining::{JoiningError, adopt, validate};
pub use validator::{ValidatorFile, ValidatorKeyError};
