//! A chain as people read it.

use clap::Subcommand;

use super::{
    super::{Failure, Global, print},
    print_posted,
};
use crate::{
    api::{
        chains::types::{
            Authors, Chain, MuteParams, Posted, ProfileParams, ShowParams, ShownPage, ShownView,
        },
        types::Done,
    },
    client::Client,
};

#[derive(Debug, Subcommand)]
pub(super) enum Forum {
    /// Show posts with their authors, titles and votes
    Show {
        /// Only what came since `read`
        #[arg(long)]
        unread: bool,
        /// From this place of the order on
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Show the posts that say something
    Search {
        /// What they say, in whatever case
        text: String,
    },
    /// Mark everything that is there as read
    Read,
    /// Show an author's posts no longer; only on this node
    Mute {
        /// The author's public key, or a key's name; none: list who is muted
        author: Option<String>,
    },
    /// Show a muted author's posts again
    Unmute {
        /// The author's public key, or a key's name
        author: String,
    },
    /// Say how you want to be called
    Profile {
        /// Your name
        name: String,
        /// A few words
        #[arg(long, default_value = "")]
        about: String,
        /// Your private key, or its name
        #[arg(long, value_name = "KEY")]
        sign: String,
    },
}

pub(super) async fn run(
    global: &Global,
    client: &Client,
    chain: String,
    forum: Forum,
) -> Result<(), Failure> {
    match forum {
        Forum::Show { unread, from } => {
            show(global, client, ShowParams { chain, unread, from, ..ShowParams::default() }).await
        }
        Forum::Search { text } => {
            let search = Some(text);
            show(global, client, ShowParams { chain, search, ..ShowParams::default() }).await
        }
        Forum::Read => done(client.call("chains_read", &Chain { chain }).await?),
        Forum::Mute { author: Some(author) } => mute(client, chain, author, true).await,
        Forum::Unmute { author } => mute(client, chain, author, false).await,
        Forum::Mute { author: None } => {
            let muted: Authors = client.call("chains_muted", &Chain { chain }).await?;
            print::either(global.json, &muted.authors, |authors| authors.join("\n"))
        }
        Forum::Profile { name, about, sign } => {
            let params = ProfileParams { chain, name, about, sign: sign.into() };
            let posted: Posted = client.call("chains_profile", &params).await?;
            print_posted(global, &posted)
        }
    }
}

fn done(_: Done) -> Result<(), Failure> {
    Ok(())
}

async fn mute(client: &Client, chain: String, author: String, mute: bool) -> Result<(), Failure> {
    done(client.call("chains_mute", &MuteParams { chain, author, mute }).await?)
}

/// Part by part, as one part has its bound.
async fn show(global: &Global, client: &Client, mut params: ShowParams) -> Result<(), Failure> {
    loop {
        let page: ShownPage = client.call("chains_show", &params).await?;
        for post in &page.posts {
            match global.json {
                true => print::json(post)?,
                false => print::line(&text(post))?,
            }
        }
        match page.next {
            Some(next) => params.from = next,
            None => return Ok(()),
        }
    }
}

/// Characters of a key that are shown where a name is missing.
const SHORT: usize = 8;

fn text(post: &ShownView) -> String {
    let key = post.author.as_deref().map(|key| key.chars().take(SHORT).collect::<String>());
    let author = match (&post.name, key) {
        (Some(name), Some(key)) => format!("{} ({key})", print::one_line(name)),
        (None, Some(key)) => key,
        _ => "unsigned".into(),
    };
    let mut lines = vec![format!("{}  {author}  {}", print::time(post.time), post.id)];
    let indented = |text: &str| format!("    {}", print::safe(text).replace('\n', "\n    "));
    if let Some(vote) = &post.vote {
        let what = if vote.like { "likes" } else { "dislikes" };
        lines.push(format!("    {what} {}", vote.target));
    }
    if let Some(reply) = &post.reply {
        lines.push(format!("    answers {reply}"));
    }
    match post.payload.as_str() {
        "message" => {}
        "profile" => lines.push("    wants to be called:".into()),
        "sealed" => {
            lines.push("    (encrypted for one person: get payload ID --decrypt=KEY)".into());
        }
        other => lines.push(format!("    ({other})")),
    }
    lines.extend(post.title.iter().map(|title| format!("    * {}", print::one_line(title))));
    lines.extend((!post.body.is_empty()).then(|| indented(&post.body)));
    lines.extend(post.attachments.iter().map(|name| format!("    + {}", print::one_line(name))));
    if post.likes > 0 || post.dislikes > 0 {
        lines.push(format!(
            "    {}, {}",
            count(post.likes, "like"),
            count(post.dislikes, "dislike")
        ));
    }
    lines.join("\n")
}

fn count(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
