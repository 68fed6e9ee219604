//! The steps of the demonstration, in order.

use std::path::Path;

use serde_json::json;

use super::{
    Cast, DemoError, cast, check, forum, money,
    people::{
        befriended, code, history, invite, invited_by, progress, refused, send, send_many, until,
    },
};
use crate::{
    api::{
        msg::types::{MessageInfo, ProgressInfo, Safety},
        types::{Done, Keys},
    },
    cli::{Failure, print},
    local::Local,
};

/// Texts that Ann sends while Bob is away.
const AWAY: usize = 100;
/// Texts that Ann sends around the moment when Bob's node is killed.
const KILLED: usize = 200;

/// Prints each step as it succeeds, and counts them.
pub(super) struct Script(usize);

impl Script {
    pub(super) fn done(&mut self, text: &str) -> Result<(), Failure> {
        self.0 = self.0.saturating_add(1);
        print::line(&format!("{:>2}. {text}  ✓", self.0))
    }
}

/// Runs everything; gives the people, who still run, and the number of steps.
pub(super) async fn all(place: &Path) -> Result<(Cast, usize), Failure> {
    let mut script = Script(0);
    print::line(
        "Covey: three people, five validators, eight real nodes on this machine, no server.\n",
    )?;
    let mut cast = cast(place).await.map_err(wrong)?;
    script.done("Ann's, Bob's and Eve's nodes are running, on a network with four validators")?;
    meet(&cast, &mut script).await?;
    talk(&cast, &mut script).await?;
    stranger(&cast, &mut script).await?;
    away(&mut cast, &mut script).await?;
    killed(&mut cast, &mut script).await?;
    changed_keys(&cast, &mut script).await?;
    money::all(&mut cast, place, &mut script).await?;
    // At the end, since time passes in it.
    forum::all(&cast, &mut script).await?;
    Ok((cast, script.0))
}

fn wrong(error: impl Into<DemoError>) -> Failure {
    Failure::Checked(error.into().to_string())
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        wrong(error)
    }
}

impl From<crate::local::LocalError> for Failure {
    fn from(error: crate::local::LocalError) -> Self {
        wrong(error)
    }
}

async fn meet(cast: &Cast, script: &mut Script) -> Result<(), Failure> {
    let Cast { ann, bob, .. } = cast;
    let code = code(ann).await?;
    check(code.starts_with("covey:"), "a contact code begins with covey:")?;
    invite(bob, &code, "It is me, Bob from the choir").await?;
    let invited = invited_by(ann, "Bob").await?;
    check(invited.by_code && invited.text == "It is me, Bob from the choir", "Bob's invite")?;
    script.done("Bob invites Ann by her contact code; his invite reaches her encrypted")?;
    let _: serde_json::Value = ann.call("msg_accept", &json!({ "who": "Bob" })).await?;
    befriended(bob, "Ann").await?;
    script.done("Ann accepts: they are contacts")?;
    let numbers = (safety(ann, "bob", false).await?, safety(bob, "ann", false).await?);
    check(numbers.0.number == numbers.1.number, "both see the same safety number")?;
    let confirmed = safety(ann, "bob", true).await?;
    check(confirmed.verified, "Ann's confirmation holds")?;
    let begin: String = numbers.0.number.chars().take(17).collect();
    script.done(&format!("both see the same safety number ({begin} …); Ann confirms it"))
}

async fn safety(node: &Local, who: &str, confirm: bool) -> Result<Safety, Failure> {
    Ok(node.call("msg_verify", &json!({ "who": who, "confirm": confirm })).await?)
}

/// The ids and texts of a conversation, for comparing both sides.
fn gist(messages: &[MessageInfo]) -> Vec<(String, String, bool)> {
    messages
        .iter()
        .map(|message| (message.id.clone(), message.text.clone(), message.deleted))
        .collect()
}

async fn talk(cast: &Cast, script: &mut Script) -> Result<(), Failure> {
    let Cast { ann, bob, .. } = cast;
    let question = send(bob, "ann", "Shall we sing at the market on Saturday?").await?;
    until(ann, "bob", "Bob's question", |all| all.iter().any(|one| one.id == question)).await?;
    let reply = json!({ "who": "bob", "text": "Yes! At noon?", "reply": question });
    let answer: crate::api::msg::types::SendResult = ann.call("msg_send", &reply).await?;
    until(bob, "ann", "Ann's answer", |all| {
        all.iter().any(|one| one.id == answer.id && one.reply.as_ref() == Some(&question))
    })
    .await?;
    script.done("Bob asks, Ann answers; both are delivered, end-to-end encrypted")?;
    let edit = json!({ "id": answer.id, "text": "Yes! At eleven?" });
    let _: Done = ann.call("msg_edit", &edit).await?;
    let _: Done = bob.call("msg_react", &json!({ "id": answer.id, "emoji": "👍" })).await?;
    let oops = send(ann, "bob", "wrong window, sorry").await?;
    let _: Done = ann.call("msg_delete", &json!({ "id": oops })).await?;
    until(bob, "ann", "the edit and the deletion", |all| {
        all.iter().any(|one| one.edited && one.text == "Yes! At eleven?")
            && all.iter().any(|one| one.id == oops && one.deleted)
    })
    .await?;
    until(ann, "bob", "Bob's reaction", |all| {
        all.iter().any(|one| one.their_reaction.as_deref() == Some("👍"))
    })
    .await?;
    script.done("an edit, a reaction and a deletion show on both sides")?;
    let _: Done = ann.call("msg_read", &json!({ "who": "bob" })).await?;
    progress(bob, &question, ProgressInfo::Read).await?;
    same(ann, bob).await?;
    script.done("Bob sees that Ann has read it; history is the same on both sides")
}

async fn same(ann: &Local, bob: &Local) -> Result<(), Failure> {
    let sides = (history(ann, "bob").await?, history(bob, "ann").await?);
    Ok(check(gist(&sides.0) == gist(&sides.1), "history is the same on both sides")?)
}

async fn stranger(cast: &Cast, script: &mut Script) -> Result<(), Failure> {
    let Cast { ann, eve, .. } = cast;
    refused(eve, "msg_send", json!({ "who": "ann", "text": "hi" }), "unknown_contact").await?;
    let keys: Keys = ann.call("keys_show", &json!({})).await?;
    let addresses: crate::api::types::AddressesView = ann.call("net_addresses", &json!({})).await?;
    let address = addresses.listen.into_iter().next().unwrap_or(keys.peer_id);
    invite(eve, &address, "You have won a prize").await?;
    let knock = invited_by(ann, "Eve").await?;
    check(!knock.by_code, "Eve had no contact code")?;
    let _: Done = ann.call("msg_reject", &json!({ "who": "Eve" })).await?;
    refused(eve, "msg_send", json!({ "who": "ann", "text": "hi" }), "not_accepted").await?;
    let contacts: Vec<crate::api::msg::types::ContactInfo> =
        ann.call("msg_contacts", &json!({})).await?;
    check(contacts.len() == 1, "Ann knows nobody but Bob")?;
    script.done("Eve, a stranger, cannot write to Ann; her invite is rejected, silently")
}

async fn away(cast: &mut Cast, script: &mut Script) -> Result<(), Failure> {
    let Cast { ann, bob, .. } = cast;
    bob.stop().await?;
    let texts = (1..=AWAY).map(|number| format!("while you were away, {number}"));
    let ids = send_many(ann, "bob", texts).await?;
    bob.up().await?;
    until(bob, "ann", "everything that was sent meanwhile", |all| has_once(all, &ids)).await?;
    script.done(&format!(
        "Bob's node stops; Ann sends {AWAY} messages; all are there when he is back"
    ))
}

/// Whether each of these is there exactly once, in order.
fn has_once(messages: &[MessageInfo], ids: &[String]) -> bool {
    let found = messages.iter().map(|message| &message.id).filter(|id| ids.contains(id));
    found.eq(ids.iter())
}

async fn killed(cast: &mut Cast, script: &mut Script) -> Result<(), Failure> {
    let Cast { ann, bob, .. } = cast;
    let mut ids = Vec::new();
    let text = |number: usize| format!("whatever happens, {number}");
    ids.extend(send_many(ann, "bob", (1..=KILLED / 2).map(text)).await?);
    bob.kill().await?;
    ids.extend(send_many(ann, "bob", (KILLED / 2..KILLED).map(text)).await?);
    bob.up().await?;
    until(bob, "ann", "every message once", |all| has_once(all, &ids)).await?;
    same(ann, bob).await?;
    script.done(&format!(
        "Bob's node is killed among {KILLED} messages and restarted: none lost, none twice"
    ))
}

async fn changed_keys(cast: &Cast, script: &mut Script) -> Result<(), Failure> {
    let Cast { ann, bob, .. } = cast;
    let _: Keys = bob.call("keys_rotate", &json!({})).await?;
    let warned = |contacts: &Vec<crate::api::msg::types::ContactInfo>| {
        contacts.iter().any(|contact| contact.name == "Bob" && contact.keys_changed)
    };
    ann.wait("the warning about Bob's keys", "msg_contacts", &json!({}), warned).await?;
    refused(ann, "msg_send", json!({ "who": "bob", "text": "hi" }), "keys_changed").await?;
    safety(ann, "bob", true).await?;
    let id = send(ann, "bob", "I have compared your new number").await?;
    until(bob, "ann", "Ann's message under the new keys", |all| all.iter().any(|one| one.id == id))
        .await?;
    same(ann, bob).await?;
    script.done("Bob changes his keys: Ann is warned, and cannot write before she confirms them")
}
