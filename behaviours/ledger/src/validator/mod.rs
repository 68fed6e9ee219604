//! A validator: one of those who together make a payment final, and never promise a coin twice.

mod ahead;
mod check;
mod command;
mod earlier;
mod heights;
mod importing;
mod layout;
mod memory;
mod proposals;
mod pruning;
mod records;
mod restoring;
mod serving;
mod settling;
mod showing;
mod straggling;
mod succession;
mod term;
mod voting;

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{
    AskFailure, AskId, CommandId, Context, CryptoRng, Effect, Fault, Frames, Input, Keypair,
    Machine, Peer, RequestId, Scan, Store, Time, View,
};

use crate::{
    chain::Network,
    error::Error,
    genesis::Genesis,
    reason::Reason,
    vote::KnownBallots,
    wire::{FRAMES, FromValidator, NotReady, Request, ToValidator},
};
pub use check::{Answered, Checked, Shown};
pub use command::{
    Command, DoubleSpendView, Event, ImportView, LockView, OtherView, ProposalView, Reply,
    SourceView, Status,
};
use memory::{Change, Errand, Memory, Stage};

/// What never changes while a validator runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The network, as at the start: its later configurations are in the store.
    pub network: Network,
    /// The own node's key.
    pub node: Keypair,
    /// The voting key with which it was set up; none of a node that is to be a validator later.
    pub key: Option<Keypair>,
    /// How often the validator was started. It is kept beside the key, apart from the store, and raised
    /// after each start.
    pub starts: u64,
    /// Ballots that are known to be right.
    pub ballots: KnownBallots,
}

/// A validator as a machine.
pub struct Validator {
    rules: Rules,
    memory: Memory,
}

/// What a decision changes in memory.
#[derive(Debug, Default)]
pub struct Delta(Vec<Change>);

impl From<Change> for Delta {
    fn from(change: Change) -> Self {
        Self(vec![change])
    }
}

impl Delta {
    fn and(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }
}

/// What a decision works with.
pub(crate) type Cx<'a, 'v> = Context<'a, 'v, Validator>;

impl Machine for Validator {
    const NAME: &'static str = "validator";
    const FRAMES: Frames = FRAMES;

    type Command = Command;
    type Reply = Reply;
    type Event = Event;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = Delta;

    fn open(
        rules: Rules,
        _now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let network = rules.network.with_stored(view, layout::LINKS)?.into_owned();
        if view.get(layout::ME)?.is_none() {
            own_genesis(&rules, view);
        }
        let me = term::started(&rules, &network, view)?;
        let term = term::resumed(&rules, &network, &me, view)?;
        let next = next_sequence(view)?;
        // What was locked and is not listed would be missing in the lock set that it seals.
        if next > 0 && view.get(layout::LOGGED)?.is_none() {
            return Err(
                Fault::Corrupt("what this validator has locked is not listed".into()).into()
            );
        }
        let stage = match (&term, me.sealed) {
            // It was told once that it is behind, by its own word.
            (Some(term), _) if term::is_behind(term, next, view)? => Stage::Behind,
            (Some(_), _) => Stage::Checking(BTreeSet::new()),
            (None, true) => Stage::Sealed,
            (None, false) => Stage::Candidate,
        };
        let memory = Memory {
            starts: me.starts,
            network,
            term,
            stage,
            next,
            open: Vec::new(),
            waiting: Vec::new(),
            claims: Vec::new(),
            tell_at: None,
            online: BTreeSet::new(),
            asks: BTreeMap::new(),
            // Answers to questions of an earlier life must not be taken for ones to this one's.
            next_ask: rng.next_u64() >> 2,
            candidacies: proposals::stored(&rules.network.id, view)?,
            succession_at: None,
            import_at: None,
            settling: None,
            heard: BTreeSet::new(),
            tightened: BTreeMap::new(),
            passed: Default::default(),
            passed_over: Default::default(),
            pruning: Default::default(),
        };
        Ok(Self { rules, memory })
    }

    fn check(
        rules: &Rules,
        base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        check::check(rules, base, inputs)
    }

    fn decide(&self, cx: &mut Cx<'_, '_>, input: Checked) -> Result<Delta, Error> {
        match input {
            Checked::Start => self.start(cx),
            Checked::Wake => self.wake(cx),
            Checked::Command(id, command) => self.obey(cx, id, command),
            Checked::Spend(id, tx, spend) => self.spend(cx, id, tx, *spend),
            Checked::Refresh(id, refresh) => self.refresh(cx, id, &refresh),
            Checked::Repeated(id, vote) => {
                answer(cx, id, &FromValidator::Vote(*vote));
                Ok(Delta::default())
            }
            Checked::Conflict(id, both) => self.conflict(cx, id, both.0, both.1),
            Checked::Height(id, member, height) => self.heard_height(cx, id, member, height),
            Checked::MyHeight(id, member) => self.tell_them_theirs(cx, id, member),
            Checked::Claim(id, claim) => self.holdings(cx, id, &claim),
            Checked::Links(id, after) => Ok(self.tell_links(cx, id, after)),
            Checked::Link(id, link) => self.heard_link(cx, id, *link),
            Checked::Candidacy(id, candidacy) => self.heard_candidacy(cx, id, &candidacy),
            Checked::Ahead(from, id) => Ok(self.heard_ahead(cx, from, id)),
            Checked::Log(from, id, part) => self.tell_log(cx, from, id, part),
            Checked::Entries(from, id, ids) => self.tell_entries(cx, from, id, &ids),
            Checked::Answer(ask, outcome) => self.answered(cx, ask, outcome),
            Checked::Connected(peer) => self.connected(cx, peer),
            Checked::Disconnected(peer) => Ok(Change::Offline(peer).into()),
        }
    }

    fn apply(&mut self, delta: Delta) {
        for change in delta.0 {
            self.memory.apply(change);
        }
    }

    fn close(&self, cx: &mut Cx<'_, '_>) -> Result<Option<Delta>, Fault> {
        let mut delta = self.sign(cx)?;
        if self.memory.stage == Stage::Sealing {
            delta.get_or_insert_default().and(self.seal(cx)?);
        }
        Ok(delta)
    }

    fn refusal(error: &Error) -> Vec<u8> {
        let refusal = match error {
            Error::Invalid(reason) => FromValidator::Invalid(*reason),
            Error::NotReady(why) => FromValidator::NotReady(*why),
            Error::Configuration(_) => FromValidator::Invalid(Reason::Malformed),
            _ => FromValidator::NotReady(NotReady::NoValidator(())),
        };
        refusal.encode()
    }
}

/// Notes whose the outputs of the genesis are, as is noted of every transaction.
fn own_genesis(rules: &Rules, view: &mut View<'_>) {
    for (index, output) in (0u16..).zip(rules.network.genesis.outputs.iter()) {
        let outpoint = Genesis::outpoint(&rules.network.id, index);
        view.put(layout::owned(&output.address, &outpoint), Vec::new());
    }
}

/// The sequence number after the last one used. It goes on over epochs.
fn next_sequence(view: &View<'_>) -> Result<u64, Fault> {
    let last = view.scan(&Scan::prefix(layout::BALLOTS).backwards().limit(1))?;
    let Some((key, bytes)) = last.first() else { return Ok(0) };
    let first = layout::sequence(key).ok_or_else(|| Fault::Corrupt("a ballot's key".into()))?;
    let signed: records::Signed = covey_kernel::cbor::decode_stored(bytes)?;
    let count = u64::try_from(signed.transactions.len()).unwrap_or(u64::MAX);
    Ok(first.saturating_add(count))
}

fn answer(cx: &mut Cx<'_, '_>, to: RequestId, response: &FromValidator) {
    cx.effects.push(Effect::Answer { to, bytes: response.encode() });
}

fn reply(cx: &mut Cx<'_, '_>, to: CommandId, reply: Reply) {
    cx.effects.push(Effect::Reply { to, reply: Ok(reply) });
}

impl Validator {
    /// How often it has been started on this store, the present start included.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.memory.starts
    }

    /// The nodes with which lock sets and configurations are exchanged: the members of the epoch that
    /// this one is in, of the one before, and of all that follow or are proposed.
    fn partners(&self) -> BTreeSet<Peer> {
        let from = self.memory.epoch().saturating_sub(1);
        let known = self.memory.network.configurations();
        let known = known.take_while(|configuration| configuration.epoch >= from);
        let proposed = self.memory.candidacies.values();
        let proposed = proposed.map(|kept| &kept.candidacy.proposal.configuration);
        let members = known.chain(proposed).flat_map(|configuration| configuration.members.iter());
        let me = self.rules.node.public();
        members.map(|member| member.peer).filter(|peer| *peer != me).collect()
    }

    /// A peer has answered, or not.
    fn answered(
        &self,
        cx: &mut Cx<'_, '_>,
        ask: AskId,
        outcome: Result<Answered, AskFailure>,
    ) -> Result<Delta, Error> {
        let Some((peer, errand)) = self.memory.asks.get(&ask).cloned() else {
            return Ok(Delta::default());
        };
        let mut delta = Delta::from(Change::Answered(ask));
        // Whoever does not answer, or is not ready, is asked again in time.
        let Ok(answer) = outcome else { return Ok(delta) };
        match (errand, answer) {
            (Errand::MyHeight(epoch, place), Answered::Plain(FromValidator::Height(height)))
                if epoch == self.memory.epoch() =>
            {
                delta.and(self.told_mine(cx, place, height)?);
            }
            (Errand::Links, Answered::Links(links)) => {
                self.told_links(cx, &mut delta, peer, links)?;
            }
            (Errand::Log(epoch, place, from), Answered::Plain(FromValidator::Log(page))) => {
                self.told_log(cx, &mut delta, (epoch, place, from), *page)?;
            }
            (Errand::Entries(epoch, place, ids), Answered::Entries(entries)) => {
                self.told_entries(cx, &mut delta, (epoch, place, ids), entries)?;
            }
            _ => {}
        }
        Ok(delta)
    }

    /// Asks a peer something.
    fn ask(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        to: Peer,
        errand: Errand,
        request: ToValidator,
    ) {
        let asked = delta.0.iter().filter(|change| matches!(change, Change::Asked(..))).count();
        let number = u64::try_from(asked).unwrap_or(u64::MAX);
        let ask = AskId(self.memory.next_ask.saturating_add(number));
        cx.effects.push(Effect::Ask { to, ask, bytes: Request::Validator(request).encode() });
        delta.0.push(Change::Asked(ask, to, errand));
    }

    /// Whether there is a question on the way, as this decision sees it.
    fn is_asked(&self, delta: &Delta, peer: &Peer, is: impl Fn(&Errand) -> bool) -> bool {
        let now = delta.0.iter().any(
            |change| matches!(change, Change::Asked(_, to, errand) if to == peer && is(errand)),
        );
        let answered = |ask: &AskId| {
            delta.0.iter().any(|change| matches!(change, Change::Answered(one) if one == ask))
        };
        let mut before = self.memory.asks.iter();
        now || before.any(|(ask, (to, errand))| to == peer && is(errand) && !answered(ask))
    }
}
