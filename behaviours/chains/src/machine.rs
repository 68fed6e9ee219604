use covey_kernel::{
    Context, CryptoRng, Fault, Frames, Input, Machine, NetworkId, Peer, Store, Time, View, cbor,
};

use crate::{
    check::{Checked, check},
    command::{Command, Event, Reply},
    decide::desk::Desk,
    error::Error,
    layout::{self, ChainNo},
    limits::{REQUEST_BYTES, RESPONSE_BYTES},
    memory::{Change, Memory},
    records,
    wire::{Refusal, Response},
};

/// What never changes while chains run.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The network.
    pub network: NetworkId,
    /// The own node.
    pub peer: Peer,
    /// Bytes of payloads that a chain has from others; what comes after waits for room.
    pub room: u64,
}

/// Chains as a machine.
pub struct Chains {
    pub(crate) rules: Rules,
    pub(crate) memory: Memory,
}

/// What a decision changes in memory.
pub struct Delta(pub(crate) Vec<Change>);

impl Machine for Chains {
    const NAME: &'static str = "chains";
    const FRAMES: Frames = Frames { request: REQUEST_BYTES, response: RESPONSE_BYTES };

    type Command = Command;
    type Reply = Reply;
    type Event = Event;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = Delta;

    fn open(
        rules: Rules,
        _now: Time,
        _rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let mut memory = Memory::default();
        records::each(view, layout::CHAINS, |key, value| {
            let no = layout::number(key).ok_or_else(|| Fault::Corrupt("a chain's key".into()))?;
            let joined = cbor::decode_stored(value)?;
            memory.apply(Change::Follow(ChainNo(no), Box::new(joined)));
            Ok(())
        })?;
        Ok(Self { rules, memory })
    }

    fn check(
        rules: &Rules,
        _base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        check(rules, inputs)
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Checked) -> Result<Delta, Error> {
        let mut desk = Desk::new(self, cx);
        desk.decide(input)?;
        Ok(desk.into_delta())
    }

    fn apply(&mut self, delta: Delta) {
        for change in delta.0 {
            self.memory.apply(change);
        }
    }

    fn refusal(error: &Error) -> Vec<u8> {
        let refusal = match error {
            Error::Refused(refusal) => *refusal,
            _ => Refusal::Invalid(()),
        };
        Response::Refused(refusal).encode()
    }
}
