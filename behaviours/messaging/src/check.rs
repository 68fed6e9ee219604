//! Decoding and signatures, before anything is decided.

use covey_kernel::{AskFailure, AskId, CommandId, Input, Peer, RequestId};

use crate::{
    Messaging, Rules,
    command::Command,
    decide::codec,
    error::Error,
    prekeys::BadHandout,
    ratchet::Ratchet,
    wire::{Refusal, Request, Response},
};

/// An input that is decoded, within bounds and correctly signed.
#[derive(Debug)]
pub enum Checked {
    /// The node has started.
    Start,
    /// Time has passed.
    Wake,
    /// The local user wants something.
    Command(CommandId, Command),
    /// A peer wants something.
    Request(Peer, RequestId, Request),
    /// A peer has answered, or not.
    Answer(Peer, AskId, Result<Response, AskFailure>),
    /// A connection exists.
    Connected(Peer),
    /// No connection exists any more.
    Disconnected(Peer),
}

pub(crate) fn check<R: Ratchet>(
    rules: &Rules,
    input: Input<Messaging<R>>,
) -> Result<Checked, Error> {
    Ok(match input {
        Input::Start => Checked::Start,
        Input::Wake => Checked::Wake,
        Input::Command { id, command } => Checked::Command(id, command),
        Input::Request { from, id, bytes } => {
            Checked::Request(from, id, request(rules, &from, &bytes)?)
        }
        Input::Answer { from, ask, outcome } => {
            Checked::Answer(from, ask, outcome.and_then(|bytes| response(rules, &from, &bytes)))
        }
        // It joins no topic. Nobody is to blame for what is of no use here.
        Input::Gossip { .. } => return Err(Error::Refused(Refusal::Later(()))),
        Input::Connected(peer) => Checked::Connected(peer),
        Input::Disconnected(peer) => Checked::Disconnected(peer),
    })
}

fn request(rules: &Rules, from: &Peer, bytes: &[u8]) -> Result<Request, Error> {
    let invalid = Error::Refused(Refusal::Invalid(()));
    let request = codec::decode_request(bytes).map_err(|_| invalid.clone())?;
    let set = match &request {
        Request::Claim(()) | Request::Deliver(_) => return Ok(request),
        Request::Knock(knock) => &knock.set,
        // Its chain is verified when it leads to somebody known: strangers cost one signature.
        Request::Announce(announcement) => &announcement.set,
    };
    // Nobody can claim another node: the transport has proven which one speaks.
    if set.set.peer != *from || set.verify(&rules.network).is_err() {
        return Err(invalid);
    }
    Ok(request)
}

fn response(rules: &Rules, from: &Peer, bytes: &[u8]) -> Result<Response, AskFailure> {
    let response = codec::decode_response(bytes).map_err(|_| AskFailure::Broken)?;
    if let Response::Keys(handout) = &response {
        let checked: Result<_, BadHandout> = handout.verify(&rules.network);
        if checked.is_err() || handout.set.set.peer != *from {
            return Err(AskFailure::Broken);
        }
    }
    Ok(response)
}
