//! Decoding and signatures, before anything is decided.

use covey_kernel::{AskFailure, AskId, CommandId, GossipId, Input, Peer, RequestId, verify_all};

use crate::{
    Chains,
    command::Command,
    error::Error,
    machine::Rules,
    wire::{Item, News, Request, Response},
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
    /// A peer has sent what is no request.
    Nonsense(Peer, RequestId),
    /// A peer has answered, or not.
    Answer(Peer, AskId, Result<Response, AskFailure>),
    /// A connection exists.
    Connected(Peer),
    /// No connection exists any more.
    Disconnected(Peer),
    /// A new block is told of.
    News(Peer, GossipId, Box<News>),
}

/// Checks all inputs, one answer each; all their signatures together.
pub(crate) fn check(rules: &Rules, inputs: Vec<Input<Chains>>) -> Vec<Result<Checked, Error>> {
    let mut checked: Vec<Result<Checked, Error>> = inputs.into_iter().map(decode).collect();
    let mut signed = Vec::new();
    let mut owners = Vec::new();
    for (at, input) in checked.iter().enumerate() {
        let Ok(input) = input else { continue };
        // Whether a block must be signed is seen on the block.
        let found = items(input).iter().filter_map(|item| item.block.signed(&rules.network));
        signed.extend(found);
        owners.resize(signed.len(), at);
    }
    for (at, verdict) in owners.into_iter().zip(verify_all(&signed)) {
        if verdict.is_err()
            && let Some(input) = checked.get_mut(at)
        {
            refuse(input);
        }
    }
    checked
}

fn decode(input: Input<Chains>) -> Result<Checked, Error> {
    Ok(match input {
        Input::Start => Checked::Start,
        Input::Wake => Checked::Wake,
        Input::Command { id, command } => Checked::Command(id, command),
        Input::Request { from, id, bytes } => match Request::decode(&bytes) {
            Ok(request) => Checked::Request(from, id, request),
            Err(_) => Checked::Nonsense(from, id),
        },
        Input::Answer { from, ask, outcome } => {
            let response =
                |bytes: Vec<u8>| Response::decode(&bytes).map_err(|_| AskFailure::Broken);
            Checked::Answer(from, ask, outcome.and_then(response))
        }
        Input::Connected(peer) => Checked::Connected(peer),
        Input::Disconnected(peer) => Checked::Disconnected(peer),
        Input::Gossip { from, topic, id, bytes } => {
            let news = News::decode(&bytes).map_err(|_| Error::Malformed("gossip"))?;
            if topic.0 != news.chain.topic() {
                return Err(Error::Malformed("gossip of another chain"));
            }
            Checked::News(from, id, Box::new(news))
        }
    })
}

/// The blocks in an input.
fn items(input: &Checked) -> &[Item] {
    match input {
        Checked::News(_, _, news) => std::slice::from_ref(&news.item),
        Checked::Answer(_, _, Ok(Response::Page(page))) => &page.items,
        Checked::Answer(_, _, Ok(Response::Held(items))) => items,
        _ => &[],
    }
}

/// What has a wrong signature is as good as not said.
fn refuse(input: &mut Result<Checked, Error>) {
    *input = match std::mem::replace(input, Err(Error::Malformed("a wrong signature"))) {
        Ok(Checked::Answer(from, ask, _)) => {
            Ok(Checked::Answer(from, ask, Err(AskFailure::Broken)))
        }
        _ => return,
    };
}
