//! The steps of the demonstration that are about a forum.

use covey_kernel::Keypair;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{Cast, DemoError, check, people::refused, steps::Script};
use crate::{
    api::{
        chains::types::{ChainView, Ids, Posted, Reps},
        types::{AddressesView, Now},
    },
    cli::Failure,
    local::Local,
};

const MARKET: &str = "#market";

/// A little more than a day, in milliseconds.
const DAY: u64 = 25 * 3_600_000;

/// Dislikes that revoke a post that nobody likes.
const REVOKE: usize = 5;

/// Somebody's keys in the forum. People make theirs with `covey crypto pubpvt`.
struct Author {
    public: String,
    private: String,
}

impl Author {
    fn new(number: u8) -> Self {
        let pair = Keypair::from_secret(&[number; 32]);
        let private = HEXLOWER.encode(pair.secret().as_ref());
        Self { public: pair.public().to_string(), private }
    }
}

pub(super) async fn all(cast: &Cast, script: &mut Script) -> Result<(), Failure> {
    let [ann, bob, eve] = [1, 2, 3].map(Author::new);
    begin(cast, &ann).await?;
    script.done("Ann begins the forum #market; Bob and Eve follow it and have her first post")?;
    let held = newcomer(cast, &eve).await?;
    script.done(
        "Eve's post is held: her neighbour Ann sees it waiting, nobody has it in the order",
    )?;
    like(cast, &held, &ann, &eve).await?;
    script.done("Ann likes it: it is admitted, and all three show the same order")?;
    a_day_later(cast, &ann, &eve).await?;
    script
        .done("a day later (the clocks are set) posts have earned: Ann has 29 reps, Eve has 2")?;
    let spam = dislike(cast, &ann, &bob, &eve).await?;
    for node in nodes(cast) {
        revoked(node, &spam).await?;
    }
    let again = post(&cast.eve, "Cheap coins, again!", &eve).await?;
    check(again.state == "held", "Eve has no reps left to post with")?;
    script.done("Eve spams; Bob has no reps to vote, Ann's 5 dislikes revoke the post everywhere")
}

fn nodes(cast: &Cast) -> [&Local; 3] {
    [&cast.ann, &cast.bob, &cast.eve]
}

async fn begin(cast: &Cast, ann: &Author) -> Result<(), DemoError> {
    for node in nodes(cast) {
        let _: ChainView = node.call("chains_join", &json!({ "chain": MARKET })).await?;
    }
    let first = post(&cast.ann, "Welcome to the market", ann).await?;
    check(first.state == "placed", "the first post is placed")?;
    let addresses: AddressesView = cast.ann.call("net_addresses", &json!({})).await?;
    let address = addresses.listen.into_iter().next();
    let address = address.ok_or_else(|| DemoError::Wrong("Ann listens somewhere".into()))?;
    for node in [&cast.bob, &cast.eve] {
        let recv = json!({ "chain": MARKET, "peer": address, "direction": "recv" });
        let _: Value = node.call("chains_sync", &recv).await?;
    }
    same_order(cast, 1).await
}

async fn post(node: &Local, text: &str, by: &Author) -> Result<Posted, DemoError> {
    let params = json!({ "chain": MARKET, "text": text, "sign": by.private });
    Ok(node.call("chains_post", &params).await?)
}

/// Waits until all have so many blocks beside the genesis, and makes sure that they show one order.
async fn same_order(cast: &Cast, blocks: u64) -> Result<(), DemoError> {
    let params = json!({ "chain": MARKET });
    let all = |ids: &Ids| ids.total == blocks.saturating_add(1);
    let mut orders = Vec::new();
    for node in nodes(cast) {
        let what = format!("{blocks} blocks in the forum of {}", node.name);
        orders.push(node.wait(&what, "chains_order", &params, all).await?.ids);
    }
    orders.dedup();
    check(orders.len() == 1, "all three show the same order")
}

async fn newcomer(cast: &Cast, eve: &Author) -> Result<String, DemoError> {
    let posted = post(&cast.eve, "I have lemons", eve).await?;
    check(posted.state == "held", "a newcomer's post is held")?;
    let waiting = |ids: &Ids| ids.ids.contains(&posted.id);
    let heads = json!({ "chain": MARKET, "which": "held" });
    cast.ann.wait("Eve's post among Ann's held ones", "chains_heads", &heads, waiting).await?;
    same_order(cast, 1).await?;
    Ok(posted.id)
}

async fn like(cast: &Cast, held: &str, ann: &Author, eve: &Author) -> Result<(), DemoError> {
    vote(&cast.ann, held, true, ann).await?;
    same_order(cast, 3).await?;
    has_reps(cast, ann, 28).await?;
    has_reps(cast, eve, 0).await
}

async fn vote(node: &Local, id: &str, like: bool, by: &Author) -> Result<(), DemoError> {
    let params = json!({ "chain": MARKET, "id": id, "like": like, "sign": by.private });
    let _: Posted = node.call("chains_vote", &params).await?;
    Ok(())
}

/// All three say the same of somebody's reps.
async fn has_reps(cast: &Cast, author: &Author, wanted: i64) -> Result<(), DemoError> {
    let params = json!({ "chain": MARKET, "of": author.public });
    for node in nodes(cast) {
        let Reps { reps } = node.call("chains_reps", &params).await?;
        check(reps == wanted, format!("{wanted} reps, not {reps}, as {} sees it", node.name))?;
    }
    Ok(())
}

async fn a_day_later(cast: &Cast, ann: &Author, eve: &Author) -> Result<(), DemoError> {
    let Now { now } = cast.ann.call("node_now", &json!({})).await?;
    for node in nodes(cast) {
        let later = json!({ "set": now.saturating_add(DAY) });
        let _: Now = node.call("node_now", &later).await?;
    }
    // Ann's 30 less the like; the like, and the post that is no longer young.
    has_reps(cast, ann, 29).await?;
    has_reps(cast, eve, 2).await
}

/// Eve uses what she has earned; the id of her post.
async fn dislike(
    cast: &Cast,
    ann: &Author,
    bob: &Author,
    eve: &Author,
) -> Result<String, DemoError> {
    let spam = post(&cast.eve, "Cheap coins!", eve).await?;
    check(spam.state == "placed", "Eve has reps to post with")?;
    same_order(cast, 4).await?;
    let vain = json!({ "chain": MARKET, "id": spam.id, "like": false, "sign": bob.private });
    refused(&cast.bob, "chains_vote", vain, "no_reps").await?;
    for _ in 0..REVOKE {
        let payload = json!({ "chain": MARKET, "id": spam.id });
        let _: Value = cast.bob.call("chains_payload", &payload).await?;
        vote(&cast.ann, &spam.id, false, ann).await?;
    }
    same_order(cast, 9).await?;
    Ok(spam.id)
}

async fn revoked(node: &Local, id: &str) -> Result<(), DemoError> {
    let payload = json!({ "chain": MARKET, "id": id });
    refused(node, "chains_payload", payload, "revoked").await?;
    Ok(())
}
