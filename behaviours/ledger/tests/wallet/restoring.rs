//! The phrase finds the money, which is spent only once the owner says that no other device uses it.

use covey_kernel::{Bounded, Peer, Span, merkle};
use covey_ledger::{
    Amount, Branch, Error, Genesis, Holding, KeyTree, Outpoint, Phrase, Voted, leaves,
    limits::{GAP, HOLDINGS, SEARCHED},
    wallet::{Command, Event, Reply, Restored, Use},
    wire::{FromValidator, ToValidator},
};

use crate::{
    money::{Foreign, foreign, order, output, signed},
    net::{Ask, Net, genesis, somebody, validator, vote_key},
};

fn phrase() -> Phrase {
    Phrase::from_entropy(&[7; 16]).unwrap()
}

/// An address of the phrase.
fn address(branch: Branch, index: u32) -> Peer {
    KeyTree::new(&phrase()).key(branch, index).unwrap().public()
}

/// A wallet that has just been told the phrase.
fn searching() -> Net {
    let mut net = Net::new();
    net.order(Command::Restore(Box::new(phrase()))).unwrap();
    net.wait(Span::millis(1));
    net
}

/// What pays an address so much.
fn gift(net: &mut Net, to: Peer, amount: u64) -> Foreign {
    net.gift(vec![output(somebody(3), 1), output(to, amount)])
}

/// The second output of a transaction, as a validator shows it.
fn holding(net: &Net, at: usize, of: &Foreign) -> Holding {
    let tx = net.id(&of.body);
    Holding {
        outpoint: Outpoint { tx, index: 1 },
        spent_by: None,
        voted: Some(Voted {
            body: of.body.clone(),
            salted: of.outputs[1].clone(),
            path: Bounded::new(merkle::path(&leaves(&of.outputs), 1).unwrap()).unwrap(),
            epoch: 0,
            vote: signed(net, 0, &vote_key(0, at), &tx),
        }),
    }
}

fn is_claim(ask: &Ask) -> bool {
    matches!(ask.validator(), Some(ToValidator::Claim(_)))
}

/// Answers all claims: what a validator shows at an address the first time, and nothing more then.
/// Whoever shows `None` is silent. How many claims there were.
fn tell(net: &mut Net, show: impl Fn(&Net, usize, &Peer) -> Option<Vec<Holding>>) -> usize {
    let mut claims = 0;
    while let Some(ask) = net.take(is_claim) {
        let Some(ToValidator::Claim(claim)) = ask.validator() else { panic!() };
        claim.verify(&net.network.id, &ask.to).unwrap();
        claims += 1;
        let at = (0..4).find(|at| validator(*at) == ask.to).unwrap();
        let shown = match claim.after {
            None => show(net, at, &claim.address),
            Some(_) => Some(Vec::new()),
        };
        let Some(shown) = shown else { continue };
        let page = FromValidator::Holdings(Bounded::new(shown).unwrap());
        net.answer_bytes(&ask, Ok(page.encode()));
    }
    claims
}

/// The same until the search is over.
fn search(net: &mut Net, show: impl Fn(&Net, usize, &Peer) -> Option<Vec<Holding>>) {
    for _ in 0..200 {
        tell(net, &show);
        if net.status().restored != Restored::Searching(()) {
            return;
        }
        net.wait(Span::secs(1));
    }
    panic!("the search does not end");
}

/// A search in which so many validators show a coin of 30, and what they say of it.
fn found_by(count: usize, say: impl Fn(usize, &mut Holding)) -> Net {
    let mut net = searching();
    let to = address(Branch::Own, 3);
    let gift = gift(&mut net, to, 30);
    search(&mut net, |net, at, address| {
        let mut shown = holding(net, at, &gift);
        say(at, &mut shown);
        Some(if *address == to && at < count { vec![shown] } else { vec![] })
    });
    net
}

#[test]
fn both_branches_are_searched_to_the_gap_at_all_validators() {
    let mut net = searching();
    net.events.clear();
    let gap = usize::try_from(GAP).unwrap();
    assert_eq!(tell(&mut net, |_, _, _| Some(vec![])), 2 * 4 * gap);
    let ends = [Event::Searched(GAP), Event::Searched(GAP), Event::Found(0)];
    assert_eq!(net.events, ends);
    assert_eq!(net.status().restored, Restored::Held(()));
}

#[test]
fn it_goes_on_so_far_behind_the_last_one_that_was_paid_to() {
    let mut net = searching();
    let to = address(Branch::Own, GAP - 1);
    let gift = gift(&mut net, to, 30);
    net.events.clear();
    search(&mut net, |net, at, address| {
        Some(if *address == to { vec![holding(net, at, &gift)] } else { vec![] })
    });
    let searched = net.events.iter().filter(|event| matches!(event, Event::Searched(_)));
    let ends = [Event::Searched(GAP), Event::Searched(2 * GAP), Event::Searched(GAP)];
    assert!(searched.eq(&ends), "{:?}", net.events);
    // New addresses come behind it, and those before are the wallet's own.
    assert_eq!(net.address(), address(Branch::Own, GAP));
    let Ok(Reply::Addresses(all)) = net.order(Command::Addresses) else { panic!() };
    assert_eq!(all.len(), usize::try_from(GAP).unwrap() + 1);
}

#[test]
fn what_a_quorum_has_voted_for_is_found_and_held() {
    for count in [3, 4] {
        let mut net = found_by(count, |_, _| {});
        assert_eq!(net.amounts(), (0, 0, 30));
        assert!(net.events.contains(&Event::Found(1)));
        assert_eq!(net.history().len(), 1);
    }
}

#[test]
fn what_fewer_have_voted_for_is_not_found() {
    let mut net = found_by(2, |_, _| {});
    assert_eq!(net.amounts(), (0, 0, 0));
    assert!(net.events.contains(&Event::Found(0)));
}

#[test]
fn votes_that_are_none_find_nothing() {
    let spoil: [fn(usize, &mut Holding); 4] = [
        |_, holding| holding.outpoint.index = 0,
        |_, holding| holding.voted.as_mut().unwrap().epoch = 1,
        |_, holding| holding.voted.as_mut().unwrap().salted.output.amount = Amount::new(31),
        |_, holding| holding.voted.as_mut().unwrap().vote.first += 1,
    ];
    for spoil in spoil {
        let mut net = found_by(4, |at, holding| {
            if at > 1 {
                spoil(at, holding);
            }
        });
        assert_eq!(net.amounts(), (0, 0, 0));
    }
    // Nor do those for another epoch, with the right keys.
    let mut net = searching();
    let to = address(Branch::Own, 3);
    let paid = gift(&mut net, to, 30);
    search(&mut net, |net, at, address| {
        let mut shown = holding(net, at, &paid);
        let voted = shown.voted.as_mut().unwrap();
        (voted.epoch, voted.vote) = (1, signed(net, 1, &vote_key(0, at), &shown.outpoint.tx));
        Some(if *address == to { vec![shown] } else { vec![] })
    });
    assert_eq!(net.amounts(), (0, 0, 0));
    // Nor does what is at another address.
    let mut net = searching();
    let gift = gift(&mut net, somebody(9), 30);
    search(&mut net, |net, at, _| Some(vec![holding(net, at, &gift)]));
    assert_eq!(net.amounts(), (0, 0, 0));
}

#[test]
fn nothing_is_spent_before_the_owner_says_that_no_other_device_uses_the_phrase() {
    let mut net = found_by(4, |_, _| {});
    let error = net.order(Command::Send(order(20))).unwrap_err();
    let Error::Insufficient { free, held, .. } = error else { panic!("{error}") };
    assert_eq!((free.as_str(), held.as_str()), ("0 leaf", "30 leaf"));
    net.restart();
    net.order(Command::Send(order(20))).unwrap_err();
    assert!(matches!(net.order(Command::Alone), Ok(Reply::Done)));
    assert_eq!((net.amounts(), net.status().restored), ((30, 0, 0), Restored::Alone(())));
    let tx = net.pay(20);
    net.certify(&tx);
}

#[test]
fn that_is_said_after_the_search() {
    let mut net = searching();
    assert_eq!(net.order(Command::Alone).unwrap_err(), Error::StillSearching);
    // It goes on after a restart.
    net.restart();
    assert_eq!(net.status().restored, Restored::Searching(()));
    net.wait(Span::secs(1));
    search(&mut net, |_, _, _| Some(vec![]));
    net.order(Command::Alone).unwrap();
}

#[test]
fn what_is_shown_while_it_searches_or_waits_is_held() {
    let mut net = searching();
    net.fund(&[10]);
    assert_eq!(net.amounts(), (0, 0, 10));
    search(&mut net, |_, _, _| Some(vec![]));
    net.fund(&[5]);
    assert_eq!(net.amounts(), (0, 0, 15));
    net.order(Command::Alone).unwrap();
    assert_eq!(net.amounts(), (15, 0, 0));
    net.fund(&[3]);
    assert_eq!(net.amounts(), (18, 0, 0));
}

#[test]
fn what_was_shown_is_not_found_again() {
    let mut net = searching();
    let to = address(Branch::Own, 0);
    assert_eq!(net.address(), to);
    let gift = gift(&mut net, to, 30);
    let receipt = Box::new(net.receipt(&gift, 1));
    net.order(Command::Receive(receipt)).unwrap();
    search(&mut net, |net, at, address| {
        Some(if *address == to { vec![holding(net, at, &gift)] } else { vec![] })
    });
    assert_eq!((net.amounts(), net.coins().len()), ((0, 0, 30), 1));
}

#[test]
fn what_another_device_has_spent_is_lost_if_f_plus_one_say_so() {
    let elsewhere = foreign(vec![], vec![output(somebody(3), 1)]);
    for (sayers, lost) in [(1, false), (2, true)] {
        let mut net = found_by(4, |at, holding| {
            let tx = covey_ledger::TxId(elsewhere.body.root);
            holding.spent_by = (at < sayers).then_some(tx);
        });
        net.order(Command::Alone).unwrap();
        let (_, coin) = net.coins().remove(0);
        assert_eq!(matches!(coin.used, Use::Lost(_)), lost);
        assert_eq!(net.amounts(), if lost { (0, 0, 30) } else { (30, 0, 0) });
    }
}

#[test]
fn a_silent_validator_is_not_waited_for_long() {
    let mut net = searching();
    let since = net.now;
    search(&mut net, |_, at, _| (at != 1).then(Vec::new));
    assert!(net.now.since(since) < Span::secs(30), "{:?}", net.now.since(since));
}

#[test]
fn the_geneses_outputs_are_found_too() {
    let mut genesis = genesis(4, 1, 0);
    genesis.outputs = Bounded::new(vec![output(address(Branch::Own, 2), 50)]).unwrap();
    let mut net = Net::of(genesis);
    net.order(Command::Restore(Box::new(phrase()))).unwrap();
    net.wait(Span::millis(1));
    let outpoint = Genesis::outpoint(&net.network.id, 0);
    search(&mut net, |_, _, _| Some(vec![]));
    assert_eq!((net.amounts(), net.coins()[0].0), ((0, 0, 50), outpoint));
}

#[test]
fn only_a_wallet_in_which_nothing_was_can_be_restored() {
    let restore = || Command::Restore(Box::new(phrase()));
    let mut net = Net::new();
    net.address();
    assert_eq!(net.order(restore()).unwrap_err(), Error::WalletInUse);
    let mut net = searching();
    assert_eq!(net.order(restore()).unwrap_err(), Error::WalletInUse);
    search(&mut net, |_, _, _| Some(vec![]));
    net.order(Command::Alone).unwrap();
    assert_eq!(net.order(restore()).unwrap_err(), Error::WalletInUse);
    assert_eq!(*net.phrase().words(), *phrase().words());
}

#[test]
fn whoever_was_never_restored_is_alone() {
    let mut net = Net::new();
    net.fund(&[10]);
    net.order(Command::Alone).unwrap();
    assert_eq!((net.status().restored, net.amounts()), (Restored::No(()), (10, 0, 0)));
}

#[test]
fn one_validator_tells_of_so_many_outputs_of_one_address() {
    let mut net = searching();
    let to = address(Branch::Own, 0);
    let mut told = 0usize;
    // It makes up one page after the other.
    while let Some(ask) = net.take(is_claim) {
        let Some(ToValidator::Claim(claim)) = ask.validator() else { panic!() };
        let page: Vec<Holding> = if ask.to == validator(0) && claim.address == to {
            (0..HOLDINGS).map(|at| made_up(told + at)).collect()
        } else {
            Vec::new()
        };
        told += page.len();
        assert!(told <= SEARCHED + HOLDINGS, "without end");
        let page = FromValidator::Holdings(Bounded::new(page).unwrap());
        net.answer_bytes(&ask, Ok(page.encode()));
    }
    assert!(told >= SEARCHED);
    search(&mut net, |_, _, _| Some(vec![]));
    assert_eq!(net.amounts(), (0, 0, 0));
}

/// Outputs that never were, in the order of their names.
fn made_up(number: usize) -> Holding {
    let mut name = [0; 32];
    name[..8].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
    let tx = covey_ledger::TxId(covey_kernel::Hash::from_bytes(name));
    Holding { outpoint: Outpoint { tx, index: 0 }, spent_by: None, voted: None }
}

#[test]
fn whoever_tells_out_of_order_is_not_asked_on() {
    let mut net = searching();
    let mut pages = 0;
    while let Some(ask) = net.take(is_claim) {
        let Some(ToValidator::Claim(claim)) = ask.validator() else { panic!() };
        let lies = ask.to == validator(0) && claim.address == address(Branch::Own, 0);
        pages += usize::from(lies);
        let page = if lies { vec![made_up(2), made_up(1)] } else { vec![] };
        let page = FromValidator::Holdings(Bounded::new(page).unwrap());
        net.answer_bytes(&ask, Ok(page.encode()));
    }
    assert_eq!(pages, 1);
}
