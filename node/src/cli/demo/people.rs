//! What the people of the demonstration do, each a call or two.

use serde_json::json;

use super::{DemoError, check};
use crate::{
    api::msg::types::{
        CodeResult, ContactInfo, HistoryResult, InviteInfo, MessageInfo, ProgressInfo,
        RelationInfo, SendResult, StatusResult,
    },
    client::ClientError,
    local::{Local, LocalError},
};

pub(super) async fn code(node: &Local) -> Result<String, DemoError> {
    let code: CodeResult = node.call("msg_code", &json!({})).await?;
    Ok(code.code)
}

pub(super) async fn invite(node: &Local, target: &str, text: &str) -> Result<(), DemoError> {
    let params = json!({ "target": target, "text": text });
    let _: serde_json::Value = node.call("msg_invite", &params).await?;
    Ok(())
}

/// Waits for an invite from somebody.
pub(super) async fn invited_by(node: &Local, who: &str) -> Result<InviteInfo, DemoError> {
    let is = |invite: &InviteInfo| invite.incoming && invite.name == who;
    let what = format!("an invite from {who}");
    let wanted = |invites: &Vec<InviteInfo>| invites.iter().any(is);
    let invites = node.wait(&what, "msg_invites", &json!({}), wanted).await?;
    invites.into_iter().find(is).ok_or(DemoError::Wrong(what))
}

/// Waits until somebody is a contact.
pub(super) async fn befriended(node: &Local, who: &str) -> Result<(), DemoError> {
    let is =
        |contact: &ContactInfo| contact.name == who && contact.relation == RelationInfo::Accepted;
    let wanted = |contacts: &Vec<ContactInfo>| contacts.iter().any(is);
    node.wait(&format!("{who} as a contact"), "msg_contacts", &json!({}), wanted).await?;
    Ok(())
}

pub(super) async fn send(node: &Local, who: &str, text: &str) -> Result<String, DemoError> {
    let sent: SendResult = node.call("msg_send", &json!({ "who": who, "text": text })).await?;
    Ok(sent.id)
}

/// Sends many texts in one go; their ids.
pub(super) async fn send_many(
    node: &Local,
    who: &str,
    texts: impl Iterator<Item = String>,
) -> Result<Vec<String>, DemoError> {
    let params = texts.map(|text| json!({ "who": who, "text": text }));
    let sent: Vec<SendResult> = node.call_each("msg_send", params).await?;
    Ok(sent.into_iter().map(|sent| sent.id).collect())
}

/// The newest messages with somebody, oldest first.
pub(super) async fn history(node: &Local, who: &str) -> Result<Vec<MessageInfo>, DemoError> {
    let params = json!({ "who": who, "limit": 1000 });
    let page: HistoryResult = node.call("msg_history", &params).await?;
    Ok(page.messages)
}

/// Waits until a conversation's messages are as wanted.
pub(super) async fn until(
    node: &Local,
    who: &str,
    what: &str,
    wanted: impl Fn(&[MessageInfo]) -> bool,
) -> Result<Vec<MessageInfo>, DemoError> {
    let params = json!({ "who": who, "limit": 1000 });
    let page = node
        .wait(what, "msg_history", &params, |page: &HistoryResult| wanted(&page.messages))
        .await?;
    Ok(page.messages)
}

/// Waits until a message has come this far.
pub(super) async fn progress(
    node: &Local,
    id: &str,
    wanted: ProgressInfo,
) -> Result<(), DemoError> {
    let what = format!("a message to be {wanted:?}");
    let is = |status: &StatusResult| status.progress == wanted;
    node.wait(&what, "msg_status", &json!({ "id": id }), is).await?;
    Ok(())
}

/// Makes sure that a call is refused for this reason.
pub(super) async fn refused(
    node: &Local,
    method: &str,
    params: serde_json::Value,
    name: &str,
) -> Result<String, DemoError> {
    match node.call::<serde_json::Value>(method, &params).await {
        Err(LocalError::Client(ClientError::Server(error))) => {
            let why = error.name().unwrap_or_default().to_owned();
            check(why == name, format!("{method} is refused as {name}, not as {why}"))?;
            Ok(error.message)
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err(DemoError::Wrong(format!("{method} is refused"))),
    }
}
