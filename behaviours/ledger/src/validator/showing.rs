//! What an operator is shown.

use covey_kernel::{CommandId, Fault, Scan, Store, cbor};

use super::{
    Command, Cx, Delta, DoubleSpendView, ImportView, LockView, OtherView, ProposalView, Reply,
    SourceView, Stage, Status, Validator,
    heights::SEALED,
    layout,
    records::{self, DoubleSpend, Entry, Kept, Signed},
    reply,
};
use crate::{
    configuration::{Configuration, Member},
    error::Error,
    height::SignedHeight,
    output::Outpoint,
};

/// Locks, or attempts, shown at once at most.
const PAGE: usize = 1000;

impl Validator {
    pub(super) fn obey(
        &self,
        cx: &mut Cx<'_, '_>,
        id: CommandId,
        command: Command,
    ) -> Result<Delta, Error> {
        let answer = match command {
            Command::Propose(proposal) => return self.propose(cx, id, *proposal),
            Command::Approve(proposal) => return self.approve(cx, id, &proposal),
            Command::Join { name, addresses } => {
                let key = self.rules.node.public();
                let entry = Member { name, peer: key, vote: key, addresses };
                Reply::Member(Box::new(self.join(cx, entry)?))
            }
            Command::Proposals => Reply::Proposals(self.proposals()),
            Command::Configuration => {
                let newest: &Configuration = self.memory.network.newest();
                Reply::Configuration(Box::new(newest.clone()))
            }
            Command::Status => Reply::Status(Box::new(self.status(cx.view)?)),
            Command::Locks { limit, before } => {
                Reply::Locks(self.locks(cx.view, limit.min(PAGE), before)?)
            }
            Command::Evidence { limit, after } => {
                Reply::Evidence(self.attempts(cx.view, limit.min(PAGE), after)?)
            }
        };
        reply(cx, id, answer);
        Ok(Delta::default())
    }

    fn status(&self, store: &dyn Store) -> Result<Status, Fault> {
        let configuration = self.configuration();
        let memory = &self.memory;
        let term = memory.term.as_ref();
        let me = self.place().and_then(|place| configuration.members.get(place));
        let mut others = Vec::new();
        for (_, member) in self.others() {
            let height = records::read::<SignedHeight>(store, &layout::height(&member.vote))?;
            others.push(OtherView {
                name: member.name.clone(),
                connected: memory.online.contains(&member.peer),
                height: height.map(|height| height.height.next).filter(|next| *next != SEALED),
            });
        }
        let answered = match &memory.stage {
            Stage::Checking(answered) => answered.len(),
            _ => self.needed(),
        };
        Ok(Status {
            name: me.map(|me| me.name.clone()).unwrap_or_default(),
            epoch: memory.epoch(),
            newest: memory.network.newest().epoch,
            place: self.place(),
            members: configuration.members.len(),
            quorum: configuration.quorum(),
            vote: term.map(|term| term.key.public()),
            not_ready: memory.stage.not_ready(),
            answered,
            needed: self.needed(),
            locked: memory.next,
            set: term.map(|term| term.log.count()).unwrap_or_default(),
            import: self.import(store)?,
            others,
        })
    }

    fn import(&self, store: &dyn Store) -> Result<Option<ImportView>, Fault> {
        // Of several the one that it is in.
        let Some(epoch) = self.targets(store)?.first().copied() else { return Ok(None) };
        let before = epoch.checked_sub(1);
        let before = before.and_then(|before| self.memory.network.configuration(before));
        let Some(before) = before else { return Ok(None) };
        let mut sources = Vec::new();
        for (place, member) in (0u8..).zip(before.members.iter()) {
            let source = self.source(store, epoch, (place, &member.peer))?;
            sources.push(SourceView {
                name: member.name.clone(),
                listed: source.listed.count(),
                wanted: source.wanted,
                sealed: source.seal.map(|seal| seal.set.count),
                complete: source.is_complete(),
                lied: source.lied,
            });
        }
        Ok(Some(ImportView { epoch, needed: before.quorum(), sources }))
    }

    fn proposals(&self) -> Vec<ProposalView> {
        let all = self.memory.candidacies.iter();
        let all = all.map(|(id, Kept { candidacy, approved })| ProposalView {
            id: *id,
            configuration: candidacy.proposal.configuration.clone(),
            approvals: candidacy.proposal.approvals.len(),
            accepted: candidacy.proposal.acceptances.iter().map(|one| one.place).collect(),
            acknowledged: candidacy.acknowledgements.iter().map(|one| one.place).collect(),
            voted: candidacy.votes.iter().map(|one| one.place).collect(),
            approved: *approved,
        });
        all.collect()
    }

    /// What was locked, newest first.
    fn locks(
        &self,
        store: &dyn Store,
        limit: usize,
        before: Option<u64>,
    ) -> Result<Vec<LockView>, Fault> {
        let mut views = Vec::new();
        let before = before.unwrap_or(u64::MAX);
        let mut scan = Scan::prefix(layout::BALLOTS).backwards().limit(1);
        while views.len() < limit {
            let Some((key, bytes)) = store.scan(&scan)?.into_iter().next() else { break };
            scan = scan.before(&key);
            let first = layout::sequence(&key);
            let first = first.ok_or_else(|| Fault::Corrupt("a ballot's key".into()))?;
            if first >= before {
                continue;
            }
            let signed: Signed = cbor::decode_stored(&bytes)?;
            let numbered: Vec<_> = (first..before).zip(signed.transactions.iter()).collect();
            for (sequence, tx) in numbered.into_iter().rev().take(limit.saturating_sub(views.len()))
            {
                let entry: Entry = records::must(store, &layout::entry(tx))?;
                let inputs = entry.spend.body.inputs.to_vec();
                views.push(LockView { sequence, tx: *tx, inputs });
            }
        }
        Ok(views)
    }

    fn attempts(
        &self,
        store: &dyn Store,
        limit: usize,
        after: Option<Outpoint>,
    ) -> Result<Vec<DoubleSpendView>, Fault> {
        let mut scan = Scan::prefix(layout::EVIDENCE).limit(limit);
        if let Some(after) = &after {
            scan = scan.after(&layout::evidence(after));
        }
        let network = &self.rules.network.id;
        let found = store.scan(&scan)?.into_iter().map(|(_, bytes)| {
            let attempt: DoubleSpend = cbor::decode_stored(&bytes)?;
            Ok(DoubleSpendView {
                outpoint: attempt.first.outpoint,
                first: attempt.first.tx(network),
                second: attempt.second.id(network),
            })
        });
        found.collect()
    }
}
