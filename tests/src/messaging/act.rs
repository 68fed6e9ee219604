use std::collections::BTreeSet;

use covey_kernel::{CommandId, Span};
use covey_messaging::{Command, ContactView, MessageView, Relation, Reply, Target};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    NAMES, Person,
    check::quiet,
    look::{contacts, history, invites},
};
use crate::sim::{Outcome, World};

/// Rounds of a minute in which a calm world has to settle.
const ROUNDS: usize = 45;

/// People, what they do, and what they remember.
pub struct Crowd<M: Person> {
    world: World<M>,
    rng: ChaCha8Rng,
    count: usize,
    /// Contact codes that somebody asked for, and whose they are.
    codes: Vec<(usize, CommandId)>,
    /// Blocks that were asked for: by whom and of whom.
    blocking: Vec<(CommandId, (usize, usize))>,
    /// Blocks that are known to hold.
    blocked: BTreeSet<(usize, usize)>,
    /// Blocks that were taken back; never asked for again.
    unblocked: BTreeSet<(usize, usize)>,
}

impl<M: Person> Crowd<M> {
    /// Strangers so far.
    pub fn new(world: World<M>, rng: ChaCha8Rng) -> Self {
        let (codes, blocking) = (Vec::new(), Vec::new());
        let (blocked, unblocked) = (BTreeSet::new(), BTreeSet::new());
        Self { world, rng, count: 0, codes, blocking, blocked, unblocked }
    }

    /// The world they live in.
    pub fn world(&self) -> &World<M> {
        &self.world
    }

    /// Some time passes.
    pub fn pause(&mut self, most: Span) {
        let span = Span::millis(self.rng.random_range(0..=most.as_millis()));
        self.world.run_for(span);
        self.note_blocks();
    }

    /// Somebody does something.
    pub fn step(&mut self) {
        let node = self.rng.random_range(0..self.world.nodes().len());
        let known = contacts(&self.world, node);
        match self.rng.random_range(0..100) {
            0..40 => self.write(node, &known),
            40..58 => self.change(node, &known),
            58..64 => self.read(node, &known),
            64..80 => self.befriend(node, &known),
            80..90 => self.answer(node),
            90..95 => self.confirm(node, &known, 1.0),
            95..97 => self.rotate(node),
            _ => self.block(node, &known),
        }
    }

    /// Everything heals; keys are confirmed, mostly; what is read is read.
    pub fn settle(&mut self) {
        self.world.calm();
        self.note_blocks();
        let stubborn = self.rng.random_bool(0.2).then_some(0);
        self.settle_down(stubborn);
        for node in 0..self.world.nodes().len() {
            for contact in contacts(&self.world, node) {
                if contact.relation == Relation::Accepted && self.rng.random_bool(0.8) {
                    self.give(node, Command::Read { who: contact.name });
                }
            }
        }
        self.world.run_for(Span::secs(5));
        self.settle_down(stubborn);
    }

    fn settle_down(&mut self, stubborn: Option<usize>) {
        for _ in 0..ROUNDS {
            self.world.run_for(Span::secs(60));
            for node in 0..self.world.nodes().len() {
                let known = contacts(&self.world, node);
                if stubborn != Some(node) {
                    self.confirm(node, &known, 1.0);
                }
            }
            self.world.run_for(Span::secs(2));
            if quiet(&self.world) {
                break;
            }
        }
    }

    fn give(&mut self, node: usize, command: Command) -> CommandId {
        self.world.command(node, command)
    }

    fn number(&self, contact: &ContactView) -> usize {
        let nodes = self.world.nodes();
        nodes.iter().position(|node| node.peer() == contact.peer).unwrap()
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| &all[self.rng.random_range(0..all.len())])
    }

    /// A text that says from whom to whom it is, and whether it should never arrive.
    fn text(&mut self, from: usize, to: usize) -> String {
        self.count += 1;
        let blocked = if self.blocked.contains(&(to, from)) { "!" } else { "" };
        format!("{from}>{to} {}{blocked}", self.count)
    }

    fn write(&mut self, node: usize, known: &[ContactView]) {
        let Some(contact) = self.one_of(known) else { return };
        let (who, to) = (contact.name.clone(), self.number(contact));
        for _ in 0..self.rng.random_range(1..=4) {
            let (who, text) = (who.clone(), self.text(node, to));
            let reply = self.message(node, &who).filter(|_| self.count.is_multiple_of(4));
            let reply = reply.map(|message| message.id);
            self.give(node, Command::Send { who, text, reply });
        }
    }

    fn message(&mut self, node: usize, who: &str) -> Option<MessageView> {
        let history = history(&self.world, node, who);
        self.one_of(&history).cloned()
    }

    fn change(&mut self, node: usize, known: &[ContactView]) {
        let Some(contact) = self.one_of(known) else { return };
        let to = self.number(contact);
        let Some(message) = self.message(node, &contact.name) else { return };
        let id = message.id;
        let command = match self.rng.random_range(0..4) {
            0 | 1 if message.mine => Command::Edit { id, text: self.text(node, to) },
            2 if message.mine => Command::Delete(id),
            _ => {
                let emoji = ["👍", "👎", "🎉", ""][self.rng.random_range(0..4)];
                Command::React { id, emoji: emoji.to_owned() }
            }
        };
        self.give(node, command);
    }

    fn read(&mut self, node: usize, known: &[ContactView]) {
        if let Some(contact) = self.one_of(known) {
            self.give(node, Command::Read { who: contact.name.clone() });
        }
    }

    /// Invites somebody: by code where one is at hand, or by peer; now and then both at once.
    fn befriend(&mut self, node: usize, known: &[ContactView]) {
        let other = self.rng.random_range(0..self.world.nodes().len());
        let peer = self.world.nodes()[other].peer();
        let met = known.iter().any(|contact| contact.peer == peer);
        if other == node || met && self.rng.random_bool(0.8) {
            return;
        }
        self.invite(node, other);
        if self.rng.random_bool(0.2) {
            self.invite(other, node);
        }
        let (once, reset) = (self.rng.random_bool(0.3), self.rng.random_bool(0.05));
        let code = Command::Code { addresses: vec![], once, reset };
        let code = self.give(node, code);
        self.codes.push((node, code));
    }

    fn invite(&mut self, node: usize, other: usize) {
        let codes = self.codes.iter().filter(|(holder, _)| *holder == other);
        let codes = codes.filter_map(|(_, id)| match self.world.outcome(*id) {
            Some(Outcome::Done(Ok(Reply::Code(code)))) => Some(code.clone()),
            _ => None,
        });
        let codes: Vec<_> = codes.collect();
        let code = self.one_of(&codes).cloned();
        let target = match code {
            Some(code) if self.rng.random_bool(0.7) => Target::Code(code),
            _ => Target::Peer(self.world.nodes()[other].peer(), vec![]),
        };
        let name = self.rng.random_bool(0.3).then(|| NAMES[other].to_owned());
        self.give(node, Command::Invite { target, name, text: format!("{node}>{other}") });
    }

    /// Says yes, mostly, to somebody's invite; or takes an own one back.
    fn answer(&mut self, node: usize) {
        let invites = invites(&self.world, node);
        let Some(invite) = self.one_of(&invites) else { return };
        let who = invite.name.clone();
        let command = match self.rng.random_range(0..10) {
            0 => Command::Reject(who),
            1..10 if invite.incoming => Command::Accept { who, name: None },
            _ => return,
        };
        self.give(node, command);
    }

    /// Confirms the changed keys of each contact, with this chance.
    fn confirm(&mut self, node: usize, known: &[ContactView], chance: f64) {
        for contact in known.iter().filter(|contact| contact.changed) {
            if self.rng.random_bool(chance) {
                let who = contact.name.clone();
                self.give(node, Command::Verify { who, confirm: true });
            }
        }
    }

    fn rotate(&mut self, node: usize) {
        let identity = self.rng.random_bool(0.3);
        self.give(node, Command::Rotate { identity });
    }

    fn block(&mut self, node: usize, known: &[ContactView]) {
        let Some(contact) = self.one_of(known) else { return };
        let (who, pair) = (contact.name.clone(), (node, self.number(contact)));
        if contact.relation == Relation::Blocked {
            self.blocked.remove(&pair);
            self.blocking.retain(|(_, other)| *other != pair);
            self.unblocked.insert(pair);
            self.give(node, Command::Unblock(who));
        } else if !self.unblocked.contains(&pair) && self.rng.random_bool(0.4) {
            let id = self.give(node, Command::Block(who));
            self.blocking.push((id, pair));
        }
    }

    fn note_blocks(&mut self) {
        for (id, pair) in &self.blocking {
            if matches!(self.world.outcome(*id), Some(Outcome::Done(Ok(_)))) {
                self.blocked.insert(*pair);
            }
        }
    }
}
