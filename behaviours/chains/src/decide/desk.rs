use covey_kernel::{AskId, Context, CryptoRng, Effect, Peer, Span, Store, Time, View};

use crate::{
    Chains,
    command::Event,
    limits::ASK_MILLIS,
    machine::{Delta, Rules},
    memory::{Ask, Change, Errand, Memory},
    wire::Request,
};

/// What one decision works with.
pub(crate) struct Desk<'d, 'a, 'v> {
    machine: &'d Chains,
    cx: &'d mut Context<'a, 'v, Chains>,
    changes: Vec<Change>,
}

impl<'d, 'a, 'v> Desk<'d, 'a, 'v> {
    pub(crate) fn new(machine: &'d Chains, cx: &'d mut Context<'a, 'v, Chains>) -> Self {
        Self { machine, cx, changes: Vec::new() }
    }

    pub(crate) fn into_delta(self) -> Delta {
        Delta(self.changes)
    }

    pub(crate) fn rules(&self) -> &'d Rules {
        &self.machine.rules
    }

    pub(crate) fn memory(&self) -> &'d Memory {
        &self.machine.memory
    }

    pub(crate) fn now(&self) -> Time {
        self.cx.now
    }

    pub(crate) fn rng(&mut self) -> &mut dyn CryptoRng {
        self.cx.rng
    }

    pub(crate) fn view(&mut self) -> &mut View<'v> {
        self.cx.view
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.cx.view
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn effect(&mut self, effect: Effect<Chains>) {
        self.cx.effects.push(effect);
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.effect(Effect::Tell(event));
    }

    /// Asks a peer something; the answer finds its errand by the id.
    pub(crate) fn ask(&mut self, to: Peer, errand: Errand, request: &Request) {
        let ask = AskId(self.cx.rng.next_u64());
        let until = self.now().plus(Span::millis(ASK_MILLIS));
        self.memory().live.borrow_mut().asks.insert(ask, Ask { to, errand, until });
        self.effect(Effect::Ask { to, ask, bytes: request.encode() });
        self.effect(Effect::Wake(until));
    }
}
