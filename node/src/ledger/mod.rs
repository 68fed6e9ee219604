//! The files of a network with a ledger: its genesis, and the keys of its validators.

mod draft;
mod founding;
mod genesis;
mod joining;
mod members;
mod validator;

pub use draft::{ApprovalFile, Draft, DraftError, DraftFile, governance_key, read_json};
pub use founding::{
    Founding, FoundingError, GENESIS_NAME, NewNetwork, Place, TREASURY_NAME, addresses_at,
    governance_name, validator_name,
};
pub use genesis::{CurrencyFile, GenesisError, GenesisFile, OutputFile};
pub use joining::{JoiningError, adopt, stand, validate};
pub use members::{ConfigurationFile, GovernanceFile, MemberFile, WrongField};
pub use validator::{ValidatorFile, ValidatorKeyError};
