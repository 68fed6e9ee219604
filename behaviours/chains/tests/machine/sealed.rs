//! Posts for one reader.

use covey_chains::{
    Error,
    command::{Command, Reader, Reply, Said, Selector, Show, State},
    genesis::{Genesis, Group, Owner, Rules},
    phrase::GroupKey,
};
use covey_kernel::Text;

use crate::net::{Net, key, network};

fn identity() -> Genesis {
    Genesis::identity(network(), Owner { key: key(1).public(), only: false })
}

fn two_with(genesis: &Genesis) -> Net {
    let mut net = Net::new(2);
    net.join(0, genesis);
    net.join(1, genesis);
    net.link(0, 1);
    net
}

#[test]
fn the_owner_alone_reads_what_is_for_the_owner() {
    let genesis = identity();
    let mut net = two_with(&genesis);
    net.post(0, &genesis, "ask me anything", 1);
    let reader = Some(Reader::Owner);
    let asked = net.posted_for(1, &genesis, "are you well?", Some(2), None, reader);
    let (question, state) = asked.unwrap();
    assert_eq!(state, State::Held);
    let (_, state) = net.vote(1, &genesis, (true, question), 1).unwrap();
    assert!(matches!(state, State::Placed(_)));
    for _ in 0..3 {
        net.round();
    }
    // It travels and is stored as it is; neither others nor its author can read it.
    for at in 0..2 {
        assert_eq!(net.read_with(at, &genesis, question, Some(1)).as_deref(), Ok("are you well?"));
        assert_eq!(net.read_with(at, &genesis, question, None), Err(Error::Sealed));
        for reader in [2, 3] {
            let refused = net.read_with(at, &genesis, question, Some(reader));
            assert_eq!(refused, Err(Error::NotForThisKey));
        }
        let stored = net.nodes[at].disk.entries.values().flatten().copied().collect::<Vec<u8>>();
        assert!(!stored.windows(8).any(|part| part == b"are you "));
    }
    let name = Selector { name: genesis.name(), id: None };
    let show = Show { chain: name, from: 0, limit: 10, search: None, unread: false };
    let Ok(Reply::Shown(shown, None)) = net.call(0, Command::Show(show)) else {
        panic!("nothing is shown")
    };
    let shown = shown.iter().find(|post| post.id == question).map(|post| &post.said);
    assert_eq!(shown, Some(&Said::Sealed));
}

#[test]
fn whoever_is_named_reads_it_in_a_forum() {
    let name = Text::new("chat").unwrap();
    let genesis = Genesis::forum(network(), name, Rules::Paper(()));
    let mut net = two_with(&genesis);
    net.post(0, &genesis, "hello", 1);
    let owner = net.posted_for(0, &genesis, "psst", Some(1), None, Some(Reader::Owner));
    assert_eq!(owner, Err(Error::NoOwner));
    let reader = Some(Reader::Key(key(2).public()));
    let (post, _) = net.posted_for(0, &genesis, "psst", Some(1), None, reader).unwrap();
    assert_eq!(net.read_with(1, &genesis, post, Some(2)).as_deref(), Ok("psst"));
    assert_eq!(net.read_with(1, &genesis, post, None), Err(Error::Sealed));
    // What is open needs no key, and one does no harm.
    let (open, _) = net.post(0, &genesis, "open", 1);
    assert_eq!(net.read_with(1, &genesis, open, Some(2)).as_deref(), Ok("open"));
}

#[test]
fn a_group_has_one_key_for_everything() {
    let ours: GroupKey = "11".repeat(32).parse().unwrap();
    let name = Text::new("family").unwrap();
    let stretched = ours.stretched(&network(), &name).unwrap();
    let genesis = Genesis::group(network(), Group { name, stretched });
    let mut net = Net::new(1);
    let join =
        covey_chains::command::Join { genesis: genesis.clone(), first: None, key: Some(ours) };
    net.call(0, Command::Join(Box::new(join))).unwrap();
    let reader = Some(Reader::Key(key(2).public()));
    let refused = net.posted_for(0, &genesis, "psst", Some(1), None, reader);
    assert_eq!(refused, Err(Error::AllSealed));
    assert_eq!(net.order(0, &genesis).len(), 1);
}
