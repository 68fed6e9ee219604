//! `msg listen`: messages as they come.

use futures::StreamExt as _;

use super::{
    super::{Failure, Global, interrupt::interrupts, print},
    show,
};
use crate::{
    api::msg::types::EventInfo,
    client::{Client, Subscription},
};

pub(super) async fn run(global: &Global, client: &Client) -> Result<(), Failure> {
    let none = serde_json::json!({});
    let mut events: Subscription<EventInfo> = client.subscribe("msg_subscribe", &none).await?;
    let mut interrupts = interrupts()?;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = interrupts.recv() => return Ok(()),
        };
        let Some(event) = event else { return Ok(()) };
        show_event(global, &event?)?;
    }
}

/// As JSON: every event. As text: what a person wants to read.
fn show_event(global: &Global, event: &EventInfo) -> Result<(), Failure> {
    if global.json {
        return print::json(event);
    }
    let text = match event {
        EventInfo::Message(message) if message.mine => return Ok(()),
        EventInfo::Message(message) => show::message(message, false),
        EventInfo::Changed(message) => format!("changed: {}", show::message(message, false)),
        EventInfo::Invite(invite) => format!("invite {}", show::invite(invite)),
        EventInfo::Accepted(contact) => {
            format!("{} is now your contact", print::one_line(&contact.name))
        }
        EventInfo::KeysChanged(contact) => {
            let name = print::one_line(&contact.name);
            format!("WARNING: {name}'s keys have changed: covey msg verify {name}")
        }
        EventInfo::InviteFailed { name, why } => {
            format!("the invite to {} failed: {}", print::one_line(name), print::one_line(why))
        }
        EventInfo::Progress { .. } => return Ok(()),
    };
    print::line(&text)
}
