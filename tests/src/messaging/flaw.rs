use std::marker::PhantomData;

use covey_kernel::{
    Bounded, Context, CryptoRng, Effect, Effects, Frames, Input, Machine, Scan, Store, Time, View,
    cbor,
};
use covey_messaging::{
    Checked, Command, Delta, Error, Event, Messaging, Reply, Rules, decode_request,
    ratchet::Ratchet,
    wire::{Outcome, Request, Response},
};

use crate::sim::convert;

/// Where conversations' counters lie in the store.
const CONVERSATIONS: &[u8] = &[0x11];
/// Where what waits to be delivered lies.
const OUTBOX: &[u8] = &[0x15];

/// A deliberate mistake, made around the product's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Forgets what it has received as soon as it has answered.
    ForgetsReceived,
    /// Acknowledges every eighth delivery without storing it.
    AcknowledgesUnstored,
    /// Forgets what it has to deliver once it is sent.
    ForgetsSent,
    /// Sends a text again, as a new one, after each command.
    SendsTwice,
}

/// Rules with a mistake.
#[derive(Debug, Clone)]
pub struct FlawedRules {
    /// The product's rules.
    pub rules: Rules,
    /// The mistake.
    pub flaw: Flaw,
}

/// Messaging with a mistake.
pub struct Flawed<R: Ratchet> {
    inner: Messaging<R>,
    flaw: Flaw,
    ratchet: PhantomData<R>,
}

type Cx<'a, 'c, 'v, R> = &'a mut Context<'c, 'v, Flawed<R>>;

impl<R: Ratchet> Machine for Flawed<R> {
    const NAME: &'static str = "messaging";
    const FRAMES: Frames = Messaging::<R>::FRAMES;
    type Command = Command;
    type Reply = Reply;
    type Event = Event;
    type Error = Error;
    type Rules = FlawedRules;
    type Checked = Checked;
    type Delta = Vec<Delta>;

    fn open(
        rules: FlawedRules,
        now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let inner = Messaging::open(rules.rules, now, rng, view)?;
        Ok(Self { inner, flaw: rules.flaw, ratchet: PhantomData })
    }

    fn check(
        rules: &FlawedRules,
        base: &dyn Store,
        now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        Messaging::<R>::check(
            &rules.rules,
            base,
            now,
            inputs.into_iter().map(convert::input).collect(),
        )
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Checked) -> Result<Vec<Delta>, Error> {
        let received = cx.view.scan(&Scan::prefix(CONVERSATIONS))?;
        let mut delivery = false;
        if let Checked::Request(_, to, Request::Deliver(delivered)) = &input {
            delivery = true;
            if self.flaw == Flaw::AcknowledgesUnstored && cx.rng.next_u32().is_multiple_of(8) {
                let stored = delivered.envelopes.iter().map(|_| Outcome::Stored(()));
                let response = Response::Delivered(Bounded::first(stored));
                cx.effects.push(Effect::Answer { to: *to, bytes: cbor::encode(&response) });
                return Ok(Vec::new());
            }
        }
        let again = match &input {
            Checked::Command(id, command @ Command::Send { .. })
                if self.flaw == Flaw::SendsTwice =>
            {
                Some(Checked::Command(*id, command.clone()))
            }
            _ => None,
        };
        let mut deltas = vec![self.really(cx, input)?];
        if let Some(again) = again {
            deltas.push(self.really(cx, again)?);
        }
        if self.flaw == Flaw::ForgetsReceived && delivery {
            received.into_iter().for_each(|(key, value)| cx.view.put(key, value));
        }
        Ok(deltas)
    }

    fn apply(&mut self, deltas: Vec<Delta>) {
        deltas.into_iter().for_each(|delta| self.inner.apply(delta));
    }

    fn refusal(error: &Error) -> Vec<u8> {
        Messaging::<R>::refusal(error)
    }
}

impl<R: Ratchet> Flawed<R> {
    fn really(&self, cx: Cx<'_, '_, '_, R>, input: Checked) -> Result<Delta, Error> {
        let mut effects = Effects::default();
        let delta = self.inner.decide(
            &mut Context { now: cx.now, rng: cx.rng, view: cx.view, effects: &mut effects },
            input,
        )?;
        for effect in effects.into_vec() {
            if let (Effect::Ask { bytes, .. }, Flaw::ForgetsSent) = (&effect, self.flaw)
                && matches!(decode_request(bytes), Ok(Request::Deliver(_)))
            {
                for (key, _) in cx.view.scan(&Scan::prefix(OUTBOX))? {
                    cx.view.delete(key);
                }
            }
            cx.effects.push(convert::effect(effect));
        }
        Ok(delta)
    }
}
