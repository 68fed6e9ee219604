//! Replacing validators.

use std::sync::Arc;

use covey_kernel::{Address, Bounded, Bytes, Hash, NetworkId, Text};
use covey_ledger::{
    Configuration, Member,
    limits::{ADDRESSES, NAME_BYTES},
    validator::{Command, ProposalView, Reply},
};
use libp2p::Multiaddr;

use super::{
    about, call,
    types::{ApproveParams, ConfigurationInfo, EntryParams, ProposalInfo, Proposed},
    unexpected,
};
use crate::{
    api::pay::ledger,
    ledger::{ConfigurationFile, DraftError, DraftFile, MemberFile},
    node::State,
    rpc::{NoParams, Registry, RpcError, codes},
};

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(
            about(
                "validator_entry",
                "Makes this node's entry for the next epoch, with a voting key that is made for it; the same again until that epoch begins.",
            ),
            entry,
        )
        .method(about("validator_configuration", "Tells who validates now."), configuration)
        .method(
            about(
                "validator_propose",
                "Proposes who is to validate next, as governance has signed it.",
            ),
            propose,
        )
        .method(
            about("validator_approve", "Agrees to a proposal in this validator's name."),
            approve,
        )
        .method(
            about("validator_proposals", "Lists the proposals of who is to validate next."),
            proposals,
        );
}

async fn newest(state: &State) -> Result<Configuration, RpcError> {
    match call(state, Command::Configuration).await? {
        Reply::Configuration(configuration) => Ok(*configuration),
        _ => Err(unexpected()),
    }
}

fn network(state: &State) -> Result<NetworkId, RpcError> {
    Ok(ledger(state)?.network.id)
}

async fn configuration(state: Arc<State>, _: NoParams) -> Result<ConfigurationInfo, RpcError> {
    let (network, newest) = (network(&state)?, newest(&state).await?);
    Ok(ConfigurationInfo {
        network: network.to_string(),
        id: newest.id(&network).to_string(),
        configuration: ConfigurationFile::of(&newest),
    })
}

async fn entry(state: Arc<State>, params: EntryParams) -> Result<MemberFile, RpcError> {
    let newest = newest(&state).await?;
    let me = state.peer;
    let now = newest.members.iter().find(|member| member.peer == me);
    let name = match (params.name, now) {
        (Some(name), _) => Text::<NAME_BYTES>::new(name).map_err(invalid)?,
        (None, Some(now)) => now.name.clone(),
        (None, None) => return Err(codes::NO_ENTRY.into()),
    };
    let addresses = match (params.addresses, now) {
        (Some(addresses), _) => parse(&addresses)?,
        (None, Some(now)) => now.addresses.clone(),
        (None, None) => return Err(codes::NO_ENTRY.into()),
    };
    match call(&state, Command::Join { name, addresses }).await? {
        Reply::Member(member) => Ok(MemberFile::of(&member)),
        _ => Err(unexpected()),
    }
}

fn invalid(why: impl ToString) -> RpcError {
    RpcError::new(codes::INVALID_PARAMS, why.to_string())
}

fn parse(addresses: &[String]) -> Result<Bounded<Address, ADDRESSES>, RpcError> {
    let parsed = addresses.iter().map(|text| {
        let address: Multiaddr = text.parse().map_err(invalid)?;
        Bytes::new(address.to_vec()).map_err(invalid)
    });
    Bounded::new(parsed.collect::<Result<_, RpcError>>()?).map_err(invalid)
}

async fn propose(state: Arc<State>, file: DraftFile) -> Result<Proposed, RpcError> {
    let bad = |error: DraftError| RpcError::new(codes::BAD_DRAFT, error.to_string());
    let draft = file.draft().map_err(bad)?;
    if draft.network != network(&state)? {
        let why = format!("the draft is of network {}, and this node is on another", draft.network);
        return Err(RpcError::new(codes::BAD_DRAFT, why));
    }
    proposed(call(&state, Command::Propose(Box::new(draft.proposal))).await?)
}

fn proposed(reply: Reply) -> Result<Proposed, RpcError> {
    match reply {
        Reply::Proposed(id) => Ok(Proposed { id: id.to_string() }),
        _ => Err(unexpected()),
    }
}

async fn approve(state: Arc<State>, params: ApproveParams) -> Result<Proposed, RpcError> {
    let id: Hash = params.id.trim().parse().map_err(|_| RpcError::from(codes::NO_PROPOSAL))?;
    proposed(call(&state, Command::Approve(id)).await?)
}

async fn proposals(state: Arc<State>, _: NoParams) -> Result<Vec<ProposalInfo>, RpcError> {
    let newest = newest(&state).await?;
    match call(&state, Command::Proposals).await? {
        Reply::Proposals(all) => Ok(all.into_iter().map(|one| proposal(&newest, one)).collect()),
        _ => Err(unexpected()),
    }
}

fn names(members: &[Member], places: &[u8]) -> Vec<String> {
    let members = places.iter().filter_map(|place| members.get(usize::from(*place)));
    members.map(|member| member.name.to_string()).collect()
}

fn proposal(newest: &Configuration, view: ProposalView) -> ProposalInfo {
    ProposalInfo {
        id: view.id.to_string(),
        accepted: names(&view.configuration.members, &view.accepted),
        configuration: ConfigurationFile::of(&view.configuration),
        approvals: view.approvals,
        acknowledged: names(&newest.members, &view.acknowledged),
        voted: names(&newest.members, &view.voted),
        needed: newest.quorum(),
        approved: view.approved,
    }
}
