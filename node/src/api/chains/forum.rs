//! A chain as people read it.

use std::sync::Arc;

use covey_chains::{
    command::{Command, Post, Purge, Reply, Said, Show, Shown},
    envelope::{Content, Profile},
    limits::SHOWN,
};
use covey_kernel::{Hash, Text};

use super::{
    about, call, convert, posted,
    types::{
        Authors, Chain, MuteParams, Posted, ProfileParams, PurgeParams, Purged, ShowParams,
        ShownPage, ShownView, VoteView,
    },
    unexpected,
};
use crate::{
    api::{keys, types::Done},
    node::State,
    rpc::{Registry, RpcError, codes},
};

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(about("chains_show", "Gives posts, for a person to read."), show)
        .method(
            about("chains_read", "Marks everything that is there as read."),
            |state, Chain { chain }: Chain| async move {
                done(&state, Command::MarkRead(convert::selector(&chain)?)).await
            },
        )
        .method(
            about("chains_mute", "Shows an author's posts no longer, or again; only here."),
            |state, MuteParams { chain, author, mute }: MuteParams| async move {
                let chain = convert::selector(&chain)?;
                let author = keys::public(&state, &author).await?;
                done(&state, Command::Mute(chain, author, mute)).await
            },
        )
        .method(about("chains_muted", "Lists the authors that are muted."), muted)
        .method(about("chains_profile", "Says how an author wants to be called."), profile)
        .method(
            about("chains_purge", "Deletes a payload here, refuses it, never serves it again."),
            purge,
        );
}

async fn done(state: &State, command: Command) -> Result<Done, RpcError> {
    match call(state, command).await? {
        Reply::Done => Ok(Done {}),
        _ => Err(unexpected()),
    }
}

async fn show(state: Arc<State>, params: ShowParams) -> Result<ShownPage, RpcError> {
    let most = |limit: u64| usize::try_from(limit).unwrap_or(SHOWN);
    let show = Show {
        chain: convert::selector(&params.chain)?,
        from: params.from,
        limit: params.limit.map_or(SHOWN, most),
        search: params.search,
        unread: params.unread,
    };
    match call(&state, Command::Show(show)).await? {
        Reply::Shown(posts, next) => {
            Ok(ShownPage { posts: posts.into_iter().map(view).collect(), next })
        }
        _ => Err(unexpected()),
    }
}

fn view(shown: Shown) -> ShownView {
    let mut view = ShownView {
        id: shown.id.to_string(),
        place: shown.place,
        time: shown.time.millis(),
        author: shown.author.as_ref().map(convert::key),
        name: shown.name,
        vote: shown.vote.map(|vote| VoteView { like: vote.like, target: vote.target.to_string() }),
        payload: String::new(),
        title: None,
        reply: None,
        body: String::new(),
        attachments: Vec::new(),
        likes: shown.votes.likes,
        dislikes: shown.votes.dislikes,
        unread: shown.unread,
    };
    let payload = match shown.said {
        Said::Content(Content::Message(message)) => {
            view.title = message.title.map(Text::into_string);
            view.reply = message.reply.map(|id| id.to_string());
            view.body = String::from_utf8_lossy(&message.body).into_owned();
            view.attachments = message.attachments.iter().map(|a| a.name.to_string()).collect();
            "message"
        }
        Said::Content(Content::Profile(profile)) => {
            view.title = Some(profile.name.into_string());
            view.body = profile.about.into_string();
            "profile"
        }
        Said::Missing => "missing",
        Said::Revoked => "revoked",
        Said::Purged => "purged",
        Said::Sealed => "sealed",
    };
    view.payload = payload.into();
    view
}

async fn muted(state: Arc<State>, Chain { chain }: Chain) -> Result<Authors, RpcError> {
    match call(&state, Command::Muted(convert::selector(&chain)?)).await? {
        Reply::Authors(authors) => {
            Ok(Authors { authors: authors.iter().map(convert::key).collect() })
        }
        _ => Err(unexpected()),
    }
}

async fn profile(state: Arc<State>, params: ProfileParams) -> Result<Posted, RpcError> {
    let long = |what: &'static str| {
        move |long| RpcError::new(codes::PAYLOAD_TOO_LARGE, format!("{what}: {long}"))
    };
    let content = Content::Profile(Profile {
        name: Text::new(params.name).map_err(long("the name"))?,
        about: Text::new(params.about).map_err(long("the words"))?,
    });
    let chain = convert::selector(&params.chain)?;
    let sign = Some(keys::private(&state, &params.sign).await?);
    posted(&state, Post { chain, content, sign, vote: None, reader: None }).await
}

async fn purge(state: Arc<State>, params: PurgeParams) -> Result<Purged, RpcError> {
    let what = match params.what.trim().parse::<Hash>() {
        Ok(hash) => Purge::Payload(hash),
        Err(_) => Purge::Block(convert::block_id(&params.what)?),
    };
    match call(&state, Command::Purge(what)).await? {
        Reply::Purged(purged) => Ok(Purged { purged }),
        _ => Err(unexpected()),
    }
}
