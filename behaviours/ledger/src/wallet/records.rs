//! What lies in a wallet's store.

use covey_kernel::{
    Bounded, Bytes, Fault, Peer, PublicKey, Scan, Store, Text, Time, View, cbor, record, tagged,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    amount::Amount,
    evidence::Evidence,
    limits::{LABEL_BYTES, OUTPUTS},
    output::{Asset, Outpoint, Output, TxId},
    phrase::Branch,
    proof::Proof,
    reason::Reason,
    spend::Spend,
    vote::Certificate,
};

/// What people write beside an address or a payment, for themselves.
pub type Label = Text<LABEL_BYTES>;

record! {
    /// How far one branch of the key tree is used.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Used {
        /// The index of the next address that is new.
        pub next: u32,
        /// One more than the highest index of an address that was paid to.
        pub paid: u32,
    }
}

record! {
    /// The wallet itself.
    #[derive(Clone, Debug)]
    pub(super) struct Me {
        /// What the phrase stands for.
        pub entropy: Bytes<32>,
        /// Addresses of the owner.
        pub own: Used,
        /// Addresses handed to peers.
        pub handed: Used,
        /// The number of the next line of the history.
        pub line: u64,
        /// Whether the coins found by the phrase may be spent: no other device uses it.
        pub restored: Restored,
    }
}

tagged! {
    /// Whether another device may have the same phrase.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Restored {
        /// The phrase was made here.
        0 => No(()),
        /// It is being searched for coins, which are held back.
        1 => Searching(()),
        /// It has been searched; what was found is held back.
        2 => Held(()),
        /// The owner says that no other device uses it.
        3 => Alone(()),
    }
}

record! {
    /// An own address.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Own {
        /// Where its key is in the tree.
        pub branch: Branch,
        /// Where in the branch.
        pub index: u32,
        /// What the owner calls it.
        pub label: Label,
        /// When it was made.
        pub made: Time,
        /// Whether it was ever paid to.
        pub paid: bool,
        /// Whether it is for change.
        pub change: bool,
    }
}

tagged! {
    /// What may be done with a coin.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Use {
        /// It may be spent.
        0 => Free(()),
        /// A transaction that is not final spends it.
        1 => Reserved(TxId),
        /// It was found by the phrase, and another device may be spending it.
        2 => Held(()),
        /// Another device with the same phrase has spent it, or tried to.
        3 => Lost(TxId),
    }
}

record! {
    /// An output of ours.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Coin {
        /// The output.
        pub output: Output,
        /// That it exists.
        pub proof: Proof,
        /// What may be done with it.
        pub used: Use,
        /// When it came.
        pub came: Time,
    }
}

record! {
    /// How much there is of an asset.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Balance {
        /// What may be spent.
        pub free: Amount,
        /// What transactions spend that are not final.
        pub reserved: Amount,
        /// What was found by the phrase and may not be spent yet, or is lost.
        pub held: Amount,
        /// Coins that may be spent.
        pub coins: u64,
    }
}

tagged! {
    /// Why a payment will never be final.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Failure {
        /// So many validators say so that one of them is honest.
        0 => Invalid(Reason),
        /// A certificate of a transaction that spends the same was shown.
        1 => Spent(TxId),
    }
}

tagged! {
    /// How far a payment has come.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Progress {
        /// Too few validators have voted.
        0 => Sending(()),
        /// It is final.
        1 => Certified(Box<Certificate>),
        /// It never will be.
        2 => Failed(Failure),
        /// So many validators have promised its coins to another transaction that one of them is
        /// honest. It may be final yet, or never.
        3 => Blocked(Box<Evidence>),
    }
}

record! {
    /// Somebody is paid.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Line {
        /// Which of the transaction's outputs.
        pub index: u16,
        /// To whom.
        pub to: PublicKey,
        /// How much.
        pub amount: Amount,
    }
}

record! {
    /// An own transaction.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Payment {
        /// What is sent to validators. When it is final, without proofs.
        pub spend: Spend,
        /// Of what.
        pub asset: Asset,
        /// Who is paid; nobody if coins are put together.
        pub lines: Bounded<Line, OUTPUTS>,
        /// What the owner wrote beside it.
        pub note: Label,
        /// When it was made.
        pub made: Time,
        /// How far it has come.
        pub progress: Progress,
        /// The node that is told, if known.
        pub payee: Option<Peer>,
    }
}

tagged! {
    /// A line of the history.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Entry {
        /// A payment was made.
        0 => Paid(TxId),
        /// A coin came.
        1 => Came(Came),
    }
}

record! {
    /// A coin that came from somebody else.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Came {
        /// Which.
        pub outpoint: Outpoint,
        /// To which address, how much, of what.
        pub output: Output,
        /// When.
        pub at: Time,
    }
}

record! {
    /// What somebody is asked to pay.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Asked {
        /// How much, if that is fixed.
        pub amount: Option<Amount>,
        /// Of what.
        pub asset: Asset,
        /// What for.
        pub label: Label,
        /// When it was made.
        pub made: Time,
        /// What was paid so far.
        pub paid: Amount,
    }
}

record! {
    /// An output that its payee's node is told of.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Delivery {
        /// Whom.
        pub to: Peer,
        /// Since when.
        pub since: Time,
    }
}

pub(super) fn read<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<Option<T>, Fault> {
    store.get(key)?.map(|bytes| cbor::decode_stored(&bytes)).transpose()
}

/// What must be there.
pub(super) fn must<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<T, Fault> {
    read(store, key)?.ok_or_else(|| Fault::Corrupt("a record is missing".into()))
}

pub(super) fn write<T: Serialize>(view: &mut View<'_>, key: Vec<u8>, value: &T) {
    view.put(key, cbor::encode(value));
}

/// Every key under a tag, page by page.
pub(super) fn keys(store: &dyn Store, tag: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut found = Vec::new();
    let mut scan = Scan::prefix(tag);
    loop {
        let page = store.scan(&scan)?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        scan = scan.after(last);
        found.extend(page.into_iter().map(|(key, _)| key));
    }
}
