//! `chain NAME …`: reading a chain, posting, voting.

mod forum;
mod get;
mod post;

use clap::{Args, Subcommand};

use super::{Failure, Global, chains, print};
use crate::{
    api::chains::types::{
        Chain as Named, ChainView, ChooseParams, Chosen, ForkView, HeadsParams, Id, Ids,
        OrderParams, Posted, Reps, RepsParams, StatusView, VoteParams,
    },
    client::Client,
};

#[derive(Debug, Args)]
pub(super) struct Chain {
    /// The chain's name: #chat, $family, @KEY, or #chat@ID if there are several
    name: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Post, and print the block's id
    #[command(after_help = "Examples:
  covey chain \"#chat\" post inline \"Bom dia!\" --sign=96700A…
  covey chain \"#chat\" post file picture.jpg --sign=96700A…
  echo hello | covey chain \"#chat\" post - --sign=ann
  covey chain @B3F1… post inline \"for you alone\" --sign=ann --encrypt")]
    Post(post::Post),
    /// Print the id of the genesis
    Genesis,
    /// Print the blocks on which none builds
    Heads {
        /// placed, held (posts that wait for a like), blocked (left out of the order) or forked (left aside,
        /// as they contradict what is frozen)
        which: Option<String>,
    },
    /// Print the order of all blocks
    #[command(alias = "consensus")]
    Order,
    /// Print the blocks that are newer than some, in order
    #[command(after_help = "Example: covey chain \"#chat\" traverse all 0_10EE…")]
    Traverse {
        /// `all`, then the ids of blocks that are known
        ids: Vec<String>,
    },
    /// Print a block, its payload or a file that came with it
    #[command(after_help = "Examples:
  covey chain \"#chat\" get payload 1_A5EF…
  covey chain \"#chat\" get payload 1_A5EF… file picture.jpg
  covey chain @B3F1… get payload 7_80C2… --decrypt=ann
  covey chain \"#chat\" get attachment 1_A5EF… --name a.jpg file a.jpg")]
    Get(get::Get),
    /// Like a block, and print the vote's id
    Like(Vote),
    /// Dislike a block, and print the vote's id
    Dislike(Vote),
    /// Print the reps of a post or an author
    Reps {
        /// A block's id, a public key or a key's name
        of: String,
    },
    /// Print each new block's id as it comes
    Listen,
    /// Tell what is known of the chain
    Status,
    /// Follow another side of a hard fork; what contradicts it is left aside, and can be chosen again
    #[command(
        after_help = "Example: covey chain \"#chat\" choose 7_3E1A…, a block that `status` or `heads forked` names"
    )]
    Choose {
        /// A block of that side, best its last one: all that it builds on is taken as right
        id: String,
    },
    #[command(flatten)]
    Forum(forum::Forum),
}

#[derive(Debug, Args)]
struct Vote {
    /// The block
    id: String,
    /// The voter's private key, or its name
    #[arg(long, value_name = "KEY")]
    sign: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

pub(super) async fn run(global: &Global, chain: Chain) -> Result<(), Failure> {
    let client = global.client().await?;
    let Chain { name, what } = chain;
    match what {
        What::Post(post) => post::run(global, &client, name, post).await,
        What::Genesis => {
            let id: Id = client.call("chains_genesis", &Named { chain: name }).await?;
            print::either(global.json, &id.id, String::clone)
        }
        What::Heads { which } => {
            let params = HeadsParams { chain: name, which };
            let heads: Ids = client.call("chains_heads", &params).await?;
            list(global, &heads.ids)
        }
        What::Order => list(global, &all(&client, name, vec![]).await?),
        What::Traverse { ids } => {
            let ids = known(ids)?;
            list(global, &all(&client, name, ids).await?)
        }
        What::Get(get) => get::run(global, &client, name, get).await,
        What::Forum(forum) => forum::run(global, &client, name, forum).await,
        What::Like(vote) => cast(global, &client, name, vote, true).await,
        What::Dislike(vote) => cast(global, &client, name, vote, false).await,
        What::Reps { of } => {
            let reps: Reps = client.call("chains_reps", &RepsParams { chain: name, of }).await?;
            print::either(global.json, &reps.reps, i64::to_string)
        }
        What::Listen => {
            let chain: ChainView = client.call("chains_status", &Named { chain: name }).await?;
            chains::listen(global, Some(&chain)).await
        }
        What::Choose { id } => {
            let params = ChooseParams { chain: name.clone(), id };
            let chosen: Chosen = client.call("chains_choose", &params).await?;
            print::either(global.json, &chosen, |chosen| came_of(&name, chosen))
        }
        What::Status => {
            let named = Named { chain: name.clone() };
            let status: StatusView = client.call("chains_status", &named).await?;
            print::either(global.json, &status, |status| text(&name, status))
        }
    }
}

fn text(name: &str, status: &StatusView) -> String {
    let StatusView { chain, placed, blocked, held, missing, kept, room, frozen, forks, order } =
        status;
    let kept = format!("{} of {} MiB", kept.div_ceil(1 << 20), room / (1 << 20));
    let forks: String = forks.iter().map(|it| fork(name, it)).collect();
    let first = chain.first.as_deref().unwrap_or("-");
    format!(
        "name     {}\ngenesis  {}\nfirst    {first}\nplaced   {placed}\nblocked  {blocked}\n\
         held     {held}\nmissing  {missing}\nkept     {kept}\nfrozen   {frozen}\norder    {order}{forks}",
        chain.name, chain.genesis,
    )
}

fn fork(chain: &str, fork: &ForkView) -> String {
    let ForkView { first, back, since, tips } = fork;
    let since = print::time(*since);
    let follow = match tips.as_slice() {
        [] => format!("; its last blocks: covey chain {} heads forked", quoted(chain)),
        [tip] => format!("\n         to follow it: {}", choose(chain, tip)),
        tips => {
            let tips = tips.iter().map(|tip| format!("\n           {}", choose(chain, tip)));
            format!("\n         to follow it, one of:{}", tips.collect::<String>())
        }
    };
    format!(
        "\nFORK     another past is left aside: {first}, {back} places back, since {since}{follow}"
    )
}

fn came_of(chain: &str, chosen: &Chosen) -> String {
    let Chosen { adopted, aside, before } = chosen;
    match (adopted, aside) {
        (0, 0) => "nothing changes: it is on the side that is followed".to_owned(),
        (_, 0) => format!("{adopted} blocks adopted, none left aside"),
        _ => {
            let back = choose(chain, before);
            format!("{adopted} blocks adopted, {aside} left aside; to go back: {back}")
        }
    }
}

/// A command for the shell.
fn choose(chain: &str, id: &str) -> String {
    format!("covey chain {} choose {id}", quoted(chain))
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Ids on one line, as in the paper.
fn list(global: &Global, ids: &[String]) -> Result<(), Failure> {
    match global.json {
        true => print::json(&ids),
        false => print::line(&ids.join(" ")),
    }
}

/// The order from its beginning, part by part.
async fn all(client: &Client, chain: String, after: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut params = OrderParams { chain, after, ..OrderParams::default() };
    let mut found: Vec<String> = Vec::new();
    loop {
        params.skip = found.len() as u64;
        let part: Ids = client.call("chains_order", &params).await?;
        let ended = part.ids.is_empty();
        found.extend(part.ids);
        if ended || found.len() as u64 >= part.total {
            return Ok(found);
        }
    }
}

fn known(mut ids: Vec<String>) -> Result<Vec<String>, Failure> {
    if ids.first().is_some_and(|first| first == "all") {
        ids.remove(0);
    }
    if ids.is_empty() {
        let why = "name the blocks that are known, as in: traverse all 0_10EE…";
        return Err(Failure::Usage(why.into()));
    }
    Ok(ids)
}

/// The id; what is not in the order is said beside it, where a script does not read it.
fn print_posted(global: &Global, posted: &Posted) -> Result<(), Failure> {
    if posted.state == "held" {
        eprintln!("covey: the author has no reps here: the post waits for a like");
    }
    print::either(global.json, posted, |posted| posted.id.clone())
}

async fn cast(
    global: &Global,
    client: &Client,
    chain: String,
    vote: Vote,
    like: bool,
) -> Result<(), Failure> {
    let Vote { id, sign, why } = vote;
    let sign = sign.ok_or_else(|| {
        Failure::Checked("a vote must be signed: give --sign with your private key".into())
    })?;
    let params = VoteParams { chain, id, like, sign: sign.into(), why };
    let posted: Posted = client.call("chains_vote", &params).await?;
    print_posted(global, &posted)
}
