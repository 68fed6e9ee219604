//! `chains_*`: forums, groups and identities.

mod contents;
mod convert;
mod errors;
mod forum;
mod peers;
pub mod types;
mod uploads;

use std::{collections::BTreeSet, sync::Arc};

use covey_chains::command::{Command, Of, Post, Reader, Reply};
use covey_kernel::Keypair;

use super::{call_error, keys};
use crate::{
    datadir::OWNER,
    node::State,
    rpc::{Method, NoParams, Registry, RpcError, Subscription, codes, from_broadcast},
};
pub use uploads::Uploads;

use types::{
    BlockParams, BlockView, Chain, ChainView, ChooseParams, Chosen, HeadsParams, Id, Ids,
    JoinParams, Left, OrderParams, PayloadParams, PayloadView, PostParams, Posted, Reps,
    RepsParams, StatusView, VoteParams,
};

/// Ids in one response, which also has a frame.
const IDS: u64 = 20_000;

async fn call(state: &State, command: Command) -> Result<Reply, RpcError> {
    state.chains.call(command).await.map_err(|error| call_error(error, errors::code))
}

/// A reply of another kind than its command's: a fault in the code.
fn unexpected() -> RpcError {
    codes::INTERNAL.into()
}

fn about(name: &'static str, summary: &'static str) -> Method {
    Method { name, summary, errors: errors::CODES }
}

pub(super) fn register(registry: &mut Registry<State>) {
    following(registry);
    reading(registry);
    registry
        .method(
            about("chains_upload", "Takes a part of what is too large to be posted at once."),
            uploads::upload,
        )
        .method(about("chains_post", "Posts to a chain."), post)
        .method(about("chains_vote", "Likes or dislikes a block."), vote);
    forum::register(registry);
    peers::register(registry);
    registry.subscription(
        Subscription {
            name: "chains_subscribe",
            unsubscribe: "chains_unsubscribe",
            notification: "chains_event",
            summary: "Streams blocks as they come, and which chains are followed.",
            errors: &[],
        },
        |state: Arc<State>, _: NoParams| async move {
            let events = state.chains.subscribe();
            Ok(from_broadcast(events, |event| Some(convert::event(&event))))
        },
    );
}

fn following(registry: &mut Registry<State>) {
    registry
        .method(about("chains_join", "Follows a chain."), join)
        .method(about("chains_leave", "Follows a chain no longer, and forgets it."), leave)
        .method(
            about("chains_list", "Lists the chains that are followed."),
            |state, _: NoParams| async move {
                match call(&state, Command::List).await? {
                    Reply::List(chains) => Ok(chains.iter().map(convert::chain).collect()),
                    _ => Err::<Vec<ChainView>, RpcError>(unexpected()),
                }
            },
        )
        .method(about("chains_status", "Tells what is known of a chain."), status)
        .method(
            about("chains_choose", "Follows the side of a hard fork on which a block is."),
            choose,
        );
}

fn reading(registry: &mut Registry<State>) {
    registry
        .method(
            about("chains_genesis", "Gives the id of a chain's genesis."),
            |state, Chain { chain }: Chain| async move {
                match call(&state, Command::Genesis(convert::selector(&chain)?)).await? {
                    Reply::Id(id) => Ok(Id { id: id.to_string() }),
                    _ => Err(unexpected()),
                }
            },
        )
        .method(about("chains_heads", "Lists the blocks on which none builds."), heads)
        .method(about("chains_order", "Gives the order of blocks, or a part of it."), order)
        .method(about("chains_block", "Gives a block, and where it stands."), block)
        .method(about("chains_payload", "Gives a block's payload, or a part of it."), payload)
        .method(about("chains_reps", "Tells the reps of a post or an author."), reps);
}

async fn join(state: Arc<State>, params: JoinParams) -> Result<ChainView, RpcError> {
    let network = state.network;
    let mut pioneers = BTreeSet::new();
    if params.chain.starts_with('#') {
        for key in &params.keys {
            pioneers.insert(keys::public(&state, key).await?);
        }
    }
    let join = move || convert::join(&params, &pioneers, network);
    let join = tokio::task::spawn_blocking(join).await;
    let join = join.map_err(|_| unexpected())??;
    match call(&state, Command::Join(Box::new(join))).await? {
        Reply::Joined(info) => Ok(convert::chain(&info)),
        _ => Err(unexpected()),
    }
}

async fn leave(state: Arc<State>, Chain { chain }: Chain) -> Result<Left, RpcError> {
    match call(&state, Command::Leave(convert::selector(&chain)?)).await? {
        Reply::Left(left) => Ok(Left { left }),
        _ => Err(unexpected()),
    }
}

async fn status(state: Arc<State>, Chain { chain }: Chain) -> Result<StatusView, RpcError> {
    match call(&state, Command::Status(convert::selector(&chain)?)).await? {
        Reply::Status(status) => Ok(convert::status(&status)),
        _ => Err(unexpected()),
    }
}

async fn choose(state: Arc<State>, params: ChooseParams) -> Result<Chosen, RpcError> {
    let id = convert::block_id(&params.id)?;
    match call(&state, Command::Choose(convert::selector(&params.chain)?, id)).await? {
        Reply::Chosen { adopted, aside, before } => {
            Ok(Chosen { adopted, aside, before: before.to_string() })
        }
        _ => Err(unexpected()),
    }
}

async fn heads(state: Arc<State>, params: HeadsParams) -> Result<Ids, RpcError> {
    let which = convert::which(params.which.as_deref())?;
    ids(call(&state, Command::Heads(convert::selector(&params.chain)?, which)).await?, 0, IDS)
}

async fn order(state: Arc<State>, params: OrderParams) -> Result<Ids, RpcError> {
    let chain = convert::selector(&params.chain)?;
    let after = convert::block_ids(&params.after)?;
    let command = match after.is_empty() {
        true => Command::Order(chain),
        false => Command::Traverse(chain, after),
    };
    ids(call(&state, command).await?, params.skip, params.limit.unwrap_or(IDS).min(IDS))
}

fn ids(reply: Reply, skip: u64, limit: u64) -> Result<Ids, RpcError> {
    let Reply::Ids(ids) = reply else { return Err(unexpected()) };
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let part = ids.iter().skip(size(skip)).take(size(limit));
    Ok(Ids { ids: part.map(ToString::to_string).collect(), total: ids.len() as u64 })
}

async fn block(state: Arc<State>, params: BlockParams) -> Result<BlockView, RpcError> {
    let chain = convert::selector(&params.chain)?;
    match call(&state, Command::Block(chain, convert::block_id(&params.id)?)).await? {
        Reply::Block(info) => Ok(convert::block(&info)),
        _ => Err(unexpected()),
    }
}

async fn payload(state: Arc<State>, params: PayloadParams) -> Result<PayloadView, RpcError> {
    let chain = convert::selector(&params.chain)?;
    let id = convert::block_id(&params.id)?;
    let key = private(&state, params.decrypt.as_deref()).await?;
    match call(&state, Command::Content(chain, id, key.map(Box::new))).await? {
        Reply::Content(content) => contents::view(*content, &params),
        _ => Err(unexpected()),
    }
}

async fn post(state: Arc<State>, params: PostParams) -> Result<Posted, RpcError> {
    let chain = convert::selector(&params.chain)?;
    let reader = match params.encrypt.as_deref() {
        None => None,
        Some(OWNER) => Some(Reader::Owner),
        Some(key) => Some(Reader::Key(keys::public(&state, key).await?)),
    };
    let sign = private(&state, params.sign.as_deref()).await?;
    // Uploads are used up by it, so all else is looked at before.
    let content = contents::message(&state.uploads, &params)?;
    posted(&state, Post { chain, content, sign, vote: None, reader }).await
}

async fn vote(state: Arc<State>, params: VoteParams) -> Result<Posted, RpcError> {
    let vote = Some((params.like, convert::block_id(&params.id)?));
    let content = contents::plain(params.why.unwrap_or_default().into_bytes())?;
    let chain = convert::selector(&params.chain)?;
    let sign = Some(keys::private(&state, &params.sign).await?);
    posted(&state, Post { chain, content, sign, vote, reader: None }).await
}

async fn private(state: &Arc<State>, key: Option<&str>) -> Result<Option<Keypair>, RpcError> {
    match key {
        Some(key) => keys::private(state, key).await.map(Some),
        None => Ok(None),
    }
}

async fn posted(state: &State, post: Post) -> Result<Posted, RpcError> {
    match call(state, Command::Post(Box::new(post))).await? {
        Reply::Posted(id, at) => Ok(Posted { id: id.to_string(), state: convert::state(at) }),
        _ => Err(unexpected()),
    }
}

async fn reps(state: Arc<State>, params: RepsParams) -> Result<Reps, RpcError> {
    let chain = convert::selector(&params.chain)?;
    // Neither a key nor a key's name has an underscore.
    let of = match params.of.contains('_') {
        true => Of::Block(convert::block_id(&params.of)?),
        false => Of::Author(keys::public(&state, &params.of).await?),
    };
    match call(&state, Command::Reps(chain, of)).await? {
        Reply::Reps(reps) => Ok(Reps { reps }),
        _ => Err(unexpected()),
    }
}
