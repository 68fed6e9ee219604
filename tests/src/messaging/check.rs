use std::collections::{BTreeMap, BTreeSet};

use covey_messaging::{Event, MessageId, MessageView, Progress, Relation, Reply, limits::SESSIONS};

use super::{
    Person, Snapshot,
    look::{Sight, contacts},
};
use crate::sim::{Call, Checker, Outcome, World};

/// Where sessions lie in the store.
const SESSION_TAG: &[u8] = &[0x12];

/// What must hold when the world has settled.
#[must_use]
pub fn checkers<M: Person>() -> Vec<Checker<M>> {
    vec![
        ("accepted texts arrive", texts_arrive),
        ("both sides see the same", same_history),
        ("nothing comes from nowhere", from_somewhere),
        ("conversations are between two", between_two),
        ("the blocked stay silent", blocked_silent),
        ("each message is told once", told_once),
        ("nothing waits", nothing_waits),
        ("nothing is refused", nothing_refused),
        ("invites come through", invites_arrive),
        ("everybody is known once", known_once),
        ("sessions are bounded", sessions_bounded),
        ("unread is counted", unread),
    ]
}

/// Whether all that can come to rest has.
pub(super) fn quiet<M: Person>(world: &World<M>) -> bool {
    let up = world.nodes().iter().all(|node| node.machine().is_some());
    up && world.calls().all(|call| !matches!(call.outcome, Outcome::Waiting))
        && nothing_waits(world).is_ok()
        && invites_arrive(world).is_ok()
}

/// The message that a call has queued.
fn queued<M: Person>(call: &Call<M>) -> Option<MessageId> {
    match &call.outcome {
        Outcome::Done(Ok(Reply::Queued(id))) => Some(*id),
        _ => None,
    }
}

/// What a user was told is queued is in both histories, if both may write. What was said to an
/// identity that its owner has left, before they came back as a stranger, may have no reader.
fn texts_arrive<M: Person>(world: &World<M>) -> Result<(), String> {
    let snapshot = Snapshot::of(world);
    for call in world.calls() {
        let Some(id) = queued(call) else { continue };
        let mine = snapshot.sights.iter().filter(|((one, _), _)| *one == call.node);
        let has = |sights: &[Sight]| {
            let all = sights.iter().flat_map(|sight| &sight.history);
            all.filter(|message| message.id == id).count()
        };
        let places: Vec<_> = mine.filter(|(_, sights)| has(sights) > 0).collect();
        let [((_, other), sights)] = places.as_slice() else {
            return Err(format!("node {} lost its own message {id}", call.node));
        };
        let friends = snapshot
            .friends()
            .any(|(one, two, ..)| (one, two) == (call.node.min(*other), call.node.max(*other)));
        let there = snapshot.sights.get(&(*other, call.node)).map_or(0, |sights| has(sights));
        let present = has(&sights[..1]) == 1;
        if has(sights) != 1 || friends && present && there != 1 {
            return Err(format!("message {id} of node {} is {there} times at {other}", call.node));
        }
    }
    Ok(())
}

/// A message without what differs between the sides.
fn seen(message: &MessageView, mine: bool) -> impl PartialEq + std::fmt::Debug {
    let MessageView { my_reaction, their_reaction, .. } = message;
    let reactions =
        if mine { (my_reaction, their_reaction) } else { (their_reaction, my_reaction) };
    (
        (message.id, message.time, message.text.clone(), message.reply),
        (message.edited, message.deleted, message.cursor, message.mine == mine),
        (reactions.0.clone(), reactions.1.clone()),
    )
}

fn same_history<M: Person>(world: &World<M>) -> Result<(), String> {
    for (one, two, a, b) in Snapshot::of(world).friends() {
        if a.history.len() != b.history.len() {
            let (a, b) = (a.history.len(), b.history.len());
            return Err(format!("nodes {one} and {two} have {a} and {b} messages"));
        }
        for (left, right) in a.history.iter().zip(&b.history) {
            if seen(left, true) != seen(right, false) {
                return Err(format!("nodes {one} and {two} see {left:#?} and {right:#?}"));
            }
        }
        let sorted = |history: &[MessageView]| {
            history.windows(2).all(|pair| {
                let place = |message: &MessageView| (message.cursor.0, message.cursor.1);
                place(&pair[0]) < place(&pair[1])
            })
        };
        if !sorted(&a.history) {
            return Err(format!("nodes {one} and {two}: history is not in order"));
        }
    }
    Ok(())
}

/// Whatever somebody has received, the other has sent; and own texts stand in the order in which
/// they were sent.
fn from_somewhere<M: Person>(world: &World<M>) -> Result<(), String> {
    let snapshot = Snapshot::of(world);
    for ((one, two), sights) in &snapshot.sights {
        for message in sights.iter().flat_map(|sight| &sight.history) {
            let others = snapshot.sights.get(&(*two, *one)).into_iter().flatten();
            let mut sent = others.flat_map(|sight| &sight.history);
            if !message.mine && !sent.any(|other| other.id == message.id && other.mine) {
                return Err(format!("node {two} never sent node {one} {message:?}"));
            }
        }
        let sent: Vec<_> =
            world.calls().filter(|call| call.node == *one).filter_map(queued).collect();
        for sight in sights {
            let mine = sight.history.iter().filter(|message| message.mine);
            let places = mine.filter_map(|message| sent.iter().position(|id| *id == message.id));
            if !places.is_sorted() {
                return Err(format!("node {one} shows {two}'s conversation out of order"));
            }
        }
    }
    Ok(())
}

/// Texts say from whom to whom they are.
fn between_two<M: Person>(world: &World<M>) -> Result<(), String> {
    for ((one, two), sights) in &Snapshot::of(world).sights {
        for message in sights.iter().flat_map(|sight| &sight.history) {
            let (from, to) = if message.mine { (one, two) } else { (two, one) };
            if !message.deleted && !message.text.starts_with(&format!("{from}>{to} ")) {
                return Err(format!("node {one} shows {:?} from {from} to {to}", message.text));
            }
        }
    }
    Ok(())
}

/// What was written by somebody who was blocked by then is not shown while the block holds.
fn blocked_silent<M: Person>(world: &World<M>) -> Result<(), String> {
    for ((one, two), sights) in &Snapshot::of(world).sights {
        for sight in sights {
            let blocked = sight.contact.relation == Relation::Blocked;
            let heard = |message: &&MessageView| !message.mine && message.text.ends_with('!');
            if let Some(message) = sight.history.iter().find(heard).filter(|_| blocked) {
                return Err(format!("node {one} blocks {two} and got {message:?}"));
            }
        }
    }
    Ok(())
}

fn told_once<M: Person>(world: &World<M>) -> Result<(), String> {
    let mut told = BTreeSet::new();
    for (_, node, event) in world.events() {
        let Event::Message(message) = event else { continue };
        if !told.insert((*node, message.id)) {
            return Err(format!("node {node} told {message:?} twice"));
        }
    }
    // No two texts of a run are the same.
    for ((one, two), sights) in &Snapshot::of(world).sights {
        let mut texts = BTreeSet::new();
        let shown = sights.iter().flat_map(|sight| &sight.history);
        for message in shown.filter(|message| !message.deleted) {
            if !texts.insert(&message.text) {
                return Err(format!("node {one} has {:?} twice with {two}", message.text));
            }
        }
    }
    Ok(())
}

/// No honest node finds that an honest node's message breaks a rule.
fn nothing_refused<M: Person>(world: &World<M>) -> Result<(), String> {
    for ((one, two), sights) in &Snapshot::of(world).sights {
        let mut shown = sights.iter().flat_map(|sight| &sight.history);
        if let Some(message) = shown.find(|message| message.progress == Progress::Refused) {
            return Err(format!("node {two} has refused {message:?} of node {one}"));
        }
    }
    Ok(())
}

/// Nothing waits between two who may write, and all that was said is known to have arrived.
fn nothing_waits<M: Person>(world: &World<M>) -> Result<(), String> {
    for (one, two, a, b) in Snapshot::of(world).friends() {
        for (from, to, sight) in [(one, two, a), (two, one, b)] {
            let waiting = sight.contact.waiting;
            if waiting > 0 {
                return Err(format!("{waiting} of node {from} wait for {to}"));
            }
            let under_way = |message: &&MessageView| {
                matches!(message.progress, Progress::Queued | Progress::Sent)
            };
            if let Some(message) = sight.history.iter().find(under_way) {
                return Err(format!("node {from} thinks that {message:?} is under way"));
            }
        }
    }
    Ok(())
}

/// An invite that somebody has said yes to makes both contacts, and both who invite each other
/// are; what cannot arrive says so.
fn invites_arrive<M: Person>(world: &World<M>) -> Result<(), String> {
    use Relation::{Accepted, Invited};
    let snapshot = Snapshot::of(world);
    for ((one, two), sights) in &snapshot.sights {
        let (Some(a), Some(b)) = (sights.first(), snapshot.sight(*two, *one)) else { continue };
        let stuck = a.failed.is_some() || b.failed.is_some();
        let waits = a.contact.changed || b.contact.changed;
        let relations = (a.contact.relation, b.contact.relation);
        if matches!(relations, (Invited, Accepted | Invited)) && !stuck && !waits {
            return Err(format!("nodes {one} and {two} stay {relations:?}"));
        }
    }
    match snapshot.open.iter().find(|(_, open)| open.failed.is_none()) {
        Some((node, open)) => Err(format!("node {node} still waits to invite: {open:?}")),
        None => Ok(()),
    }
}

/// Nobody has two contacts of one identity, or of one name.
fn known_once<M: Person>(world: &World<M>) -> Result<(), String> {
    for node in 0..world.nodes().len() {
        let known = contacts(world, node);
        let names: BTreeSet<_> = known.iter().map(|contact| &contact.name).collect();
        let identities: BTreeSet<_> = known.iter().map(|contact| contact.identity).collect();
        if names.len() != known.len() || identities.len() != known.len() {
            return Err(format!("node {node} knows somebody twice: {known:#?}"));
        }
    }
    Ok(())
}

fn sessions_bounded<M: Person>(world: &World<M>) -> Result<(), String> {
    for (number, node) in world.nodes().iter().enumerate() {
        let mut sessions: BTreeMap<&[u8], usize> = BTreeMap::new();
        for (key, _) in node.disk().under(SESSION_TAG) {
            *sessions.entry(&key[1..5]).or_default() += 1;
        }
        if let Some((_, many)) = sessions.iter().find(|(_, many)| **many > SESSIONS) {
            return Err(format!("node {number} keeps {many} sessions with one contact"));
        }
    }
    Ok(())
}

fn unread<M: Person>(world: &World<M>) -> Result<(), String> {
    for ((one, two), sights) in &Snapshot::of(world).sights {
        for sight in sights {
            let theirs = sight.history.iter().filter(|message| !message.mine).count() as u64;
            if sight.contact.unread > theirs {
                let unread = sight.contact.unread;
                return Err(format!("node {one} has {unread} unread of {theirs} from {two}"));
            }
        }
    }
    Ok(())
}
