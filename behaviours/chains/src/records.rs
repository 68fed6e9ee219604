//! What lies in the store, and the typed ways to read and write it.

use covey_kernel::{Bytes, Fault, Hash, Peer, PublicKey, Scan, Store, Time, View, cbor, record};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    SignedBlock,
    genesis::Genesis,
    layout::{self, ChainNo},
    phrase::GroupKey,
};

record! {
    /// A chain that is followed.
    #[derive(Clone, Debug)]
    pub(crate) struct Joined {
        pub genesis: Genesis,
        /// The first post that is followed, where that matters.
        pub first: Option<Hash>,
        /// A private group's key.
        pub key: Option<Bytes<32>>,
        pub since: Time,
    }
}

impl Joined {
    pub(crate) fn group_key(&self) -> Option<GroupKey> {
        let key: [u8; 32] = self.key.as_ref()?.as_ref().try_into().ok()?;
        Some(GroupKey::from_bytes(key))
    }
}

record! {
    /// A block with what is known of its coming.
    #[derive(Clone, Debug)]
    pub(crate) struct Stored {
        pub signed: SignedBlock,
        /// When it came.
        pub arrived: Time,
        /// Whether it was held, and came with the like that admits it. It is admitted in any case.
        pub liked: bool,
        /// Whether it belongs to a hard fork that is not followed.
        pub aside: Option<Aside>,
    }
}

record! {
    /// Of a block that is left aside.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Aside {
        pub since: Time,
        /// The first place that would change with it; none if it came after what it builds on was left aside.
        pub place: Option<u64>,
        /// Whether a peer offered it, and it was never followed here: then it takes room.
        pub offered: bool,
        /// Who began the fork that it belongs to; none if nobody signed where it begins, so that nobody's room can be
        /// taken for more of it.
        pub begun_by: Option<PublicKey>,
    }
}

record! {
    /// What was frozen before an exchange.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Settled {
        /// So many places.
        pub places: u64,
        /// Since it began.
        pub since: Time,
        /// It counts no longer, if nothing new comes until then.
        pub until: Time,
        /// Who brought something last; none if that exchange has ended.
        pub from: Option<Peer>,
    }
}

record! {
    /// A held post. Its payload lies where those of other blocks do.
    #[derive(Clone, Debug)]
    pub(crate) struct HeldPost {
        pub signed: SignedBlock,
        /// When it came.
        pub arrived: Time,
        /// Which neighbour it came from; none if it was made here.
        pub from: Option<Peer>,
    }
}

pub(crate) fn read<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<Option<T>, Fault> {
    store.get(key)?.map(|bytes| cbor::decode_stored(&bytes)).transpose()
}

pub(crate) fn write<T: Serialize>(view: &mut View<'_>, key: Vec<u8>, value: &T) {
    view.put(key, cbor::encode(value));
}

/// Goes through everything under a prefix, a page at a time.
pub(crate) fn each(
    store: &dyn Store,
    prefix: &[u8],
    mut with: impl FnMut(&[u8], &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut scan = Scan::prefix(prefix);
    loop {
        let page = store.scan(&scan)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        scan = scan.after(last);
        for (key, value) in &page {
            with(key, value)?;
        }
    }
}

/// All held posts of a chain.
pub(crate) fn held(store: &dyn Store, no: ChainNo) -> Result<Vec<(Hash, HeldPost)>, Fault> {
    let mut found = Vec::new();
    each(store, &layout::all_held(no), |key, value| {
        let hash = layout::last_hash(key).ok_or_else(|| Fault::Corrupt("a held post".into()))?;
        found.push((hash, cbor::decode_stored(value)?));
        Ok(())
    })?;
    Ok(found)
}
