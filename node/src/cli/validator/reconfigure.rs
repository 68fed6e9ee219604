//! `validator reconfigure`: who validates in the next epoch. Everybody who is to validate makes an entry;
//! somebody drafts the next epoch of them; enough of governance signs the draft; it is proposed, and the
//! present validators' operators agree.

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use covey_kernel::{Bounded, NetworkId, PublicKey};
use covey_ledger::{Governance, Member};
use serde_json::json;

use super::{Failure, Global, print};
use crate::{
    api::validator::types::{
        ApproveParams, ConfigurationInfo, EntryParams, ProposalInfo, Proposed,
    },
    client::Client,
    ledger::{
        self, ConfigurationFile, Draft, DraftError, DraftFile, GovernanceFile, MemberFile,
        governance_key, read_json,
    },
};

pub(super) const HELP: &str = "To replace v4 by v5, on a network of v1 to v4:
  covey init --data v5 --network genesis.json --candidate --port 4100     then: covey start --data v5
  covey validator reconfigure entry --data v5 --name v5 --at 192.0.2.5:4100 --out v5.entry
  covey validator reconfigure entry --data v1 --out v1.entry  and so for v2 and v3
  covey validator reconfigure draft --data v1 v1.entry v2.entry v3.entry v5.entry --out next.json
  covey validator reconfigure sign next.json --key governance-1.key   and so on, until enough have signed
  covey validator reconfigure propose --data v1 next.json
  covey validator reconfigure list --data v1                  at each validator: who comes, who goes
  covey validator reconfigure approve --data v1 ID            and so on, until three of four have
Once three have, the new validators copy what is locked, while payments go on; `list` says who is ready.
When all are, payments pause until what is still missing is taken over. Once `covey validator status` says of
the new ones that they vote, v4 may be stopped.";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Reconfigure {
    /// Write this node's entry for the next epoch, with a new voting key that never leaves the node
    Entry(Entry),
    /// Draft the next epoch: the validators whose entries are given, and no others
    Draft(DraftArgs),
    /// Sign a draft with a key of governance; needs no node
    Sign {
        /// The draft; the signature is added to it
        file: PathBuf,
        /// A governance-N.key, as `covey network new` wrote it
        #[arg(long, value_name = "KEYFILE")]
        key: PathBuf,
        /// Do not ask whether it is right
        #[arg(long)]
        yes: bool,
    },
    /// Propose a draft that enough of governance has signed; it spreads to all validators
    Propose {
        /// The draft
        file: PathBuf,
    },
    /// Agree to a proposal as a present validator's operator
    Approve {
        /// Its id, or the beginning of it
        id: String,
    },
    /// List proposals: who comes, who goes, who has agreed, and who is ready
    List,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Entry {
    /// What the validator is called [default: as now]
    #[arg(long)]
    name: Option<String>,
    /// Where others look for it: the port that its node listens on [default: as now]
    #[arg(long, value_name = "IP:PORT")]
    at: Option<SocketAddr>,
    /// Where to write the entry [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DraftArgs {
    /// The entries of all who are to validate
    #[arg(required = true, value_name = "ENTRY")]
    entries: Vec<PathBuf>,
    /// Where to write the draft, which must not exist yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A key of the governance to come, in hexadecimal; once for each [default: the present ones]
    #[arg(long, value_name = "KEY", requires = "threshold")]
    governor: Vec<PublicKey>,
    /// How many of them must sign
    #[arg(long, value_name = "N", requires = "governor")]
    threshold: Option<u8>,
}

pub(super) async fn run(global: &Global, reconfigure: Reconfigure) -> Result<(), Failure> {
    match reconfigure {
        Reconfigure::Entry(args) => entry(global, args).await,
        Reconfigure::Draft(args) => draft(global, args).await,
        Reconfigure::Sign { file, key, yes } => sign(global, &file, &key, yes),
        Reconfigure::Propose { file } => propose(global, &file).await,
        Reconfigure::Approve { id } => approve(global, &id).await,
        Reconfigure::List => list(global).await,
    }
}

fn checked<E: ToString>(error: E) -> Failure {
    Failure::Checked(error.to_string())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::io(format!("cannot write {}", path.display())))
}

async fn entry(global: &Global, args: Entry) -> Result<(), Failure> {
    let addresses = args.at.map(|at| ledger::addresses_at(at).map(|one| one.to_string()).into());
    let params = EntryParams { name: args.name, addresses };
    let made: MemberFile = global.client().await?.call("validator_entry", &params).await?;
    let mut text = serde_json::to_string_pretty(&made).map_err(checked)?;
    text.push('\n');
    let Some(out) = args.out else { return print::line(text.trim_end()) };
    write(&out, &text)?;
    print::either(global.json, &made, |made| {
        let name = print::one_line(&made.name);
        format!(
            "the entry of {name} is in {}: give it to whoever drafts the next epoch",
            out.display()
        )
    })
}

async fn present(client: &Client) -> Result<ConfigurationInfo, Failure> {
    Ok(client.call("validator_configuration", &json!({})).await?)
}

async fn draft(global: &Global, args: DraftArgs) -> Result<(), Failure> {
    let mut members = Vec::new();
    for path in &args.entries {
        let entry: MemberFile = read_json(path, "a validator's entry").map_err(checked)?;
        members.push(entry.member().map_err(checked)?);
    }
    let now = present(&global.client().await?).await?;
    let draft = args.draft(&now, members)?;
    if args.out.exists() {
        return Err(Failure::Checked(format!(
            "{} exists: choose another name",
            args.out.display()
        )));
    }
    write(&args.out, &draft.file().text())?;
    print::either(global.json, &draft.file(), |_| {
        let out = args.out.display();
        format!("{}\nWritten to {out}: have it signed by governance.", text_of(&draft))
    })
}

impl DraftArgs {
    fn draft(&self, now: &ConfigurationInfo, members: Vec<Member>) -> Result<Draft, Failure> {
        let network = now.network.parse::<NetworkId>().map_err(checked)?;
        let present = now.configuration.configuration().map_err(checked)?;
        let governance = self.threshold.map(|threshold| {
            let keys = Bounded::new(self.governor.clone()).map_err(checked)?;
            Ok::<_, Failure>(Governance { threshold, keys })
        });
        Draft::after(network, present, members, governance.transpose()?).map_err(checked)
    }
}

fn read(path: &Path) -> Result<Draft, DraftError> {
    read_json::<DraftFile>(path, "a draft of the next validators")?.draft()
}

fn sign(global: &Global, path: &Path, key: &Path, yes: bool) -> Result<(), Failure> {
    let mut draft = read(path).map_err(checked)?;
    let key = governance_key(key).map_err(checked)?;
    let shown = text_of(&draft);
    if !yes {
        confirm(&shown)?;
    }
    let new = draft.sign(&key).map_err(checked)?;
    replace(path, &draft.file().text())?;
    print::either(global.json, &draft.file(), |_| {
        let done = if new { "Signed" } else { "This key had signed before" };
        let (found, needed) = (draft.proposal.approvals.len(), draft.present.governance.threshold);
        format!("{shown}\n{done}: {found} of {needed} that are needed.")
    })
}

/// Shows what would be signed, and asks.
fn confirm(shown: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{shown}\nnobody is there to confirm this: add --yes")));
    }
    let mut err = std::io::stderr().lock();
    let asked = write!(err, "{shown}\nSign this? [y/N] ").and_then(|()| err.flush());
    asked.map_err(Failure::io("cannot ask"))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Failure::io("cannot read the answer"))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Checked("nothing was signed".into())),
    }
}

/// Writes beside the file and then takes its place: the signatures on it are not to be lost.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension("json.new");
    write(&beside, text)?;
    let what = format!("cannot replace {}", path.display());
    std::fs::rename(&beside, path).map_err(Failure::io(what))
}

async fn propose(global: &Global, path: &Path) -> Result<(), Failure> {
    let draft = read(path).map_err(checked)?;
    let client = global.client().await?;
    let proposed: Proposed = client.call("validator_propose", &draft.file()).await?;
    print::either(global.json, &proposed, |proposed| {
        format!(
            "proposed {}\nEvery present validator's operator agrees with: covey validator reconfigure \
             approve {}",
            proposed.id,
            short(&proposed.id)
        )
    })
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

async fn proposals(client: &Client) -> Result<Vec<ProposalInfo>, Failure> {
    Ok(client.call("validator_proposals", &json!({})).await?)
}

async fn approve(global: &Global, id: &str) -> Result<(), Failure> {
    let client = global.client().await?;
    let mut all = proposals(&client).await?;
    all.retain(|one| one.id.starts_with(id));
    let [one] = all.as_slice() else {
        let why =
            if all.is_empty() { "no open proposal begins" } else { "several proposals begin" };
        return Err(Failure::Checked(format!(
            "{why} with {id} (enough may have agreed to it, or it \
             has not arrived here yet): see `covey validator status` and \
             `covey validator reconfigure list`"
        )));
    };
    let params = ApproveParams { id: one.id.clone() };
    let agreed: Proposed = client.call("validator_approve", &params).await?;
    print::either(global.json, &agreed, |agreed| {
        format!(
            "agreed to {}: this validator votes for it when {} have agreed, and all who are to validate \
             have copied what is locked (ready in `covey validator reconfigure list`)",
            short(&agreed.id),
            one.needed
        )
    })
}

async fn list(global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let (now, all) = (present(&client).await?, proposals(&client).await?);
    print::either(global.json, &all, |all| {
        if all.is_empty() {
            return format!("no proposal is open; the newest epoch is {}", now.configuration.epoch);
        }
        let all: Vec<String> = all.iter().map(|one| proposal_text(&now, one)).collect();
        all.join("\n")
    })
}

fn proposal_text(now: &ConfigurationInfo, one: &ProposalInfo) -> String {
    let next = &one.configuration;
    let told = |what: &str, names: &[String], of: usize| {
        let names: Vec<String> = names.iter().map(|name| print::one_line(name)).collect();
        let colon = if names.is_empty() { "" } else { ": " };
        format!("\n  {what:<11} {} of {of}{colon}{}", names.len(), names.join(", "))
    };
    let mut text = format!("{}  {}", short(&one.id), change(&now.configuration, next));
    text.push_str(&told("ready", &one.accepted, next.validators.len()));
    text.push_str(&told("agreed", &one.acknowledged, one.needed));
    text.push_str(&told("voted", &one.voted, one.needed));
    if !one.approved {
        text.push_str("\n  this validator's operator has not agreed");
    }
    text
}

fn text_of(draft: &Draft) -> String {
    let present = ConfigurationFile::of(&draft.present);
    change(&present, &ConfigurationFile::of(&draft.proposal.configuration))
}

/// Who decides next, who stays, goes and comes, and what changes of those who stay. Whoever drafted it
/// chose the names and addresses.
fn change(present: &ConfigurationFile, next: &ConfigurationFile) -> String {
    let same = |one: &MemberFile, all: &[MemberFile]| {
        all.iter().find(|other| other.peer == one.peer).cloned()
    };
    let names = |members: Vec<&MemberFile>| {
        let names: Vec<String> = members.iter().map(|one| print::one_line(&one.name)).collect();
        if names.is_empty() { "nobody".into() } else { names.join(", ") }
    };
    let (old, new) = (&present.validators, &next.validators);
    let mut text =
        format!("epoch {} after {}: {} validators", next.epoch, present.epoch, new.len());
    if present.governance != next.governance {
        text.push_str(&governance_text(&next.governance));
    }
    text.push_str(&format!(
        "\n  stay        {}\n  go          {}\n  come        {}",
        names(new.iter().filter(|one| same(one, old).is_some()).collect()),
        names(old.iter().filter(|one| same(one, new).is_none()).collect()),
        names(new.iter().filter(|one| same(one, old).is_none()).collect()),
    ));
    for one in new {
        match same(one, old) {
            None => text.push_str(&place_text(one)),
            Some(before) if before.name != one.name || before.addresses != one.addresses => {
                let (old, new) = (print::one_line(&before.name), print::one_line(&one.name));
                let named = if old == new { new } else { format!("{old}, now {new},") };
                text.push_str(&format!("\n  moves       {named}{}", place_text(one)));
            }
            Some(_) => {}
        }
    }
    text
}

fn place_text(one: &MemberFile) -> String {
    format!("\n              {}  {}", one.peer, print::one_line(&one.addresses.join(" ")))
}

fn governance_text(next: &GovernanceFile) -> String {
    format!(
        "\n  governance  CHANGES: {} of {} keys decide from then on\n              {}",
        next.threshold,
        next.keys.len(),
        next.keys.join("\n              ")
    )
}
