//! Two nodes that were apart until both had frozen what they wrote meanwhile.

use covey_chains::{
    BlockId,
    genesis::{Freeze, Genesis, Rules},
};
use covey_kernel::{Span, Text};

use crate::net::{Net, network};

/// What each posts alone.
pub(crate) const POSTS: usize = 8;

/// Places freeze that are 3 from the end and a day before it.
pub(crate) fn forum() -> Genesis {
    let name = Text::new("chat").unwrap();
    let freeze = Some(Freeze { places: 3, span: Span::days(1) });
    Genesis { freeze, ..Genesis::forum(network(), name, Rules::Paper(())) }
}

/// Nodes 0 and 1 follow the two sides of a hard fork; others follow nothing.
pub(crate) struct Apart {
    pub net: Net,
    pub forum: Genesis,
    pub first: BlockId,
    /// What each has posted alone.
    pub posts: [Vec<BlockId>; 2],
}

impl Apart {
    /// So many nodes. The two know each other's side.
    pub(crate) fn new(nodes: u8) -> Self {
        Self::after(nodes, |_, _| {})
    }

    /// The same, after something that both know.
    pub(crate) fn after(nodes: u8, both: impl FnOnce(&mut Net, &Genesis)) -> Self {
        let (mut net, forum) = (Net::new(nodes), forum());
        let first = together(&mut net, &forum);
        both(&mut net, &forum);
        net.cut(0, 1);
        let posts = [0, 1].map(|at| write(&mut net, at, &forum, POSTS, Span::hours(30)));
        net.link(0, 1);
        net.round();
        Self { net, forum, first, posts }
    }
}

/// Nodes 0 and 1 follow a forum that has its first post.
pub(crate) fn together(net: &mut Net, forum: &Genesis) -> BlockId {
    net.join(0, forum);
    net.join(1, forum);
    net.link(0, 1);
    let (first, _) = net.post(0, forum, "first", 1);
    assert_eq!(net.order(1, forum), [forum.id(), first]);
    first
}

/// Posts so many, each after a pause.
pub(crate) fn write(
    net: &mut Net,
    at: usize,
    forum: &Genesis,
    posts: usize,
    pause: Span,
) -> Vec<BlockId> {
    let post = |number| {
        net.wait(pause);
        net.post(at, forum, &format!("{number} at {at}"), 1).0
    };
    (0..posts).map(post).collect()
}
