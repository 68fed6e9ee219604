use std::collections::BTreeMap;

use covey_kernel::{CommandId, Context, Effect, Effects, Input, Machine, Peer, View};
use covey_messaging::{
    Command, ContactView, HistoryQuery, InviteView, MessageView, Relation, Reply,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Person;
use crate::sim::World;

/// What a node would reply to a command now; nothing of it is kept. `None` if it is down, or
/// would refuse.
pub fn ask<M: Machine>(world: &World<M>, number: usize, command: M::Command) -> Option<M::Reply> {
    let node = &world.nodes()[number];
    let machine = node.machine()?;
    let input = vec![Input::Command { id: CommandId(0), command }];
    let checked = M::check(node.rules(), node.disk(), world.now(), input).pop()?.ok()?;
    let (mut view, mut effects) = (View::new(node.disk()), Effects::default());
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (now, rng) = (world.now(), &mut rng);
    machine
        .decide(&mut Context { now, rng, view: &mut view, effects: &mut effects }, checked)
        .ok()?;
    effects.into_vec().into_iter().find_map(|effect| match effect {
        Effect::Reply { reply, .. } => reply.ok(),
        _ => None,
    })
}

/// Everybody whom a node knows.
pub(super) fn contacts<M: Person>(world: &World<M>, number: usize) -> Vec<ContactView> {
    match ask(world, number, Command::Contacts) {
        Some(Reply::Contacts(contacts)) => contacts,
        _ => Vec::new(),
    }
}

/// The invites that a node knows.
pub(super) fn invites<M: Person>(world: &World<M>, number: usize) -> Vec<InviteView> {
    match ask(world, number, Command::Invites) {
        Some(Reply::Invites(invites)) => invites,
        _ => Vec::new(),
    }
}

/// A node's conversation with somebody.
pub(super) fn history<M: Person>(world: &World<M>, number: usize, who: &str) -> Vec<MessageView> {
    let query = HistoryQuery { who: who.to_owned(), limit: 1000, ..Default::default() };
    match ask(world, number, Command::History(query)) {
        Some(Reply::History(page)) => page.messages,
        _ => Vec::new(),
    }
}

/// What one person sees of another.
pub struct Sight {
    /// How they stand.
    pub contact: ContactView,
    /// What they said.
    pub history: Vec<MessageView>,
    /// Why an own invite to them cannot arrive.
    pub failed: Option<String>,
}

/// What everybody sees.
pub struct Snapshot {
    /// By who sees and whom; several if one person is known twice.
    pub sights: BTreeMap<(usize, usize), Vec<Sight>>,
    /// Own invites that have not reached anybody, by node.
    pub open: Vec<(usize, InviteView)>,
}

impl Snapshot {
    /// Asks everybody.
    pub fn of<M: Person>(world: &World<M>) -> Self {
        let peers: BTreeMap<Peer, usize> =
            world.nodes().iter().map(crate::sim::Node::peer).zip(0..).collect();
        let mut sights: BTreeMap<(usize, usize), Vec<Sight>> = BTreeMap::new();
        let mut open = Vec::new();
        for node in 0..world.nodes().len() {
            let mut invites = invites(world, node);
            for contact in contacts(world, node) {
                // A failed invite of ours may have the same name; contacts come after those.
                let place = invites.iter().rposition(|invite| invite.name == contact.name);
                let failed = place.and_then(|place| invites.remove(place).failed);
                let history = history(world, node, &contact.name);
                let sight = Sight { history, failed, contact };
                sights.entry((node, peers[&sight.contact.peer])).or_default().push(sight);
            }
            open.extend(invites.into_iter().map(|invite| (node, invite)));
        }
        // Somebody who came back as a stranger, under a new identity, is known twice: the
        // present identity counts.
        for ((_, two), sights) in &mut sights {
            let now = match ask(world, *two, Command::Whoami) {
                Some(Reply::Identity(set)) => Some(set.identity),
                _ => None,
            };
            sights.sort_by_key(|sight| Some(sight.contact.identity) != now);
        }
        Self { sights, open }
    }

    /// What one sees of the other.
    pub fn sight(&self, one: usize, two: usize) -> Option<&Sight> {
        self.sights.get(&(one, two))?.first()
    }

    /// Pairs, each once, who may write to each other and have no keys to confirm.
    pub fn friends(&self) -> impl Iterator<Item = (usize, usize, &Sight, &Sight)> {
        self.sights.keys().filter(|(one, two)| one < two).filter_map(|(one, two)| {
            let (a, b) = (self.sight(*one, *two)?, self.sight(*two, *one)?);
            let open = |sight: &Sight| {
                sight.contact.relation == Relation::Accepted && !sight.contact.changed
            };
            (open(a) && open(b)).then_some((*one, *two, a, b))
        })
    }
}
