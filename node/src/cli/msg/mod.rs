//! `msg`: private messages.

mod listen;
mod show;

use std::io::Read as _;

use clap::Subcommand;
use covey_messaging::limits::TEXT_BYTES;
use serde_json::json;

use super::{Failure, Global, print};
use crate::{
    api::{
        msg::types::{
            Accept, CodeParams, CodeResult, ContactInfo, Delete, Edit, History, HistoryResult,
            Invite, InviteInfo, InviteResult, React, Rename, Safety, Send, SendResult,
            StatusParams, StatusResult, Verify, Who,
        },
        types::Done,
    },
    client::{Client, ClientError, ServerError},
    rpc::codes,
};

/// Bytes of a text that standard input is read for: enough to see that it is too long.
const STDIN_BYTES: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Msg {
    /// Print your contact code, for others to invite you
    #[command(after_help = "Example: covey msg code --qr")]
    Code {
        /// Also as a QR code
        #[arg(long)]
        qr: bool,
        /// Good for one invite only
        #[arg(long)]
        once: bool,
        /// Void all codes given out so far
        #[arg(long)]
        reset: bool,
    },
    /// Invite somebody to become your contact
    #[command(after_help = "Example: covey msg invite covey:… --as Ann --text 'It is me, Bob'")]
    Invite {
        /// A contact code, a peer id, or an address that ends in /p2p/<peer id>
        #[arg(value_name = "CODE|PEER")]
        target: String,
        /// What to call them
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// What to tell them
        #[arg(long, default_value = "")]
        text: String,
    },
    /// List invites in both directions
    Invites,
    /// Accept an invite
    #[command(after_help = "Example: covey msg accept bob")]
    Accept {
        /// Who has invited you
        who: String,
        /// What to call them
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
    /// Reject an invite, silently; or take back your own
    Reject {
        /// Whose
        who: String,
    },
    /// Want nothing more from somebody
    Block {
        /// From whom
        who: String,
    },
    /// Take a block back
    Unblock {
        /// Whose
        who: String,
    },
    /// List everybody you know
    Contacts,
    /// Call a contact something else
    Rename {
        /// Whom
        who: String,
        /// The new name
        name: String,
    },
    /// Show the safety number, to compare with the other's; --confirm when it is the same
    #[command(after_help = "Example: covey msg verify bob
Compare the digits by voice or in person, then: covey msg verify bob --confirm")]
    Verify {
        /// With whom
        who: String,
        /// The numbers are the same; accepts changed keys too
        #[arg(long)]
        confirm: bool,
        /// Also as a QR code
        #[arg(long)]
        qr: bool,
    },
    /// Send a text; prints the message's id
    #[command(after_help = "Example: covey msg send bob 'See you at six'
A text of - is read from standard input.")]
    Send {
        /// To whom
        who: String,
        /// The text, or - for standard input
        text: String,
        /// The id of the message that it answers
        #[arg(long, value_name = "ID")]
        reply: Option<String>,
    },
    /// Change a message of yours
    Edit {
        /// Its id
        id: String,
        /// What it says now
        text: String,
    },
    /// Delete a message of yours, on both sides
    Delete {
        /// Its id
        id: String,
    },
    /// React to a message; an empty emoji takes it back
    React {
        /// Its id
        id: String,
        /// With what
        emoji: String,
    },
    /// Tell how far a message has come
    Status {
        /// Its id
        id: String,
    },
    /// Show a conversation, and mark it as read
    #[command(after_help = "Example: covey msg history bob --search tomatoes --limit 20")]
    History(HistoryArgs),
    /// Show messages as they come, one a line, until Ctrl-C
    #[command(after_help = "Example: covey msg listen --json | jq .text")]
    Listen,
}

#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// With whom
    who: String,
    /// Only messages since then: 30m, 12h, 7d, or a date such as 2026-05-01
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only messages that contain this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// At most so many, the newest
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Also show the messages' ids
    #[arg(long)]
    ids: bool,
    /// Do not mark the conversation as read
    #[arg(long)]
    peek: bool,
}

pub(super) async fn run(global: &Global, msg: Msg) -> Result<(), Failure> {
    // What is typed wrong is told before a node is asked for.
    let since = match &msg {
        Msg::History(args) => args.since.as_deref().map(show::since).transpose()?,
        _ => None,
    };
    let client = global.client().await?;
    match msg {
        Msg::Code { qr, once, reset } => {
            code(global, &client, qr, CodeParams { once, reset }).await
        }
        Msg::Invite { target, name, text } => {
            invite(global, &client, Invite { target, name, text }).await
        }
        Msg::Invites => {
            let invites: Vec<InviteInfo> = client.call("msg_invites", &json!({})).await?;
            print::either(global.json, &invites, |invites| show::invites(invites))
        }
        Msg::Accept { who, name } => {
            let contact: ContactInfo = client.call("msg_accept", &Accept { who, name }).await?;
            print::either(global.json, &contact, |contact| {
                format!("{} is now your contact", print::one_line(&contact.name))
            })
        }
        Msg::Reject { who } => done(global, &client, "msg_reject", &Who { who }).await,
        Msg::Block { who } => done(global, &client, "msg_block", &Who { who }).await,
        Msg::Unblock { who } => done(global, &client, "msg_unblock", &Who { who }).await,
        Msg::Contacts => {
            let contacts: Vec<ContactInfo> = client.call("msg_contacts", &json!({})).await?;
            print::either(global.json, &contacts, |contacts| show::contacts(contacts))
        }
        Msg::Rename { who, name } => {
            done(global, &client, "msg_rename", &Rename { who, name }).await
        }
        Msg::Verify { who, confirm, qr } => verify(global, &client, who, confirm, qr).await,
        Msg::Send { who, text, reply } => {
            let text = text_or_stdin(text)?;
            let sent: SendResult = client.call("msg_send", &Send { who, text, reply }).await?;
            print::either(global.json, &sent, |sent| sent.id.clone())
        }
        Msg::Edit { id, text } => {
            done(global, &client, "msg_edit", &Edit { id, text: text_or_stdin(text)? }).await
        }
        Msg::Delete { id } => done(global, &client, "msg_delete", &Delete { id }).await,
        Msg::React { id, emoji } => done(global, &client, "msg_react", &React { id, emoji }).await,
        Msg::Status { id } => {
            let status: StatusResult = client.call("msg_status", &StatusParams { id }).await?;
            print::either(global.json, &status, |status| show::progress(status.progress).into())
        }
        Msg::History(args) => history(global, &client, args, since).await,
        Msg::Listen => listen::run(global, &client).await,
    }
}

async fn done<P: serde::Serialize>(
    global: &Global,
    client: &Client,
    method: &str,
    params: &P,
) -> Result<(), Failure> {
    let done: Done = client.call(method, params).await?;
    print::either(global.json, &done, |_| String::new())
}

async fn code(
    global: &Global,
    client: &Client,
    qr: bool,
    params: CodeParams,
) -> Result<(), Failure> {
    let code: CodeResult = client.call("msg_code", &params).await?;
    if global.json {
        return print::json(&code);
    }
    if qr {
        // In capitals a QR code is denser, and the code reads the same.
        print::line(&print::qr(&code.code.to_uppercase())?)?;
    }
    print::line(&code.code)
}

async fn invite(global: &Global, client: &Client, invite: Invite) -> Result<(), Failure> {
    let invited: InviteResult = client.call("msg_invite", &invite).await?;
    print::either(global.json, &invited, |invited| {
        let name = print::one_line(&invited.name);
        format!("invited {name}; `covey msg invites` shows when it has arrived")
    })
}

async fn verify(
    global: &Global,
    client: &Client,
    who: String,
    confirm: bool,
    qr: bool,
) -> Result<(), Failure> {
    let safety: Safety = client.call("msg_verify", &Verify { who, confirm }).await?;
    if qr && !global.json {
        print::line(&print::qr(&safety.number.replace(' ', ""))?)?;
    }
    print::either(global.json, &safety, show::safety)
}

async fn history(
    global: &Global,
    client: &Client,
    args: HistoryArgs,
    since: Option<u64>,
) -> Result<(), Failure> {
    let messages = pages(client, &args, since).await?;
    if global.json {
        for message in &messages {
            print::json(message)?;
        }
    } else {
        for message in &messages {
            print::line(&show::message(message, args.ids))?;
        }
    }
    if !args.peek {
        let _: Done = client.call("msg_read", &Who { who: args.who }).await?;
    }
    Ok(())
}

/// The newest messages that fit, however many pages they take.
async fn pages(
    client: &Client,
    args: &HistoryArgs,
    since: Option<u64>,
) -> Result<Vec<crate::api::msg::types::MessageInfo>, Failure> {
    let mut newest_first = Vec::new();
    let mut before = None;
    while newest_first.len() < args.limit {
        let query = History {
            who: args.who.clone(),
            since,
            search: args.search.clone(),
            limit: Some(args.limit.saturating_sub(newest_first.len()).min(200)),
            before,
        };
        let page: HistoryResult = client.call("msg_history", &query).await?;
        newest_first.extend(page.messages.into_iter().rev());
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    newest_first.reverse();
    Ok(newest_first)
}

/// A text of `-` is read from standard input, without its last line feed. One that is too long
/// is told before it is decoded: the end of what was read may be half a character.
fn text_or_stdin(text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let mut read = Vec::new();
    std::io::stdin()
        .take(STDIN_BYTES)
        .read_to_end(&mut read)
        .map_err(Failure::io("cannot read the text from standard input"))?;
    if read.last() == Some(&b'\n') {
        read.pop();
    }
    if read.len() > TEXT_BYTES {
        return Err(too_long(read.len()));
    }
    String::from_utf8(read)
        .map_err(|_| Failure::Checked("the text from standard input is not UTF-8".into()))
}

/// What the node would answer to a text of this many bytes.
fn too_long(bytes: usize) -> Failure {
    let code = codes::TEXT_TOO_LONG;
    Failure::Client(ClientError::Server(Box::new(ServerError {
        code: code.number,
        message: covey_messaging::Error::TextTooLong(bytes).to_string(),
        data: json!({ "name": code.name, "help": code.help }),
    })))
}
