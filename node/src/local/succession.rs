//! Replacing validators of a network on this machine.

use covey_ledger::Member;
use serde_json::json;

use super::{Community, Local, LocalError};
use crate::{
    api::validator::types::{
        ConfigurationInfo, EntryParams, ProposalInfo, Proposed, ValidatorStatus,
    },
    ledger::{Draft, MemberFile, addresses_at, governance_key},
};

fn wrong(error: impl ToString) -> LocalError {
    LocalError::Network(error.to_string())
}

impl Community {
    /// Has the present validators agree that others, who run, validate from the next epoch on; which
    /// one that is.
    pub async fn succeed(&self, present: &[&Local], next: &[&Local]) -> Result<u64, LocalError> {
        let first = present.first().ok_or_else(|| wrong("no validator runs"))?;
        let now: ConfigurationInfo = first.call("validator_configuration", &json!({})).await?;
        let now = now.configuration.configuration().map_err(wrong)?;
        let network = &self.network().id;
        let mut members = Vec::new();
        for local in next {
            members.push(entry(local).await?);
        }
        let quorum = now.quorum();
        let needed = usize::from(now.governance.threshold);
        let mut draft = Draft::after(*network, now, members, None).map_err(wrong)?;
        let epoch = draft.proposal.configuration.epoch;
        for number in (1usize..).take(needed) {
            let key = governance_key(&self.governance_file(number)).map_err(wrong)?;
            draft.sign(&key).map_err(wrong)?;
        }
        let proposed: Proposed = first.call("validator_propose", &draft.file()).await?;
        for local in present {
            let known = |all: &Vec<ProposalInfo>| all.iter().any(|one| one.id == proposed.id);
            let what = format!("{} to hear of the proposal", local.name);
            local.wait(&what, "validator_proposals", &json!({}), known).await?;
        }
        // So many decide; the others need not be asked.
        for local in present.iter().take(quorum) {
            let _: Proposed =
                local.call("validator_approve", &json!({ "id": proposed.id })).await?;
        }
        Ok(epoch)
    }
}

/// The entry of a node that is to validate. Where it listens it knows itself.
async fn entry(local: &Local) -> Result<Member, LocalError> {
    let at = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, local.port));
    let addresses = addresses_at(at).map(|address| address.to_string()).to_vec();
    let params = EntryParams { name: Some(local.name.clone()), addresses: Some(addresses) };
    let entry: MemberFile = local.call("validator_entry", &params).await?;
    entry.member().map_err(wrong)
}

/// Waits until all vote in an epoch.
pub async fn vote_in(epoch: u64, validators: &[&Local]) -> Result<(), LocalError> {
    for validator in validators {
        let votes = |status: &ValidatorStatus| status.ready && status.epoch == epoch;
        let what = format!("{} to vote in epoch {epoch}", validator.name);
        validator.wait(&what, "validator_status", &json!({}), votes).await?;
    }
    Ok(())
}
