//! Inputs and effects of a machine that stands around another.

use covey_kernel::{Effect, Input, Machine};

/// The same input for another machine with the same commands.
#[must_use]
pub fn input<A: Machine, B: Machine<Command = A::Command>>(input: Input<A>) -> Input<B> {
    match input {
        Input::Start => Input::Start,
        Input::Wake => Input::Wake,
        Input::Command { id, command } => Input::Command { id, command },
        Input::Request { from, id, bytes } => Input::Request { from, id, bytes },
        Input::Answer { from, ask, outcome } => Input::Answer { from, ask, outcome },
        Input::Gossip { from, topic, id, bytes } => Input::Gossip { from, topic, id, bytes },
        Input::Connected(peer) => Input::Connected(peer),
        Input::Disconnected(peer) => Input::Disconnected(peer),
    }
}

/// The same effect of another machine with the same replies and events.
#[must_use]
pub fn effect<A, B>(effect: Effect<A>) -> Effect<B>
where
    A: Machine,
    B: Machine<Reply = A::Reply, Error = A::Error, Event = A::Event>,
{
    match effect {
        Effect::Ask { to, ask, bytes } => Effect::Ask { to, ask, bytes },
        Effect::Answer { to, bytes } => Effect::Answer { to, bytes },
        Effect::Reply { to, reply } => Effect::Reply { to, reply },
        Effect::Tell(event) => Effect::Tell(event),
        Effect::Wake(at) => Effect::Wake(at),
        Effect::Seek { peer, addresses } => Effect::Seek { peer, addresses },
        Effect::Release(peer) => Effect::Release(peer),
        Effect::Strike(peer) => Effect::Strike(peer),
        Effect::Join(topic) => Effect::Join(topic),
        Effect::Leave(topic) => Effect::Leave(topic),
        Effect::Publish { topic, bytes } => Effect::Publish { topic, bytes },
        Effect::Judge { gossip, verdict } => Effect::Judge { gossip, verdict },
    }
}
