//! The configurations that a node knows, by epoch, and what it needs to judge transactions.

use std::{collections::BTreeMap, sync::Arc};

use covey_kernel::NetworkId;

use crate::{configuration::Configuration, genesis::Genesis};

/// A network as one node knows it: how it began, and the configurations up to now.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// How it began.
    pub genesis: Arc<Genesis>,
    configurations: BTreeMap<u64, Arc<Configuration>>,
    newest: Arc<Configuration>,
}

impl Network {
    /// A network of which only the beginning is known.
    #[must_use]
    pub fn new(genesis: Arc<Genesis>) -> Self {
        let id = genesis.network();
        let first = Arc::new(genesis.configuration(&id));
        let configurations = BTreeMap::from([(0, first.clone())]);
        Self { id, genesis, configurations, newest: first }
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
}
