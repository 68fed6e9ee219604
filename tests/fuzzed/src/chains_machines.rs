//! Sequences of operations on three nodes that follow a chain.

use std::collections::BTreeSet;

use covey_chains::genesis::{Freeze, Genesis, Owner, Rules};
use covey_kernel::{Span, Text};

use crate::chains_net::{
    key, network,
    users::{Choices, NODES, Users},
};

/// Operations of one run.
const OPERATIONS: usize = 64;
/// Bytes that decide on an operation.
const OPERATION: usize = 12;

/// The kind of chain, then twelve bytes for each operation. Whatever happens: no node halts, what is shown makes sense
/// and is the same after a restart, and where nothing freezes all show the same in the end, after one more.
pub fn chains_machines(bytes: &[u8]) {
    let Some((kind, operations)) = bytes.split_first() else { return };
    let genesis = genesis(*kind);
    let freezes = genesis.freeze.is_some();
    let mut users = Users::begin(Choices::Given(Vec::new().into()), genesis);
    for bytes in operations.chunks(OPERATION).take(OPERATIONS) {
        let (harm, bytes) = (bytes[0] >= 224, bytes.to_vec());
        users.choices = Choices::Given(bytes.into());
        if harm { users.harm() } else { users.step() }
    }
    users.recover();
    users.come_together();
    let first = users.whole(0);
    if !freezes {
        (1..NODES).for_each(|at| assert_eq!(users.whole(at), first, "nodes 0 and {at} differ"));
    }
}

fn genesis(kind: u8) -> Genesis {
    let forum = |rules| Genesis::forum(network(), Text::new("chat").unwrap(), rules);
    let genesis = match kind % 4 {
        0 => {
            let freeze = Some(Freeze { places: 3, span: Span::days(1) });
            return Genesis { freeze, ..forum(Rules::Paper(())) };
        }
        1 => forum(Rules::Paper(())),
        2 => {
            let pioneers: BTreeSet<_> = [1, 2].map(|seed| key(seed).public()).into();
            forum(Rules::v10(&pioneers).unwrap())
        }
        _ => Genesis::identity(network(), Owner { key: key(1).public(), only: false }),
    };
    Genesis { freeze: None, ..genesis }
}
