//! What people do with their nodes.

use covey::api::msg::types::{
    CodeResult, ContactInfo, HistoryResult, InviteInfo, InviteResult, MessageInfo, RelationInfo,
    SendResult,
};
use serde_json::json;

use super::{Node, until, until_some};

/// Makes two people contacts by a contact code: `b` invites `a`, and they call each other so.
pub async fn befriend(a: &Node, a_name: &str, b: &Node, b_name: &str) {
    let code: CodeResult = a.call("msg_code", json!({})).await;
    let invite = json!({ "target": code.code, "name": a_name, "text": "hello" });
    let _: InviteResult = b.call("msg_invite", invite).await;
    let who = until_some("the invite arrives", || async {
        invites(a).await.into_iter().find(|invite| invite.incoming)?.identity
    })
    .await;
    let _: ContactInfo = a.call("msg_accept", json!({ "who": who, "name": b_name })).await;
    until("the invite is accepted", || async {
        contact(b, a_name).await.is_some_and(|a| a.relation == RelationInfo::Accepted)
    })
    .await;
}

/// Everybody known.
pub async fn contacts(node: &Node) -> Vec<ContactInfo> {
    node.call("msg_contacts", json!({})).await
}

/// Somebody by name.
pub async fn contact(node: &Node, name: &str) -> Option<ContactInfo> {
    contacts(node).await.into_iter().find(|contact| contact.name == name)
}

/// Invites in both directions.
pub async fn invites(node: &Node) -> Vec<InviteInfo> {
    node.call("msg_invites", json!({})).await
}

/// Sends a text; its id.
pub async fn send(node: &Node, who: &str, text: &str) -> String {
    let sent: SendResult = node.call("msg_send", json!({ "who": who, "text": text })).await;
    sent.id
}

/// The whole conversation, oldest first.
pub async fn history(node: &Node, who: &str) -> Vec<MessageInfo> {
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let query = json!({ "who": who, "limit": 500, "before": before });
        let page: HistoryResult = node.call("msg_history", query).await;
        pages.push(page.messages);
        before = page.before;
        if before.is_none() {
            return pages.into_iter().rev().flatten().collect();
        }
    }
}

/// What the conversation says, oldest first.
pub async fn texts(node: &Node, who: &str) -> Vec<String> {
    history(node, who).await.into_iter().map(|message| message.text).collect()
}

/// Waits until this text of theirs is among the newest messages.
pub async fn text_arrives(node: &Node, who: &str, text: &str) {
    until(&format!("{text:?} arrives"), || async {
        let query = json!({ "who": who, "limit": 20 });
        let page: HistoryResult = node.call("msg_history", query).await;
        page.messages.iter().any(|message| message.text == text && !message.mine)
    })
    .await;
}
