use std::{sync::Arc, time::Instant};

use covey_kernel::{
    Checks, CryptoRng, Effect, Fault, Input, Machine, MachineError, Time, View, decide_all,
};
use rayon::{
    ThreadPool,
    iter::{IntoParallelIterator, ParallelIterator},
};

use super::{
    Config, Halt, Metrics, OpenError, Outside,
    inbox::{Next, Shared},
    limits::CHECK_CHUNK,
};
use crate::store::Journal;

/// One machine and everything that a turn of it needs.
pub(super) struct Turns<M: Machine, J, O> {
    machine: M,
    rules: M::Rules,
    journal: J,
    outside: O,
    shared: Arc<Shared<M>>,
    config: Config,
    wake_at: Option<Time>,
}

impl<M: Machine, J: Journal, O: Outside> Turns<M, J, O> {
    /// Rebuilds the machine from its store and commits what a new store needs.
    pub(super) fn open(
        rules: M::Rules,
        journal: J,
        outside: O,
        shared: Arc<Shared<M>>,
        config: Config,
    ) -> Result<Self, OpenError<M::Error>> {
        let mut view = View::new(&journal);
        let opened = M::open(rules.clone(), config.clock.now(), &mut rand::rng(), &mut view);
        let machine = opened.map_err(OpenError::Machine)?;
        let writes = view.into_writes();
        if !writes.is_empty() {
            journal.commit(&writes)?;
        }
        Ok(Self { machine, rules, journal, outside, shared, config, wake_at: None })
    }

    /// Takes turns until the inbox is closed and empty, or something fails.
    pub(super) fn run(mut self) -> Result<(), Halt> {
        let mut rng = rand::rng();
        self.turn(vec![Input::Start], &mut rng)?;
        loop {
            match self.shared.next(&*self.config.clock, self.wake_at) {
                Next::End => return Ok(()),
                Next::Turn { inputs, woken } => {
                    if woken {
                        self.wake_at = None;
                    }
                    self.turn(inputs, &mut rng)?;
                }
            }
        }
    }

    /// Check, decide and apply, commit, speak. An error before the commit's end leaves
    /// everything unsaid.
    fn turn(&mut self, inputs: Vec<Input<M>>, rng: &mut dyn CryptoRng) -> Result<(), Halt> {
        let now = self.config.clock.now();
        let metrics = &self.shared.metrics;
        Metrics::count(&metrics.turns, 1);
        Metrics::count(&metrics.inputs, inputs.len());
        let checks = check::<M, J>(&self.config.pool, &self.rules, &self.journal, now, inputs)?;
        let turn = decide_all(&mut self.machine, &self.journal, now, rng, checks)?;
        Metrics::count(&metrics.refused, turn.refused);
        if !turn.writes.is_empty() {
            let begun = Instant::now();
            self.journal.commit(&turn.writes)?;
            metrics.committed(turn.writes.len(), begun.elapsed());
        }
        for effect in turn.effects {
            self.speak(effect);
        }
        Ok(())
    }

    fn speak(&mut self, effect: Effect<M>) {
        match effect {
            Effect::Ask { to, ask, bytes } => self.outside.ask(to, ask, bytes),
            Effect::Answer { to, bytes } => self.outside.answer(to, bytes),
            Effect::Seek { peer, addresses } => self.outside.seek(peer, addresses),
            Effect::Release(peer) => self.outside.release(peer),
            Effect::Strike(peer) => self.outside.strike(peer),
            Effect::Join(topic) => self.outside.join(topic),
            Effect::Leave(topic) => self.outside.leave(topic),
            Effect::Publish { topic, bytes } => self.outside.publish(topic, bytes),
            Effect::Judge { gossip, verdict } => self.outside.judge(gossip, verdict),
            Effect::Reply { to, reply } => self.shared.calls.reply(to, reply),
            Effect::Tell(event) => self.shared.tell(event),
            Effect::Wake(at) => {
                self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
            }
        }
    }
}

/// Checks all inputs, many of them on several threads; the answers are in the inputs' order.
fn check<M: Machine, J: Journal>(
    pool: &ThreadPool,
    rules: &M::Rules,
    journal: &J,
    now: Time,
    inputs: Vec<Input<M>>,
) -> Result<Checks<M>, Halt> {
    if inputs.len() < CHECK_CHUNK.saturating_mul(2) {
        return check_chunk(rules, journal, now, inputs);
    }
    let share = inputs.len().div_ceil(pool.current_num_threads().max(1));
    let chunks = chunks(inputs, share.max(CHECK_CHUNK));
    let checked: Vec<Result<Checks<M>, Halt>> = pool.install(|| {
        chunks.into_par_iter().map(|chunk| check_chunk(rules, journal, now, chunk)).collect()
    });
    let mut all = Vec::new();
    for chunk in checked {
        all.extend(chunk?);
    }
    Ok(all)
}

fn chunks<T>(mut items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    while items.len() > size {
        let rest = items.split_off(size);
        chunks.push(std::mem::replace(&mut items, rest));
    }
    chunks.push(items);
    chunks
}

fn check_chunk<M: Machine, J: Journal>(
    rules: &M::Rules,
    journal: &J,
    now: Time,
    inputs: Vec<Input<M>>,
) -> Result<Checks<M>, Halt> {
    let origins: Vec<_> = inputs.iter().map(Input::origin).collect();
    let results = M::check(rules, journal, now, inputs);
    let (asked, answered) = (origins.len(), results.len());
    if asked != answered {
        return Err(Halt::Unanswered { name: M::NAME, asked, answered });
    }
    Ok(origins.into_iter().zip(results).collect())
}

impl<E: MachineError> From<Fault> for OpenError<E> {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}
