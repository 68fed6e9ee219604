//! What a local user asks for, gets back and may subscribe to.

use covey_kernel::{Address, Peer, PublicKey, Time};

use crate::{code::ContactCode, content::MessageId, identity::SignedKeySet};

/// Whom to invite.
#[derive(Clone, Debug)]
pub enum Target {
    /// The holder's contact code.
    Code(Box<ContactCode>),
    /// A node, by its peer id; whoever lives there.
    Peer(Peer, Vec<Address>),
}

/// Which part of a conversation to show.
#[derive(Clone, Debug, Default)]
pub struct HistoryQuery {
    /// Whose.
    pub who: String,
    /// Only messages whose claimed time is not before this.
    pub since: Option<Time>,
    /// Only messages that contain this, whatever the case.
    pub search: Option<String>,
    /// At most so many, the newest ones.
    pub limit: usize,
    /// Only messages before this one: the cursor of the page after it.
    pub before: Option<Cursor>,
}

/// A place in a conversation's order: Lamport clock, then message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub u64, pub MessageId);

/// A local command. `who` is a contact's name, key or an unambiguous beginning of one.
#[derive(Clone, Debug)]
pub enum Command {
    /// Own identity.
    Whoami,
    /// New keys; with `identity` a new identity too, vouched for by the old one.
    Rotate {
        /// Whether the identity itself changes.
        identity: bool,
    },
    /// A contact code.
    Code {
        /// Where this node may be reached.
        addresses: Vec<Address>,
        /// Good for one invite only.
        once: bool,
        /// Void all codes given out so far.
        reset: bool,
    },
    /// Invites somebody.
    Invite {
        /// Whom.
        target: Target,
        /// What to call them.
        name: Option<String>,
        /// What to tell them.
        text: String,
    },
    /// Everybody who is invited or inviting.
    Invites,
    /// Says yes.
    Accept {
        /// To whom.
        who: String,
        /// What to call them.
        name: Option<String>,
    },
    /// Says no, silently; takes back an own invite.
    Reject(String),
    /// Wants nothing more from somebody.
    Block(String),
    /// Takes that back.
    Unblock(String),
    /// Everybody known.
    Contacts,
    /// Calls somebody something else.
    Rename {
        /// Whom.
        who: String,
        /// What.
        name: String,
    },
    /// The safety number; with `confirm` it was compared, and changed keys are accepted.
    Verify {
        /// With whom.
        who: String,
        /// Whether it was compared.
        confirm: bool,
    },
    /// Sends a text.
    Send {
        /// To whom.
        who: String,
        /// What.
        text: String,
        /// In answer to which message.
        reply: Option<MessageId>,
    },
    /// Changes an own message.
    Edit {
        /// Which.
        id: MessageId,
        /// What it says now.
        text: String,
    },
    /// Deletes an own message on both sides.
    Delete(MessageId),
    /// Reacts to a message.
    React {
        /// To which.
        id: MessageId,
        /// With what; empty takes it back.
        emoji: String,
    },
    /// How far a message has come.
    Status(MessageId),
    /// A conversation.
    History(HistoryQuery),
    /// Everything of theirs so far has been read.
    Read {
        /// With whom.
        who: String,
    },
}

/// How somebody stands, as a user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Our invite waits for them.
    Invited,
    /// Their invite waits for us.
    Inviting,
    /// We may write to each other.
    Accepted,
    /// We want nothing from them.
    Blocked,
}

/// Somebody known, as a user sees them.
#[derive(Clone, Debug)]
pub struct ContactView {
    /// What we call them.
    pub name: String,
    /// What they call themselves.
    pub display_name: String,
    /// Who they are.
    pub identity: PublicKey,
    /// Their node.
    pub peer: Peer,
    /// How we stand.
    pub relation: Relation,
    /// Whether the safety number was compared.
    pub verified: bool,
    /// Whether changed keys wait for confirmation.
    pub changed: bool,
    /// Messages of theirs not read.
    pub unread: u64,
    /// Messages of ours that wait.
    pub waiting: u64,
    /// Whether there is a connection now.
    pub online: bool,
    /// Since when they are known.
    pub since: Time,
}

/// An invite, as a user sees it.
#[derive(Clone, Debug)]
pub struct InviteView {
    /// What we call them.
    pub name: String,
    /// Who they are, where that is known yet.
    pub identity: Option<PublicKey>,
    /// Their node.
    pub peer: Peer,
    /// Whether it came from them.
    pub incoming: bool,
    /// What it says.
    pub text: String,
    /// Whether it came with a contact code.
    pub by_code: bool,
    /// Since when.
    pub since: Time,
    /// Whether it has reached the other side.
    pub delivered: bool,
    /// Why it can never arrive.
    pub failed: Option<String>,
}

/// How far an own message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits to be sent.
    Queued,
    /// It was sent, and is not acknowledged.
    Sent,
    /// It is on the other's disk.
    Delivered,
    /// The other has read it.
    Read,
    /// The other's node does not take it.
    Refused,
    /// It is the other's.
    Received,
}

/// A message, as a user sees it.
#[derive(Clone, Debug)]
pub struct MessageView {
    /// Its name.
    pub id: MessageId,
    /// With whom.
    pub who: String,
    /// Their identity.
    pub identity: PublicKey,
    /// Whether we wrote it.
    pub mine: bool,
    /// When its sender says it was written.
    pub time: Time,
    /// What it says now.
    pub text: String,
    /// Which message it answers.
    pub reply: Option<MessageId>,
    /// Whether it was changed.
    pub edited: bool,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Our reaction.
    pub my_reaction: Option<String>,
    /// Their reaction.
    pub their_reaction: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// Its place in the conversation.
    pub cursor: Cursor,
}

/// A page of history, oldest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The messages.
    pub messages: Vec<MessageView>,
    /// Where the page before this one ends, if there is one.
    pub before: Option<Cursor>,
}

/// A safety number to compare.
#[derive(Clone, Debug)]
pub struct SafetyView {
    /// With whom.
    pub name: String,
    /// Sixty digits.
    pub number: String,
    /// Whether it is compared and confirmed.
    pub verified: bool,
    /// Whether it is for new keys that are not yet confirmed.
    pub changed: bool,
}

/// What a command gives back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Own keys.
    Identity(Box<SignedKeySet>),
    /// A contact code.
    Code(Box<ContactCode>),
    /// Invites.
    Invites(Vec<InviteView>),
    /// One contact.
    Contact(Box<ContactView>),
    /// Contacts.
    Contacts(Vec<ContactView>),
    /// A safety number.
    Safety(SafetyView),
    /// An own message is stored and will be delivered.
    Queued(MessageId),
    /// How far a message has come.
    Status(Progress),
    /// A page of history.
    History(Page),
    /// What we call whom an invite is for.
    Inviting(String),
    /// Done.
    Done,
}

/// What a local user may subscribe to.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message was written, by us or by them.
    Message(Box<MessageView>),
    /// A message was edited, deleted or reacted to.
    Changed(Box<MessageView>),
    /// These own messages have come further.
    Progress {
        /// To whom.
        who: String,
        /// Which messages.
        ids: Vec<MessageId>,
        /// How far.
        progress: Progress,
    },
    /// Somebody invites us.
    Invite(Box<InviteView>),
    /// Somebody is now a contact.
    Accepted(Box<ContactView>),
    /// Somebody's keys have changed.
    KeysChanged(Box<ContactView>),
    /// An invite can never arrive.
    InviteFailed {
        /// What we call them.
        name: String,
        /// Why.
        why: String,
    },
}
