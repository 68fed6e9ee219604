//! The configurations that a node knows, by epoch, and what it needs to judge transactions.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use covey_kernel::{Fault, NetworkId, Scan, Store, cbor};

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
}

impl Network {
    /// A network of which only the beginning is known.
    #[must_use]
    pub fn new(genesis: Arc<Genesis>) -> Self {
        let id = genesis.network();
        let first = Arc::new(genesis.configuration(&id));
        let configurations = BTreeMap::from([(0, first.clone())]);
        Self { id, genesis, configurations, links: BTreeMap::new(), newest: first }
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
