//! Between the machine's types and JSON.

use covey_messaging::{
    ContactView, Cursor, Event, InviteView, MessageId, MessageView, Page, Progress, Relation,
    SafetyView,
};
use libp2p::multiaddr::Protocol;

use super::{
    Named,
    types::{
        ContactInfo, EventInfo, HistoryResult, InviteInfo, MessageInfo, ProgressInfo, RelationInfo,
        Safety,
    },
};
use crate::{
    node::peer_id,
    rpc::{RpcError, codes},
    swarm::Multiaddr,
};

pub(super) fn message_id(text: &str) -> Result<MessageId, RpcError> {
    text.parse().map_err(|error| RpcError::new(codes::UNKNOWN_MESSAGE, error))
}

/// A cursor as text that clients only hand back.
pub(super) fn cursor(text: &str) -> Result<Cursor, RpcError> {
    let parts = text.split_once('.');
    let cursor =
        parts.and_then(|(lamport, id)| Some(Cursor(lamport.parse().ok()?, id.parse().ok()?)));
    cursor
        .ok_or_else(|| RpcError::new(codes::INVALID_PARAMS, "before is not a cursor of a history"))
}

fn cursor_text(cursor: Cursor) -> String {
    format!("{}.{}", cursor.0, cursor.1)
}

pub(super) fn is_loopback(address: &Multiaddr) -> bool {
    address.iter().any(|part| match part {
        Protocol::Ip4(ip) => ip.is_loopback(),
        Protocol::Ip6(ip) => ip.is_loopback(),
        _ => false,
    })
}

/// Takes the peer id off an address.
pub(super) fn split_peer(mut address: Multiaddr) -> Option<Named> {
    match address.pop() {
        Some(Protocol::P2p(id)) => Some((address, id)),
        _ => None,
    }
}

impl From<Progress> for ProgressInfo {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Queued => Self::Queued,
            Progress::Sent => Self::Sent,
            Progress::Delivered => Self::Delivered,
            Progress::Read => Self::Read,
            Progress::Refused => Self::Refused,
            Progress::Received => Self::Received,
        }
    }
}

impl From<Relation> for RelationInfo {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::Invited => Self::Invited,
            Relation::Inviting => Self::Inviting,
            Relation::Accepted => Self::Accepted,
            Relation::Blocked => Self::Blocked,
        }
    }
}

impl From<ContactView> for ContactInfo {
    fn from(view: ContactView) -> Self {
        Self {
            name: view.name,
            display_name: view.display_name,
            identity: view.identity.to_string(),
            peer_id: peer_id(&view.peer),
            relation: view.relation.into(),
            verified: view.verified,
            keys_changed: view.changed,
            unread: view.unread,
            waiting: view.waiting,
            online: view.online,
            since: view.since.millis(),
        }
    }
}

impl From<InviteView> for InviteInfo {
    fn from(view: InviteView) -> Self {
        Self {
            name: view.name,
            identity: view.identity.map(|identity| identity.to_string()),
            peer_id: peer_id(&view.peer),
            incoming: view.incoming,
            text: view.text,
            by_code: view.by_code,
            since: view.since.millis(),
            delivered: view.delivered,
            failed: view.failed,
        }
    }
}

impl From<MessageView> for MessageInfo {
    fn from(view: MessageView) -> Self {
        Self {
            id: view.id.to_string(),
            who: view.who,
            identity: view.identity.to_string(),
            mine: view.mine,
            time: view.time.millis(),
            text: view.text,
            reply: view.reply.map(|id| id.to_string()),
            edited: view.edited,
            deleted: view.deleted,
            my_reaction: view.my_reaction,
            their_reaction: view.their_reaction,
            progress: view.progress.into(),
            cursor: cursor_text(view.cursor),
        }
    }
}

impl From<Page> for HistoryResult {
    fn from(page: Page) -> Self {
        Self {
            messages: page.messages.into_iter().map(MessageInfo::from).collect(),
            before: page.before.map(cursor_text),
        }
    }
}

impl From<SafetyView> for Safety {
    fn from(view: SafetyView) -> Self {
        Self {
            name: view.name,
            number: view.number,
            verified: view.verified,
            keys_changed: view.changed,
        }
    }
}

impl From<Event> for EventInfo {
    fn from(event: Event) -> Self {
        match event {
            Event::Message(message) => Self::Message(MessageInfo::from(*message)),
            Event::Changed(message) => Self::Changed(MessageInfo::from(*message)),
            Event::Progress { who, ids, progress } => Self::Progress {
                who,
                ids: ids.iter().map(ToString::to_string).collect(),
                progress: progress.into(),
            },
            Event::Invite(invite) => Self::Invite(InviteInfo::from(*invite)),
            Event::Accepted(contact) => Self::Accepted(ContactInfo::from(*contact)),
            Event::KeysChanged(contact) => Self::KeysChanged(ContactInfo::from(*contact)),
            Event::InviteFailed { name, why } => Self::InviteFailed { name, why },
        }
    }
}
