use covey_kernel::{
    Checks, CommandId, Effect, Fault, Hasher, Input, Machine, Span, Time, Turn, View, decide_all,
    limits::TURN_INPUTS,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Outcome, World, node::Crash, world::Event};

/// Longest time between an input and the turn that takes it.
const TURN_DELAY: Span = Span::millis(5);

/// How long until an operator has started a halted node again.
const REPAIR: Span = Span::secs(30);

impl<M: Machine> World<M> {
    /// Starts a node that is down: a new life on the old disk.
    pub(super) fn start(&mut self, number: usize) {
        if self.nodes[number].machine.is_some() || self.nodes[number].held {
            return;
        }
        let (seed, now) = (self.seed, self.clock(number));
        let node = &mut self.nodes[number];
        node.life += 1;
        node.rng = life_rng(seed, number, node.life);
        let failures = node.disk.failures();
        let mut view = View::new(&node.disk);
        let opened = M::open(node.rules.clone(), now, &mut node.rng, &mut view);
        let writes = view.into_writes();
        let opened = opened.and_then(|machine| Ok((machine, node.disk.commit(writes)?)));
        match opened {
            Ok((machine, ())) => {
                node.machine = Some(machine);
                self.record_input(number, &Input::Start);
                self.take_turn(number, vec![Input::Start]);
            }
            Err(error) => self.halt(number, failures, &error.to_string()),
        }
    }

    /// A node's own clock.
    fn clock(&self, number: usize) -> Time {
        self.now.plus(self.nodes[number].skew)
    }

    /// Delivers an input, if the node is up.
    pub(super) fn feed(&mut self, number: usize, input: Input<M>) {
        if self.nodes[number].machine.is_none() {
            return;
        }
        self.record_input(number, &input);
        self.stats.inputs += 1;
        let delay = self.up_to(TURN_DELAY);
        let node = &mut self.nodes[number];
        node.inbox.push(input);
        let life = node.life;
        if !std::mem::replace(&mut node.turn_due, true) {
            // Never at once: a machine that wakes itself must not stop the clock.
            self.after(Span::millis(delay.as_millis() + 1), Event::Turn(number, life));
        }
    }

    fn record_input(&mut self, number: usize, input: &Input<M>) {
        match input {
            Input::Start => self.record(number, "start", &[]),
            Input::Wake => self.record(number, "wake", &[]),
            Input::Command { command, .. } => {
                self.record(number, "command", format!("{command:?}").as_bytes());
            }
            Input::Request { from, bytes, .. } => {
                self.record(number, &format!("request {from:?}"), bytes);
            }
            Input::Answer { from, ask, outcome } => match outcome {
                Ok(bytes) => self.record(number, &format!("answer {from:?} {ask:?}"), bytes),
                Err(error) => {
                    self.record(number, &format!("answer {from:?} {ask:?} {error}"), &[]);
                }
            },
            Input::Gossip { from, topic, bytes, .. } => {
                self.record(number, &format!("gossip {from:?} {topic:?}"), bytes);
            }
            Input::Connected(peer) => self.record(number, "connected", peer.as_bytes()),
            Input::Disconnected(peer) => self.record(number, "disconnected", peer.as_bytes()),
        }
    }

    pub(super) fn take_command(&mut self, number: usize, id: CommandId, command: M::Command) {
        if self.nodes[number].machine.is_some() {
            self.feed(number, Input::Command { id, command });
        } else {
            self.settle(id, Outcome::Unknown);
        }
    }

    fn settle(&mut self, id: CommandId, outcome: Outcome<M>) {
        if let Some(call) = self.calls.get_mut(&id)
            && matches!(call.outcome, Outcome::Waiting)
        {
            call.outcome = outcome;
        }
    }

    pub(super) fn wake(&mut self, number: usize, life: u64) {
        let now = self.now;
        let node = &mut self.nodes[number];
        if node.life == life && node.wake.is_some_and(|at| at <= now) {
            node.wake = None;
            self.feed(number, Input::Wake);
        }
    }

    /// A batch of what waits, as the driver takes it.
    pub(super) fn turn(&mut self, number: usize, life: u64) {
        let node = &mut self.nodes[number];
        if node.life != life || node.machine.is_none() {
            return;
        }
        let rest = node.inbox.split_off(node.inbox.len().min(TURN_INPUTS));
        let inputs = std::mem::replace(&mut node.inbox, rest);
        node.turn_due = !node.inbox.is_empty();
        if node.turn_due {
            self.after(Span::millis(1), Event::Turn(number, life));
        }
        self.take_turn(number, inputs);
    }

    /// Check, decide and apply, commit, speak; with a crash in between if one is due.
    fn take_turn(&mut self, number: usize, inputs: Vec<Input<M>>) {
        self.stats.turns += 1;
        let failures = self.nodes[number].disk.failures();
        let turn = self.decide(number, inputs);
        let crash = self.nodes[number].crash.take();
        if crash == Some(Crash::BeforeCommit) {
            return self.crash(number);
        }
        let committed = turn.and_then(|turn| {
            self.nodes[number].disk.commit(turn.writes)?;
            Ok(turn.effects)
        });
        match (committed, crash) {
            (Err(fault), _) => self.halt(number, failures, &fault.to_string()),
            (Ok(effects), None) => self.speak_all(number, effects),
            (Ok(mut effects), Some(Crash::Speaking(percent))) => {
                effects.truncate(effects.len() * percent / 100);
                self.speak_all(number, effects);
                self.crash(number);
            }
            (Ok(_), Some(Crash::BeforeCommit)) => {}
        }
    }

    fn decide(&mut self, number: usize, inputs: Vec<Input<M>>) -> Result<Turn<M>, Fault> {
        let now = self.clock(number);
        let node = &mut self.nodes[number];
        let origins: Vec<_> = inputs.iter().map(Input::origin).collect();
        let results = M::check(&node.rules, &node.disk, now, inputs);
        assert_eq!(origins.len(), results.len(), "one answer for each input");
        let checks: Checks<M> = origins.into_iter().zip(results).collect();
        match &mut node.machine {
            Some(machine) => decide_all(machine, &node.disk, now, &mut node.rng, checks),
            None => Err(Fault::Io("the node is down".to_owned())),
        }
    }

    fn speak_all(&mut self, number: usize, effects: Vec<Effect<M>>) {
        for effect in effects {
            self.speak(number, effect);
        }
    }

    fn speak(&mut self, number: usize, effect: Effect<M>) {
        match effect {
            Effect::Ask { .. } | Effect::Answer { .. } => self.send(number, effect),
            Effect::Seek { peer, .. } => self.seek(number, peer),
            Effect::Release(peer) => self.release(number, peer),
            // Who tampers may be blamed; a node that does not must not be.
            Effect::Strike(peer) => self.blame(number, peer),
            Effect::Join(topic) => self.join(number, topic),
            Effect::Leave(topic) => self.leave(number, topic),
            Effect::Publish { topic, bytes } => self.publish(number, topic, bytes),
            Effect::Judge { gossip, verdict } => self.judge(number, gossip, verdict),
            Effect::Wake(at) => self.ask_wake(number, at),
            Effect::Reply { to, reply } => {
                let said = match &reply {
                    Ok(reply) => format!("{reply:?}"),
                    Err(error) => format!("refused: {error}"),
                };
                self.record(number, "reply", said.as_bytes());
                self.settle(to, Outcome::Done(reply));
            }
            Effect::Tell(event) => {
                self.record(number, "tell", format!("{event:?}").as_bytes());
                self.events.push((self.now, number, event));
            }
        }
    }

    fn ask_wake(&mut self, number: usize, at: Time) {
        let node = &mut self.nodes[number];
        let at = at.minus(node.skew);
        node.wake = Some(node.wake.map_or(at, |earlier| earlier.min(at)));
        let life = node.life;
        self.queue.push(at.max(self.now), Event::Wake(number, life));
    }

    /// A node goes down where it stands; it comes back by itself.
    pub(super) fn crash(&mut self, number: usize) {
        if self.nodes[number].machine.is_none() {
            return;
        }
        self.stats.crashes += 1;
        self.go_down(number);
        let down = self.up_to(self.config.down);
        self.after(down, Event::Start(number));
    }

    /// A node stops because its store failed; an operator sees to it.
    fn halt(&mut self, number: usize, failures: u64, reason: &str) {
        self.stats.halts += 1;
        if self.nodes[number].disk.failures() == failures {
            self.unexpected.push(format!("node {number} halted on a healthy disk: {reason}"));
        }
        self.go_down(number);
        self.after(REPAIR, Event::Start(number));
    }

    pub(super) fn go_down(&mut self, number: usize) {
        self.record(number, "down", &[]);
        let node = &mut self.nodes[number];
        node.machine = None;
        node.inbox.clear();
        node.turn_due = false;
        node.wake = None;
        node.crash = None;
        node.seeking.clear();
        self.unplug(number);
        self.forget_gossip(number);
        for call in self.calls.values_mut() {
            if call.node == number && matches!(call.outcome, Outcome::Waiting) {
                call.outcome = Outcome::Unknown;
            }
        }
    }
}

fn life_rng(seed: u64, number: usize, life: u64) -> ChaCha8Rng {
    let hash = Hasher::new("life")
        .field(&seed.to_be_bytes())
        .field(&(number as u64).to_be_bytes())
        .field(&life.to_be_bytes())
        .finish();
    ChaCha8Rng::from_seed(*hash.as_bytes())
}
