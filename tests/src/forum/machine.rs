//! The product's machine for chains among its neighbours, which the swarm would find; and the same
//! with a mistake.

use std::cell::RefCell;

use covey_chains::{
    Chains, Checked, Delta, Error,
    command::{Command, Event, Reply},
    wire::{Item, Request, Response},
};
use covey_kernel::{
    Context, CryptoRng, Effect, Effects, Frames, Input, Machine, Peer, Store, Time, View,
};

use crate::sim::convert;

/// A deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Relies on gossip alone.
    NeverPulls,
    /// Leaves the last block out of each page that it gives.
    GivesLess,
    /// Says that it follows the side that a user chose, and stays on its own.
    NeverChooses,
    /// Offers the posts that wait at its neighbours as if they were its own.
    OffersOthers,
}

/// A node and its neighbours.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The product's rules.
    pub rules: covey_chains::Rules,
    /// Whom it stays connected with.
    pub neighbours: Vec<Peer>,
    /// The mistake that it makes.
    pub flaw: Option<Flaw>,
}

/// A node of a forum.
pub struct Forum {
    inner: Chains,
    rules: Rules,
    /// For a mistake: the posts that neighbours offered.
    offered: RefCell<Vec<Item>>,
}

impl Machine for Forum {
    const NAME: &'static str = Chains::NAME;
    const FRAMES: Frames = Chains::FRAMES;
    type Command = Command;
    type Reply = Reply;
    type Event = Event;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = Delta;

    fn open(
        rules: Rules,
        now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let inner = Chains::open(rules.rules, now, rng, view)?;
        Ok(Self { inner, rules, offered: RefCell::default() })
    }

    fn check(
        rules: &Rules,
        base: &dyn Store,
        now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        let inputs = inputs.into_iter().map(convert::input);
        let inputs = inputs.map(|input| misread(rules.flaw, input)).collect();
        Chains::check(&rules.rules, base, now, inputs)
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Checked) -> Result<Delta, Error> {
        if matches!(input, Checked::Start) {
            for peer in &self.rules.neighbours {
                cx.effects.push(Effect::Seek { peer: *peer, addresses: Vec::new() });
            }
        }
        if let Checked::Answer(_, _, Ok(Response::Held(items))) = &input {
            self.offered.borrow_mut().extend(items.iter().cloned());
        }
        let mut effects = Effects::default();
        let delta = self.inner.decide(
            &mut Context { now: cx.now, rng: cx.rng, view: cx.view, effects: &mut effects },
            input,
        )?;
        for effect in effects.into_vec() {
            if let Some(effect) = self.spoil(effect) {
                cx.effects.push(convert::effect(effect));
            }
        }
        Ok(delta)
    }

    fn apply(&mut self, delta: Delta) {
        self.inner.apply(delta);
    }

    fn refusal(error: &Error) -> Vec<u8> {
        Chains::refusal(error)
    }
}

/// What the mistake makes of an input.
fn misread(flaw: Option<Flaw>, input: Input<Chains>) -> Input<Chains> {
    match (flaw, input) {
        (Some(Flaw::NeverChooses), Input::Command { id, command: Command::Choose(chain, _) }) => {
            Input::Command { id, command: Command::Status(chain) }
        }
        (_, input) => input,
    }
}

impl Forum {
    /// What the mistake makes of an effect.
    fn spoil(&self, effect: Effect<Chains>) -> Option<Effect<Chains>> {
        match (self.rules.flaw, effect) {
            (Some(Flaw::NeverPulls), Effect::Ask { bytes, .. })
                if matches!(Request::decode(&bytes), Ok(Request::Pull(_))) =>
            {
                None
            }
            (Some(Flaw::GivesLess), Effect::Answer { to, bytes }) => {
                let bytes = match Response::decode(&bytes) {
                    Ok(Response::Page(mut page)) => {
                        let mut items = page.items.into_vec();
                        items.pop();
                        page.items = covey_kernel::Bounded::first(items);
                        Response::Page(page).encode()
                    }
                    _ => bytes,
                };
                Some(Effect::Answer { to, bytes })
            }
            (Some(Flaw::OffersOthers), Effect::Answer { to, bytes }) => {
                let bytes = match Response::decode(&bytes) {
                    Ok(Response::Held(items)) => {
                        let offered = self.offered.borrow();
                        let items = items.iter().chain(&*offered).cloned();
                        Response::Held(covey_kernel::Bounded::first(items)).encode()
                    }
                    _ => bytes,
                };
                Some(Effect::Answer { to, bytes })
            }
            (_, effect) => Some(effect),
        }
    }
}
