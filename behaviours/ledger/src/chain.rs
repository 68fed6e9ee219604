//! The configurations that a node knows, by epoch, and what it needs to judge transactions.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use covey_kernel::{Entry, Fault, NetworkId, Scan, Store, cbor};

use crate::{
    configuration::Configuration,
    genesis::Genesis,
    reconfigure::{InvalidLink, Link},
};

/// A network as one node knows it: how it began, and the configurations up to now.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// How it began.
    pub genesis: Arc<Genesis>,
    configurations: BTreeMap<u64, Arc<Configuration>>,
    links: BTreeMap<u64, Arc<Link>>,
    newest: Arc<Configuration>,
    read: LastRead,
}

/// What was read last of a store: the newest entry there, and the network up to it. A configuration
/// names the one before it by its hash, so the newest entry says what all before it are. Only an
/// accelerator: it never changes an answer.
#[derive(Default)]
struct LastRead(Mutex<Option<(Entry, Arc<Network>)>>);

impl LastRead {
    fn of(&self, newest: &Entry) -> Option<Arc<Network>> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().filter(|(entry, _)| entry == newest).map(|(_, network)| network.clone())
    }

    fn remember(&self, newest: Entry, network: &Arc<Network>) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *read = Some((newest, network.clone()));
    }
}

/// A copy may be used with another store, and begins with nothing read.
impl Clone for LastRead {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for LastRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastRead(..)")
    }
}

impl Network {
    /// A network of which only the beginning is known.
    #[must_use]
    pub fn new(genesis: Arc<Genesis>) -> Self {
        let id = genesis.network();
        let first = Arc::new(genesis.configuration(&id));
        let configurations = BTreeMap::from([(0, first.clone())]);
        Self {
            id,
            genesis,
            configurations,
            links: BTreeMap::new(),
            newest: first,
            read: LastRead::default(),
        }
    }

    /// The validators of an epoch, if known.
    #[must_use]
    pub fn configuration(&self, epoch: u64) -> Option<&Configuration> {
        self.configurations.get(&epoch).map(AsRef::as_ref)
    }

    /// The validators of the newest epoch known.
    #[must_use]
    pub fn newest(&self) -> &Arc<Configuration> {
        &self.newest
    }

    /// All configurations, newest first.
    pub fn configurations(&self) -> impl Iterator<Item = &Configuration> {
        self.configurations.values().rev().map(AsRef::as_ref)
    }

    /// The certified configurations after an epoch, in order.
    pub fn links_after(&self, epoch: u64) -> impl Iterator<Item = &Link> {
        self.links.range(epoch.saturating_add(1)..).map(|(_, link)| link.as_ref())
    }

    /// Takes the configuration that follows the newest one, if all of it is right. One that is known
    /// already changes nothing.
    pub fn follow(&mut self, link: &Link) -> Result<(), InvalidLink> {
        let epoch = link.epoch();
        if let Some(known) = self.configuration(epoch) {
            if known.id(&self.id) == link.proposal.id(&self.id) {
                return Ok(());
            }
            let before = epoch.checked_sub(1).and_then(|before| self.configuration(before));
            // Only what is certified itself shows a fork; else anybody could claim one.
            before.map_or(Err(InvalidLink::Previous), |before| link.check(&self.id, before))?;
            return Err(InvalidLink::Fork(epoch));
        }
        link.check(&self.id, &self.newest)?;
        self.fresh_keys(&link.proposal.configuration)?;
        self.resume(link.clone());
        Ok(())
    }

    /// Whether no voting key of a configuration was one of any before.
    pub fn fresh_keys(&self, next: &Configuration) -> Result<(), InvalidLink> {
        let mut before = self.configurations.values().flat_map(|one| one.members.iter());
        let reused = before.any(|old| next.members.iter().any(|new| new.vote == old.vote));
        if reused { Err(InvalidLink::KeyReused) } else { Ok(()) }
    }

    /// Takes what was checked before.
    pub(crate) fn resume(&mut self, link: Link) {
        let configuration = Arc::new(link.proposal.configuration.clone());
        self.configurations.insert(configuration.epoch, configuration.clone());
        self.links.insert(configuration.epoch, Arc::new(link));
        self.newest = configuration;
    }

    /// The same as [`Network::with_stored`], for whoever asks again and again: as long as nothing newer
    /// is stored, one entry is read.
    pub(crate) fn as_stored(&self, store: &dyn Store, tag: &[u8]) -> Result<Arc<Self>, Fault> {
        let newest = store.scan(&Scan::prefix(tag).backwards().limit(1))?.into_iter().next();
        // An entry of no store stands for an empty one.
        let newest = newest.unwrap_or_default();
        if let Some(network) = self.read.of(&newest) {
            return Ok(network);
        }
        let network = Arc::new(self.with_stored(store, tag)?.into_owned());
        self.read.remember(newest, &network);
        Ok(network)
    }

    /// With what a machine has stored of it under a tag, by epoch.
    pub(crate) fn with_stored(
        &self,
        store: &dyn Store,
        tag: &[u8],
    ) -> Result<Cow<'_, Self>, Fault> {
        let mut network = Cow::Borrowed(self);
        let mut scan = Scan::prefix(tag).after(&link_key(tag, self.newest.epoch));
        loop {
            let page = store.scan(&scan)?;
            let Some((last, _)) = page.last() else { return Ok(network) };
            scan = scan.after(last);
            for (_, bytes) in page {
                network.to_mut().resume(cbor::decode_stored(&bytes)?);
            }
        }
    }
}

/// Where a machine stores the configuration of an epoch.
pub(crate) fn link_key(tag: &[u8], epoch: u64) -> Vec<u8> {
    [tag, epoch.to_be_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use covey_kernel::{Bounded, Bytes, Keypair, Text};

    use super::*;
    use crate::{
        address::Prefix,
        amount::{Amount, Decimals},
        configuration::{Governance, Member},
        genesis::Currency,
        reconfigure::Proposal,
    };

    const TAG: &[u8] = &[3];

    /// Counts the entries that are read of it.
    #[derive(Default)]
    struct Disk(BTreeMap<Vec<u8>, Vec<u8>>, Cell<usize>);

    impl Store for Disk {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
            Ok(self.0.get(key).cloned())
        }

        fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
            let all = self.0.iter().filter(|(key, _)| scan.contains(key));
            let mut all: Vec<Entry> =
                all.map(|(key, value)| (key.clone(), value.clone())).collect();
            if scan.reverse {
                all.reverse();
            }
            all.truncate(scan.limit);
            self.1.set(self.1.get() + all.len());
            Ok(all)
        }
    }

    fn member(n: u8) -> Member {
        let key = Keypair::from_secret(&[n; 32]).public();
        let vote = Keypair::from_secret(&[n + 100; 32]).public();
        Member { name: Text::new("v").unwrap(), peer: key, vote, addresses: Bounded::default() }
    }

    fn network() -> Network {
        let governance = Governance { threshold: 1, keys: Bounded::first([member(1).peer]) };
        Network::new(Arc::new(Genesis {
            name: Text::new("village").unwrap(),
            nonce: Bytes::new(vec![0; 16]).unwrap(),
            currency: Currency {
                unit: Text::new("leaf").unwrap(),
                decimals: Decimals::new(2).unwrap(),
                prefix: Prefix::new("leaf").unwrap(),
                minimum: Amount::new(1),
                fee: Amount::ZERO,
            },
            members: Bounded::first([member(1)]),
            governance,
            outputs: Bounded::default(),
        }))
    }

    /// Stores a configuration that follows another one, as if it were certified.
    fn store(disk: &mut Disk, network: &NetworkId, before: &Configuration, n: u8) -> Configuration {
        let next = Configuration {
            epoch: before.epoch + 1,
            members: Bounded::first([member(n)]),
            governance: before.governance.clone(),
            previous: before.id(network),
        };
        let proposal = Proposal::new(next.clone());
        let link = Link { proposal, signers: 0, votes: Bounded::default() };
        disk.0.insert(link_key(TAG, next.epoch), cbor::encode(&link));
        next
    }

    #[test]
    fn what_is_stored_is_read_once() {
        let (network, mut disk) = (network(), Disk::default());
        let mut before = network.newest().as_ref().clone();
        for n in 2..12 {
            before = store(&mut disk, &network.id, &before, n);
        }
        assert_eq!(**network.as_stored(&disk, TAG).unwrap().newest(), before);
        let read = disk.1.replace(0);
        assert!(read > 10, "{read}");
        assert_eq!(**network.as_stored(&disk, TAG).unwrap().newest(), before);
        assert_eq!(disk.1.replace(0), 1);
        let next = store(&mut disk, &network.id, &before, 12);
        assert_eq!(**network.as_stored(&disk, TAG).unwrap().newest(), next);
    }

    #[test]
    fn what_was_read_is_what_is_stored() {
        // An older copy of a store, and one of another chain: only what they hold counts.
        let (network, mut disk) = (network(), Disk::default());
        let first = network.newest().as_ref().clone();
        assert_eq!(**network.as_stored(&disk, TAG).unwrap().newest(), first);
        let second = store(&mut disk, &network.id, &first, 2);
        let older = Disk(disk.0.clone(), Cell::default());
        let third = store(&mut disk, &network.id, &second, 3);
        let mut other = Disk::default();
        let fork = store(&mut other, &network.id, &first, 4);
        let fork = store(&mut other, &network.id, &fork, 5);
        for _ in 0..2 {
            for (disk, newest) in [(&disk, &third), (&older, &second), (&other, &fork)] {
                let stored = network.as_stored(disk, TAG).unwrap();
                assert_eq!(stored.newest().as_ref(), newest);
                assert_eq!(stored.configurations().count() as u64, newest.epoch + 1);
            }
            let empty = network.as_stored(&Disk::default(), TAG).unwrap();
            assert_eq!(empty.newest().as_ref(), &first);
        }
    }
}
