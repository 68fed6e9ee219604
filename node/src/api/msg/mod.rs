//! `msg_*`: private messages.

mod convert;
mod errors;
pub mod types;

use std::sync::Arc;

use covey_kernel::{Address, Bytes, Time};
use covey_messaging::{Command, ContactCode, HistoryQuery, Reply, Target};

use super::types::Done;
use super::{call_error, swarm_ended};
use crate::{
    node::{State, parse_peer},
    rpc::{Method, NoParams, Registry, RpcError, Subscription, codes, from_broadcast, limits},
    swarm::{Multiaddr, PeerId},
};
use types::{
    Accept, CodeParams, CodeResult, ContactInfo, Delete, Edit, EventInfo, History, HistoryResult,
    Invite, InviteInfo, InviteResult, MessageInfo, React, Rename, Safety, Send, SendResult,
    StatusParams, StatusResult, Verify, Who,
};

/// Bytes of messages in one page of history: a response also has a frame.
const PAGE_BYTES: usize = limits::RESPONSE_BYTES / 2;

/// Runs a command on the messaging machine.
pub(super) async fn call(state: &State, command: Command) -> Result<Reply, RpcError> {
    state.messaging.call(command).await.map_err(|error| call_error(error, errors::code))
}

/// A reply of another kind than its command's: a fault in the code.
pub(super) fn unexpected() -> RpcError {
    codes::INTERNAL.into()
}

fn about(name: &'static str, summary: &'static str) -> Method {
    Method { name, summary, errors: errors::CODES }
}

pub(super) fn register(registry: &mut Registry<State>) {
    invites(registry);
    contacts(registry);
    messages(registry);
    registry.subscription(
        Subscription {
            name: "msg_subscribe",
            unsubscribe: "msg_unsubscribe",
            notification: "msg_event",
            summary: "Streams messages, their progress, invites and changed keys as they come.",
            errors: &[],
        },
        |state: Arc<State>, _: NoParams| async move {
            let events = state.messaging.subscribe();
            Ok(from_broadcast(events, |event| Some(EventInfo::from(event))))
        },
    );
}

fn invites(registry: &mut Registry<State>) {
    registry
        .method(about("msg_code", "Gives your contact code."), code)
        .method(about("msg_invite", "Invites somebody by contact code or peer."), invite)
        .method(
            about("msg_invites", "Lists invites in both directions."),
            |state, _: NoParams| async move {
                match call(&state, Command::Invites).await? {
                    Reply::Invites(invites) => {
                        Ok(invites.into_iter().map(InviteInfo::from).collect::<Vec<_>>())
                    }
                    _ => Err(unexpected()),
                }
            },
        )
        .method(about("msg_accept", "Accepts an invite."), |state, Accept { who, name }: Accept| {
            contact(state, Command::Accept { who, name })
        })
        .method(
            about("msg_reject", "Rejects an invite silently, or takes an own one back."),
            |state, who: Who| done(state, Command::Reject(who.who)),
        );
}

fn contacts(registry: &mut Registry<State>) {
    registry
        .method(
            about("msg_contacts", "Lists everybody you know."),
            |state, _: NoParams| async move {
                match call(&state, Command::Contacts).await? {
                    Reply::Contacts(contacts) => {
                        Ok(contacts.into_iter().map(ContactInfo::from).collect::<Vec<_>>())
                    }
                    _ => Err(unexpected()),
                }
            },
        )
        .method(about("msg_block", "Wants nothing more from somebody."), |state, who: Who| {
            done(state, Command::Block(who.who))
        })
        .method(about("msg_unblock", "Takes a block back."), |state, who: Who| {
            done(state, Command::Unblock(who.who))
        })
        .method(
            about("msg_rename", "Calls a contact something else."),
            |state, Rename { who, name }: Rename| done(state, Command::Rename { who, name }),
        )
        .method(about("msg_verify", "Gives the safety number, or confirms it."), verify);
}

fn messages(registry: &mut Registry<State>) {
    registry
        .method(about("msg_send", "Sends a text; it is stored when this answers."), send)
        .method(
            about("msg_edit", "Changes an own message."),
            |state, Edit { id, text }: Edit| async move {
                let id = convert::message_id(&id)?;
                done(state, Command::Edit { id, text }).await
            },
        )
        .method(
            about("msg_delete", "Deletes an own message on both sides."),
            |state, Delete { id }: Delete| async move {
                done(state, Command::Delete(convert::message_id(&id)?)).await
            },
        )
        .method(
            about("msg_react", "Reacts to a message; an empty emoji takes it back."),
            |state, React { id, emoji }: React| async move {
                let id = convert::message_id(&id)?;
                done(state, Command::React { id, emoji }).await
            },
        )
        .method(about("msg_status", "Tells how far an own message has come."), status)
        .method(about("msg_history", "Gives a page of a conversation, oldest first."), history)
        .method(about("msg_read", "Marks a conversation as read."), |state, who: Who| {
            done(state, Command::Read { who: who.who })
        });
}

async fn done(state: Arc<State>, command: Command) -> Result<Done, RpcError> {
    call(&state, command).await.map(|_| Done {})
}

async fn contact(state: Arc<State>, command: Command) -> Result<ContactInfo, RpcError> {
    match call(&state, command).await? {
        Reply::Contact(contact) => Ok(ContactInfo::from(*contact)),
        _ => Err(unexpected()),
    }
}

async fn code(state: Arc<State>, params: CodeParams) -> Result<CodeResult, RpcError> {
    let addresses = reachable(&state).await?;
    let CodeParams { once, reset } = params;
    match call(&state, Command::Code { addresses, once, reset }).await? {
        Reply::Code(code) => Ok(CodeResult {
            code: code.to_string(),
            once: code.once,
            expires: code.expires.millis(),
        }),
        _ => Err(unexpected()),
    }
}

/// Where others may reach this node: addresses confirmed from outside first, this machine's own
/// loopback last.
async fn reachable(state: &State) -> Result<Vec<Address>, RpcError> {
    let known = state.swarm.addresses().await.map_err(swarm_ended)?;
    let (loopback, others): (Vec<Multiaddr>, Vec<Multiaddr>) =
        known.listen.into_iter().partition(convert::is_loopback);
    let all = known.external.into_iter().chain(others).chain(loopback);
    Ok(all.filter_map(|address| Bytes::new(address.to_vec()).ok()).collect())
}

async fn invite(state: Arc<State>, params: Invite) -> Result<InviteResult, RpcError> {
    let target = target(&params.target)?;
    let command = Command::Invite { target, name: params.name, text: params.text };
    match call(&state, command).await? {
        Reply::Inviting(name) => Ok(InviteResult { name }),
        _ => Err(unexpected()),
    }
}

/// A contact code, a key, a peer id, or an address that ends in one.
fn target(text: &str) -> Result<Target, RpcError> {
    let text = text.trim();
    if text.to_ascii_lowercase().starts_with("covey:") {
        let code: ContactCode =
            text.parse().map_err(|error| RpcError::new(codes::BAD_CODE, error))?;
        return Ok(Target::Code(Box::new(code)));
    }
    if let Some(peer) = parse_peer(text) {
        return Ok(Target::Peer(peer, Vec::new()));
    }
    let address = text.parse::<Multiaddr>().ok();
    let named = address.and_then(convert::split_peer);
    let Some((address, id)) = named else { return Err(no_target(text)) };
    let peer = covey_shell::peer(&id).ok_or_else(|| no_target(text))?;
    let addresses = Bytes::new(address.to_vec()).into_iter().collect();
    Ok(Target::Peer(peer, addresses))
}

fn no_target(text: &str) -> RpcError {
    let shown: String = text.chars().take(40).collect();
    RpcError::new(
        codes::BAD_CODE,
        format!("\"{shown}\" is neither a contact code (covey:…) nor a peer id"),
    )
    .help("ask them for what `covey msg code` prints")
}

async fn verify(state: Arc<State>, params: Verify) -> Result<Safety, RpcError> {
    let Verify { who, confirm } = params;
    match call(&state, Command::Verify { who, confirm }).await? {
        Reply::Safety(safety) => Ok(Safety::from(safety)),
        _ => Err(unexpected()),
    }
}

async fn send(state: Arc<State>, params: Send) -> Result<SendResult, RpcError> {
    let reply = params.reply.as_deref().map(convert::message_id).transpose()?;
    let command = Command::Send { who: params.who, text: params.text, reply };
    match call(&state, command).await? {
        Reply::Queued(id) => Ok(SendResult { id: id.to_string() }),
        _ => Err(unexpected()),
    }
}

async fn status(state: Arc<State>, params: StatusParams) -> Result<StatusResult, RpcError> {
    let id = convert::message_id(&params.id)?;
    match call(&state, Command::Status(id)).await? {
        Reply::Status(progress) => Ok(StatusResult { id: params.id, progress: progress.into() }),
        _ => Err(unexpected()),
    }
}

async fn history(state: Arc<State>, params: History) -> Result<HistoryResult, RpcError> {
    let query = HistoryQuery {
        who: params.who,
        since: params.since.map(Time::from_millis),
        search: params.search,
        limit: params.limit.unwrap_or(types::DEFAULT_PAGE),
        before: params.before.as_deref().map(convert::cursor).transpose()?,
    };
    match call(&state, Command::History(query)).await? {
        Reply::History(page) => Ok(fitting(HistoryResult::from(page))),
        _ => Err(unexpected()),
    }
}

/// As many of the newest messages as one response has room for; the cursor leads to the rest.
fn fitting(mut page: HistoryResult) -> HistoryResult {
    let mut room = PAGE_BYTES;
    let fits = |message: &&MessageInfo| {
        let bytes = serde_json::to_vec(message).map_or(PAGE_BYTES, |json| json.len());
        let left = room.checked_sub(bytes);
        room = left.unwrap_or_default();
        left.is_some()
    };
    let fitting = page.messages.iter().rev().take_while(fits).count().max(1);
    let rest = page.messages.len().saturating_sub(fitting);
    if rest > 0 {
        page.messages.drain(..rest);
        page.before = page.messages.first().map(|message| message.cursor.clone());
    }
    page
}

/// A peer id at the end of an address.
type Named = (Multiaddr, PeerId);
