//! Two sides of a hard fork: each can be chosen, and chosen again.

use covey_chains::{
    BlockId, Error,
    command::{ChainStatus, Command, Event, Purge, Reply, Show, State},
    genesis::{Freeze, Genesis, Rules},
};
use covey_kernel::{Span, Text};

use crate::net::{Net, network, which};

const POSTS: usize = 8;

/// Two nodes that were apart until both had frozen what they wrote meanwhile.
struct Apart {
    net: Net,
    forum: Genesis,
    /// What each has posted alone.
    posts: [Vec<BlockId>; 2],
}

fn apart() -> Apart {
    let freeze = Some(Freeze { places: 3, span: Span::days(1) });
    let name = Text::new("chat").unwrap();
    let forum = Genesis { freeze, ..Genesis::forum(network(), name, Rules::Paper(())) };
    let mut net = Net::new(2);
    net.join(0, &forum);
    net.join(1, &forum);
    net.link(0, 1);
    net.post(0, &forum, "first", 1);
    net.same(&forum, 1);
    net.cut(0, 1);
    let posts = [0, 1].map(|at| {
        let post = |number| {
            net.wait(Span::hours(30));
            net.post(at, &forum, &format!("{number} at {at}"), 1).0
        };
        (0..POSTS).map(post).collect()
    });
    net.link(0, 1);
    net.round();
    Apart { net, forum, posts }
}

fn choose(net: &mut Net, at: usize, forum: &Genesis, id: BlockId) -> Result<(u64, u64), Error> {
    match net.call(at, Command::Choose(which(forum), id))? {
        Reply::Chosen { adopted, aside, .. } => Ok((adopted, aside)),
        other => panic!("{other:?}"),
    }
}

fn status(net: &mut Net, at: usize, forum: &Genesis) -> ChainStatus {
    match net.call(at, Command::Status(which(forum))).unwrap() {
        Reply::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

fn unread(net: &mut Net, at: usize, forum: &Genesis) -> Vec<BlockId> {
    let show = Show { chain: which(forum), from: 0, limit: 100, search: None, unread: true };
    match net.call(at, Command::Show(show)).unwrap() {
        Reply::Shown(shown, None) => shown.into_iter().map(|shown| shown.id).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_chooses_the_other_side_shows_its_order_and_keeps_the_own_aside() {
    let Apart { mut net, forum, posts } = apart();
    let before = [0, 1].map(|at| net.order(at, &forum));
    assert_ne!(before[0], before[1]);
    let fork = status(&mut net, 0, &forum).forks[0].first;
    assert_eq!(fork, posts[1][0]);
    assert_eq!(choose(&mut net, 0, &forum, fork), Ok((POSTS as u64, POSTS as u64)));
    assert_eq!(net.order(0, &forum), before[1]);
    let own = status(&mut net, 0, &forum).forks;
    assert_eq!(own.iter().map(|fork| fork.first).collect::<Vec<_>>(), [posts[0][0]]);
    // They go on together, and nothing is forked off again.
    net.round();
    net.post(0, &forum, "together", 1);
    net.round();
    net.post(1, &forum, "again", 1);
    net.round();
    net.same(&forum, 1 + POSTS + 2);
    net.restart(0);
    net.round();
    net.same(&forum, 1 + POSTS + 2);
}

#[test]
fn the_own_side_can_be_chosen_again_with_all_that_it_said() {
    let Apart { mut net, forum, posts } = apart();
    let before = net.order(0, &forum);
    choose(&mut net, 0, &forum, posts[1][0]).unwrap();
    net.round();
    let theirs = net.payload(0, &forum, posts[1][3]);
    assert_eq!(theirs.as_deref(), Ok("3 at 1"));
    // What is left aside can still be read by its id.
    assert_eq!(net.payload(0, &forum, posts[0][3]).as_deref(), Ok("3 at 0"));
    let from = posts[0][0];
    assert_eq!(choose(&mut net, 0, &forum, from), Ok((POSTS as u64, POSTS as u64)));
    assert_eq!(net.order(0, &forum), before);
    for (number, post) in posts[0].iter().enumerate() {
        assert_eq!(net.payload(0, &forum, *post), Ok(format!("{number} at 0")));
    }
    net.restart(0);
    assert_eq!(net.order(0, &forum), before);
}

#[test]
fn what_was_read_is_read_and_what_is_adopted_is_new() {
    let Apart { mut net, forum, posts } = apart();
    net.call(0, Command::MarkRead(which(&forum))).unwrap();
    choose(&mut net, 0, &forum, posts[1][0]).unwrap();
    assert_eq!(unread(&mut net, 0, &forum), posts[1]);
}

#[test]
fn a_part_of_a_side_is_a_side_if_it_is_chosen() {
    let Apart { mut net, forum, posts } = apart();
    // All that builds on a block of it comes with it, and what it builds on.
    let order = net.order(1, &forum);
    choose(&mut net, 0, &forum, posts[1][POSTS / 2]).unwrap();
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn who_is_on_the_right_side_changes_nothing() {
    let Apart { mut net, forum, posts } = apart();
    let order = net.order(0, &forum);
    let own = posts[0][POSTS - 1];
    assert_eq!(choose(&mut net, 0, &forum, own), Ok((0, 0)));
    assert_eq!(net.order(0, &forum), order);
    let unknown = BlockId { height: 3, ..own };
    let disk = net.nodes[0].disk.0.clone();
    assert_eq!(choose(&mut net, 0, &forum, unknown), Err(Error::UnknownBlock(unknown)));
    assert_eq!(choose(&mut net, 0, &forum, forum.id()), Err(Error::NoSide(forum.id())));
    assert_eq!(net.nodes[0].disk.0, disk);
}

#[test]
fn what_was_last_before_leads_back() {
    let Apart { mut net, forum, posts } = apart();
    let order = net.order(0, &forum);
    let chosen = net.call(0, Command::Choose(which(&forum), posts[1][POSTS - 1])).unwrap();
    let Reply::Chosen { before, .. } = chosen else { panic!("{chosen:?}") };
    assert_eq!(before, *order.last().unwrap());
    choose(&mut net, 0, &forum, before).unwrap();
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn a_fork_says_where_it_leads() {
    let Apart { mut net, forum, posts } = apart();
    let fork = status(&mut net, 0, &forum).forks.remove(0);
    assert_eq!(fork.tips, [posts[1][POSTS - 1]]);
}

#[test]
fn what_is_left_aside_can_be_purged() {
    let Apart { mut net, forum, posts } = apart();
    choose(&mut net, 0, &forum, posts[1][0]).unwrap();
    let own = posts[0][3];
    assert_eq!(net.call(0, Command::Purge(Purge::Block(own))), Ok(Reply::Purged(1)));
    choose(&mut net, 0, &forum, posts[0][0]).unwrap();
    assert_eq!(net.payload(0, &forum, own), Err(Error::Purged));
    assert_eq!(status(&mut net, 0, &forum).missing, 0, "it is asked for again");
}

#[test]
fn who_listens_hears_of_the_choice() {
    let Apart { mut net, forum, posts } = apart();
    net.nodes[0].events.clear();
    choose(&mut net, 0, &forum, posts[1][0]).unwrap();
    let (first, adopted) = net.nodes[0].events.split_first().unwrap();
    assert!(matches!(first, Event::Chosen { adopted: 8, aside: 8, .. }), "{first:?}");
    let is_adopted = |event: &Event| matches!(event, Event::Block { state: State::Placed(_), .. });
    assert_eq!(adopted.len(), POSTS);
    assert!(adopted.iter().all(is_adopted));
}
