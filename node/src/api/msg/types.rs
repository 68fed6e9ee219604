//! What the methods of `msg` take and give, in JSON. Times are milliseconds since 1970; ids
//! and keys are hexadecimal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Messages in a page of history, unless asked otherwise.
pub const DEFAULT_PAGE: usize = 50;

/// A contact.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Who {
    /// A contact's name, key, or an unambiguous beginning of one.
    pub who: String,
}

/// `msg_code`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct CodeParams {
    /// Good for one invite only.
    #[serde(default)]
    pub once: bool,
    /// Void all codes given out so far.
    #[serde(default)]
    pub reset: bool,
}

/// A contact code.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CodeResult {
    /// The `covey:` URI.
    pub code: String,
    /// Good for one invite only.
    pub once: bool,
    /// Until when it is good.
    pub expires: u64,
}

/// `msg_invite`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// A contact code, a peer id, or an address that ends in `/p2p/<peer id>`.
    pub target: String,
    /// What to call them; their own name if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// What to tell them, at most 1024 bytes.
    #[serde(default)]
    pub text: String,
}

/// An invite is stored, and on its way.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct InviteResult {
    /// What they are called until they answer.
    pub name: String,
}

/// An invite.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct InviteInfo {
    /// What they are called here.
    pub name: String,
    /// Who they are, where that is known yet.
    pub identity: Option<String>,
    /// Their node.
    pub peer_id: String,
    /// Whether it came from them.
    pub incoming: bool,
    /// What it says.
    pub text: String,
    /// Whether it came with a valid contact code.
    pub by_code: bool,
    /// Since when.
    pub since: u64,
    /// Whether it has reached the other side.
    pub delivered: bool,
    /// Why it can never arrive.
    pub failed: Option<String>,
}

/// `msg_accept`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Accept {
    /// Who has invited you.
    pub who: String,
    /// What to call them.
    #[serde(default)]
    pub name: Option<String>,
}

/// `msg_rename`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rename {
    /// Whom.
    pub who: String,
    /// The new name.
    pub name: String,
}

/// How somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RelationInfo {
    /// Your invite waits for them.
    Invited,
    /// Their invite waits for you.
    Inviting,
    /// You may write to each other.
    Accepted,
    /// You have blocked them.
    Blocked,
}

/// Somebody known.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ContactInfo {
    /// What they are called here.
    pub name: String,
    /// What they call themselves.
    pub display_name: String,
    /// Who they are.
    pub identity: String,
    /// Their node.
    pub peer_id: String,
    /// How they stand.
    pub relation: RelationInfo,
    /// Whether the safety number was compared.
    pub verified: bool,
    /// Whether changed keys wait for confirmation.
    pub keys_changed: bool,
    /// Messages of theirs not read.
    pub unread: u64,
    /// Contents of yours that wait to be delivered.
    pub waiting: u64,
    /// Whether there is a connection now.
    pub online: bool,
    /// Since when they are known.
    pub since: u64,
}

/// `msg_verify`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// With whom.
    pub who: String,
    /// Whether the number was compared; accepts changed keys too.
    #[serde(default)]
    pub confirm: bool,
}

/// A safety number.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Safety {
    /// With whom.
    pub name: String,
    /// Sixty digits in groups of five; both sides see the same.
    pub number: String,
    /// Whether it is confirmed.
    pub verified: bool,
    /// Whether it is for new keys that wait for confirmation.
    pub keys_changed: bool,
}

/// `msg_send`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Send {
    /// To whom.
    pub who: String,
    /// At most 32768 bytes.
    pub text: String,
    /// The id of the message that it answers.
    #[serde(default)]
    pub reply: Option<String>,
}

/// A message is stored, and on its way.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SendResult {
    /// Its id.
    pub id: String,
}

/// `msg_edit`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// Which message.
    pub id: String,
    /// What it says now.
    pub text: String,
}

/// `msg_delete`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// Which message.
    pub id: String,
}

/// `msg_react`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct React {
    /// To which message.
    pub id: String,
    /// With what; empty takes it back.
    pub emoji: String,
}

/// `msg_status`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StatusParams {
    /// Which message.
    pub id: String,
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProgressInfo {
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

/// How far a message has come.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StatusResult {
    /// Which message.
    pub id: String,
    /// How far.
    pub progress: ProgressInfo,
}

/// `msg_history`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// With whom.
    pub who: String,
    /// Only messages written since.
    #[serde(default)]
    pub since: Option<u64>,
    /// Only messages that contain this, whatever the case.
    #[serde(default)]
    pub search: Option<String>,
    /// At most so many, the newest; 50 if left out, 1000 at most.
    #[serde(default)]
    pub limit: Option<usize>,
    /// The cursor that the page after this one gave.
    #[serde(default)]
    pub before: Option<String>,
}

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MessageInfo {
    /// Its id, the same on both sides.
    pub id: String,
    /// With whom.
    pub who: String,
    /// Their identity.
    pub identity: String,
    /// Whether you wrote it.
    pub mine: bool,
    /// When its sender says it was written.
    pub time: u64,
    /// What it says now.
    pub text: String,
    /// The message that it answers.
    pub reply: Option<String>,
    /// Whether it was changed.
    pub edited: bool,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Your reaction.
    pub my_reaction: Option<String>,
    /// Their reaction.
    pub their_reaction: Option<String>,
    /// How far it has come.
    pub progress: ProgressInfo,
    /// Its place in the conversation.
    pub cursor: String,
}

/// A page of history.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HistoryResult {
    /// Oldest first.
    pub messages: Vec<MessageInfo>,
    /// For the page before this one, if there is one.
    pub before: Option<String>,
}

/// What `msg_subscribe` streams.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventInfo {
    /// A message was written, by you or by them.
    Message(MessageInfo),
    /// A message was edited, deleted or reacted to.
    Changed(MessageInfo),
    /// Own messages have come further.
    Progress {
        /// To whom.
        who: String,
        /// Which.
        ids: Vec<String>,
        /// How far.
        progress: ProgressInfo,
    },
    /// Somebody invites you.
    Invite(InviteInfo),
    /// Somebody is now a contact.
    Accepted(ContactInfo),
    /// Somebody's keys have changed.
    KeysChanged(ContactInfo),
    /// An invite can never arrive.
    InviteFailed {
        /// What they were to be called.
        name: String,
        /// Why.
        why: String,
    },
}
