//! Replacing validators, by the commands that their operators use.

use std::path::{Path, PathBuf};

use covey::api::validator::types::{ProposalInfo, ValidatorStatus};
use serde_json::json;

use super::{Node, town::Town, until};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

impl Town {
    /// The entry of a node for the next epoch, as a file.
    pub async fn entry(&self, node: &Node, name: &str) -> PathBuf {
        let file = node.home().scratch("entry");
        let at = format!("127.0.0.1:{}", node.home().port());
        let out = text(&file);
        node.ok(&["validator", "reconfigure", "entry", "--name", name, "--at", &at, "--out", out])
            .await;
        file
    }

    /// A draft of the next epoch that so many keys of governance have signed.
    pub async fn draft(&self, by: &Node, entries: &[PathBuf], signatures: usize) -> PathBuf {
        let file = self.files().join(format!("next-{}.json", rand::random::<u64>()));
        let mut arguments = vec!["validator", "reconfigure", "draft", "--out", text(&file)];
        arguments.extend(entries.iter().map(|entry| text(entry)));
        by.ok(&arguments).await;
        for number in 1..=signatures {
            let key = self.governance_file(number);
            let sign =
                ["validator", "reconfigure", "sign", text(&file), "--key", text(&key), "--yes"];
            by.ok(&sign).await;
        }
        file
    }

    /// Proposes a draft; its id.
    pub async fn propose(&self, by: &Node, draft: &Path) -> String {
        let proposed = by.json(&["validator", "reconfigure", "propose", text(draft)]).await;
        proposed["id"].as_str().expect("an id").to_owned()
    }
}

/// Agrees as a validator's operator, once it has heard of the proposal.
pub async fn approve(validator: &Node, id: &str) {
    until("the validator hears of the proposal", || async {
        let all: Vec<ProposalInfo> = validator.call("validator_proposals", json!({})).await;
        all.iter().any(|one| one.id == id)
    })
    .await;
    validator.ok(&["validator", "reconfigure", "approve", id]).await;
}

/// Waits until a validator votes in an epoch.
pub async fn votes_in(validator: &Node, epoch: u64) {
    until("the validator votes in the epoch", || async {
        let status: ValidatorStatus = validator.call("validator_status", json!({})).await;
        status.ready && status.epoch == epoch
    })
    .await;
}
