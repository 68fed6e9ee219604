use std::collections::BTreeSet;

use covey_chains::{
    BlockId, Name,
    command::{BlockInfo, ChainInfo, ChainStatus, Event, ForkInfo, Join, Selector, State, Which},
    genesis::{Genesis, Group, Owner, Rules},
    phrase::GroupKey,
};
use covey_kernel::{Hash, NetworkId, PublicKey};
use data_encoding::{HEXLOWER, HEXUPPER};

use super::types::{BlockView, ChainView, EventView, ForkView, JoinParams, StatusView, VoteView};
use crate::rpc::{Code, RpcError, codes};

fn refuse(code: Code) -> impl Fn(&dyn std::fmt::Display) -> RpcError {
    move |why| RpcError::new(code, why)
}

/// `#chat`, or `#chat@ID`.
pub(super) fn selector(text: &str) -> Result<Selector, RpcError> {
    let (name, id) = match text.starts_with('@') {
        true => (text, None),
        false => text.rsplit_once('@').map_or((text, None), |(name, id)| (name, Some(id))),
    };
    let name: Name = name.parse().map_err(|why| refuse(codes::BAD_CHAIN_NAME)(&why))?;
    let id = id.map(|id| id.split_once('_').map_or(id, |(_, hash)| hash).to_lowercase());
    Ok(Selector { name, id })
}

pub(super) fn block_id(text: &str) -> Result<BlockId, RpcError> {
    text.trim().parse().map_err(|why| refuse(codes::BAD_BLOCK_ID)(&why))
}

pub(super) fn block_ids(texts: &[String]) -> Result<Vec<BlockId>, RpcError> {
    texts.iter().map(|text| block_id(text)).collect()
}

pub(super) fn which(text: Option<&str>) -> Result<Which, RpcError> {
    match text {
        None | Some("placed") => Ok(Which::Placed),
        Some("held") => Ok(Which::Held),
        Some("blocked") => Ok(Which::Blocked),
        Some("forked") => Ok(Which::Forked),
        Some(other) => {
            let why = format!("{other:?} are no heads: placed, held, blocked or forked");
            Err(RpcError::new(codes::INVALID_PARAMS, why))
        }
    }
}

/// What to follow. Stretching a group's key takes a while and much memory.
pub(super) fn join(
    params: &JoinParams,
    pioneers: &BTreeSet<PublicKey>,
    network: NetworkId,
) -> Result<Join, RpcError> {
    let Selector { name, id } = selector(&params.chain)?;
    let has_first = matches!(name, Name::Forum(_))
        && params.keys.is_empty()
        && params.rules.as_deref() != Some("v10");
    if id.is_some() && !has_first {
        let why = "only a forum with the rules of the paper is followed by its first post";
        return Err(RpcError::new(codes::BAD_CHAIN_NAME, why).help("leave out what stands after @"));
    }
    let first = id.map(|id| first_post(&id)).transpose()?;
    match name {
        Name::Forum(name) => {
            let genesis = Genesis::forum(network, name, rules(params, pioneers)?);
            Ok(Join { genesis, first, key: None })
        }
        Name::Group(_) if params.rules.is_some() => {
            let why = "in a private group reps do not matter";
            Err(RpcError::new(codes::BAD_CHAIN_KEY, why).help("leave out --rules"))
        }
        Name::Group(name) => {
            let key = group_key(params)?;
            let stretched = key.stretched(&network, &name);
            let stretched = stretched.map_err(|why| refuse(codes::BAD_CHAIN_KEY)(&why))?;
            let genesis = Genesis::group(network, Group { name, stretched });
            Ok(Join { genesis, first: None, key: Some(key) })
        }
        Name::Identity { owner, only_owner } => {
            if !params.keys.is_empty() || params.rules.is_some() {
                let why = "the chain of an identity has no keys but its owner's";
                return Err(RpcError::new(codes::BAD_CHAIN_KEY, why));
            }
            let genesis = Genesis::identity(network, Owner { key: owner, only: only_owner });
            Ok(Join { genesis, first: None, key: None })
        }
    }
}

fn first_post(id: &str) -> Result<Hash, RpcError> {
    let bytes = HEXLOWER.decode(id.as_bytes()).ok();
    let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    hash.map(Hash::from_bytes).ok_or_else(|| {
        let why = "after @ stands the whole id of the first post, as in #chat@1_A5EF…";
        RpcError::new(codes::BAD_BLOCK_ID, why)
    })
}

fn group_key(params: &JoinParams) -> Result<GroupKey, RpcError> {
    let bad = |why: String| {
        RpcError::new(codes::BAD_CHAIN_KEY, why)
            .help("`covey crypto shared \"pass phrase\"` prints one")
    };
    match params.keys.as_slice() {
        [key] => key.parse().map_err(|why| bad(format!("{why}"))),
        [] => Err(bad("a private group has a shared key: give it".into())),
        _ => Err(bad("a private group has one shared key".into())),
    }
}

fn rules(params: &JoinParams, pioneers: &BTreeSet<PublicKey>) -> Result<Rules, RpcError> {
    let bad = refuse(codes::BAD_CHAIN_KEY);
    match params.rules.as_deref() {
        None | Some("paper") if pioneers.is_empty() => Ok(Rules::Paper(())),
        None | Some("v10") => Rules::v10(pioneers).map_err(|why| bad(&why)),
        Some("paper") => Err(bad(&"the rules of the paper know no pioneers: leave the keys out")),
        Some(other) => {
            let why = format!("{other:?} are no rules: paper or v10");
            Err(RpcError::new(codes::INVALID_PARAMS, why))
        }
    }
}

/// A public key as `crypto pubpvt` prints it.
pub(super) fn key(key: &PublicKey) -> String {
    HEXUPPER.encode(key.as_bytes())
}

pub(super) fn state(state: State) -> String {
    let name = match state {
        State::Placed(_) => "placed",
        State::Blocked => "blocked",
        State::Held => "held",
        State::Forked => "forked",
        State::Never(_) => "never",
    };
    name.into()
}

pub(super) fn chain(info: &ChainInfo) -> ChainView {
    ChainView {
        name: info.name.to_string(),
        genesis: info.genesis.to_string(),
        first: info.first.map(|first| first.to_string()),
        since: info.since.millis(),
    }
}

fn fork(fork: &ForkInfo) -> ForkView {
    let (first, since) = (fork.first.to_string(), fork.since.millis());
    let tips = fork.tips.iter().map(ToString::to_string).collect();
    ForkView { first, back: fork.back, since, tips }
}

pub(super) fn status(status: &ChainStatus) -> StatusView {
    StatusView {
        chain: chain(&status.info),
        placed: status.placed,
        blocked: status.blocked,
        held: status.held,
        missing: status.missing,
        kept: status.kept,
        room: status.room,
        frozen: status.frozen,
        forks: status.forks.iter().map(fork).collect(),
        order: status.order.to_string(),
    }
}

pub(super) fn block(info: &BlockInfo) -> BlockView {
    let signed = info.block.as_ref();
    let block = signed.map(|signed| &signed.block);
    let vote = block.and_then(|block| block.vote.as_ref());
    BlockView {
        id: info.id.to_string(),
        state: state(info.state),
        place: match info.state {
            State::Placed(place) => Some(place),
            _ => None,
        },
        time: block.map(|block| block.time.millis()),
        author: block.and_then(|block| block.author).map(|author| key(&author)),
        signature: signed
            .and_then(|signed| signed.signature)
            .map(|signature| HEXLOWER.encode(signature.as_bytes())),
        backs: block.map_or_else(Vec::new, |b| b.backs.iter().map(BlockId::to_string).collect()),
        vote: vote.map(|vote| VoteView { like: vote.like, target: vote.target.to_string() }),
        payload: block.map(|block| block.payload.hash.to_string()),
        size: block.map(|block| block.payload.size),
        sealed: block.is_some_and(|block| block.payload.sealed),
        likes: info.votes.likes,
        dislikes: info.votes.dislikes,
        revoked: info.revoked,
    }
}

pub(super) fn event(event: &Event) -> EventView {
    match event {
        Event::Block { chain: info, id, state: at } => {
            EventView::Block { chain: chain(info), id: id.to_string(), state: state(*at) }
        }
        Event::Chosen { chain: info, adopted, aside } => {
            EventView::Chosen { chain: chain(info), adopted: *adopted, aside: *aside }
        }
        Event::Joined(info) => EventView::Joined { chain: chain(info) },
        Event::Left(info) => EventView::Left { chain: chain(info) },
        Event::Begun(info) => EventView::Begun { chain: chain(info) },
    }
}
