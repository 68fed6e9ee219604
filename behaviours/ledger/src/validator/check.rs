//! Decoding, and everything that can be judged before anything is decided. What is answered from the
//! committed store is final: a lock never changes.

use std::collections::BTreeSet;

use covey_kernel::{
    AskFailure, AskId, CommandId, Fault, Input, Peer, PublicKey, RequestId, Store, verify_all,
};

use super::{
    Rules, Validator,
    command::Command,
    layout,
    records::{self, Entry, Lock, Me, Signed as SignedBallot},
};
use crate::{
    chain::Network,
    configuration::{Configuration, Member},
    error::Error,
    evidence::{Conflict, Evidence},
    height::SignedHeight,
    holdings::Claim,
    output::{Outpoint, TxId},
    proof::Proof,
    reason::Reason,
    reconfigure::{Candidacy, Link},
    seal::{LogFrom, Refresh},
    spend::{Judged, Spend},
    vote::{Signed, Vote},
    wire::{FromValidator, NotReady, Request, ToValidator},
};

/// An input that is decoded, within bounds and correctly signed.
#[derive(Debug)]
pub enum Checked {
    /// The node has started.
    Start,
    /// Time has passed.
    Wake,
    /// The operator wants something.
    Command(CommandId, Command),
    /// A valid transaction, unless something it spends has been locked meanwhile.
    Spend(RequestId, TxId, Box<Spend>),
    /// A transaction that was voted for before.
    Repeated(RequestId, Box<Vote>),
    /// A transaction that spends what is locked for another, signed by an owner of it.
    Conflict(RequestId, Box<(Conflict, Spend)>),
    /// A certificate of an earlier epoch, which is right.
    Refresh(RequestId, Box<Refresh>),
    /// A member tells how far it has come; with its voting key.
    Height(RequestId, PublicKey, SignedHeight),
    /// A member asks how far it had come with a voting key.
    MyHeight(RequestId, PublicKey),
    /// The owner of an address asks what is there.
    Claim(RequestId, Box<Claim>),
    /// Somebody asks for the configurations after an epoch.
    Links(RequestId, u64),
    /// The next configuration is certified.
    Link(RequestId, Box<Link>),
    /// What somebody knows of a proposal; all of it is right.
    Candidacy(RequestId, Box<Candidacy>),
    /// Somebody speaks of an epoch further on than is known.
    Ahead(Peer, RequestId),
    /// Somebody asks for a part of a lock set.
    Log(Peer, RequestId, LogFrom),
    /// Somebody asks for entries of a lock set.
    Entries(Peer, RequestId, Vec<TxId>),
    /// Somebody has answered, or not.
    Answer(AskId, Result<Answered, AskFailure>),
    /// A connection exists.
    Connected(Peer),
    /// No connection exists any more.
    Disconnected(Peer),
}

/// An answer, as far as it can be judged without knowing what was asked.
#[derive(Debug)]
pub enum Answered {
    /// One in which nothing is to be verified.
    Plain(FromValidator),
    /// Configurations; each follows the one before it.
    Links(Vec<Link>),
    /// Entries; none where one is not right.
    Entries(Vec<Option<Shown>>),
}

/// An entry of a lock set, judged as a request.
#[derive(Debug)]
pub struct Shown {
    pub(super) tx: TxId,
    pub(super) spend: Box<Spend>,
    /// The newest epoch of the certificates in it.
    pub(super) epochs: u64,
}

/// What all inputs are judged by.
struct Known<'k> {
    rules: &'k Rules,
    /// With all configurations that are stored.
    network: &'k Network,
    base: &'k dyn Store,
    /// The epoch that this validator is in; or why it is in none.
    epoch: Result<u64, NotReady>,
}

/// A request for a vote on its way through the checks.
struct Candidate {
    at: usize,
    id: RequestId,
    spend: Box<Spend>,
    judged: Judged,
}

/// Checks all inputs; the signatures of all requests for votes together.
pub(super) fn check(
    rules: &Rules,
    base: &dyn Store,
    inputs: Vec<Input<Validator>>,
) -> Vec<Result<Checked, Error>> {
    let known = records::must::<Me>(base, layout::ME)
        .and_then(|me| Ok((me, rules.network.as_stored(base, layout::LINKS)?)));
    let (me, network) = match known {
        Ok(known) => known,
        Err(fault) => return inputs.iter().map(|_| Err(fault.clone().into())).collect(),
    };
    let none = if me.sealed { NotReady::Sealed(()) } else { NotReady::NoValidator(()) };
    let epoch = me.term.map(|term| term.epoch).ok_or(none);
    let known = Known { rules, network: &network, base, epoch };
    let mut candidates = Vec::new();
    let mut checked = Vec::with_capacity(inputs.len());
    for input in inputs {
        let at = checked.len();
        let one = match decode(&known, input) {
            Ok(Decoded::Done(done)) => Ok(done),
            Ok(Decoded::Spend(id, spend)) => match first_look(&known, id, *spend) {
                Ok(Look::Answered(answer)) => Ok(answer),
                Ok(Look::New(spend, judged)) => {
                    candidates.push(Candidate { at, id, spend, judged });
                    // Stands until the signatures are verified.
                    Err(Reason::OwnerSignature.into())
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        checked.push(one);
    }
    for (at, verdict) in verify(rules, candidates) {
        if let Some(place) = checked.get_mut(at) {
            *place = verdict;
        }
    }
    checked
}

enum Decoded {
    Done(Checked),
    Spend(RequestId, Box<Spend>),
}

fn decode(known: &Known<'_>, input: Input<Validator>) -> Result<Decoded, Error> {
    Ok(Decoded::Done(match input {
        Input::Start => Checked::Start,
        Input::Wake => Checked::Wake,
        Input::Command { id, command } => {
            if let Command::Propose(proposal) = &command {
                known.check_candidacy(&Candidacy::new((**proposal).clone()))?;
            }
            Checked::Command(id, command)
        }
        Input::Request { from, id, bytes } => {
            let request = Request::decode(&bytes).map_err(|_| Reason::Malformed)?;
            let Request::Validator(request) = request else {
                return Err(Reason::Malformed.into());
            };
            return asked(known, &from, id, request);
        }
        Input::Answer { ask, outcome, .. } => {
            let response =
                |bytes: Vec<u8>| FromValidator::decode(&bytes).map_err(|_| AskFailure::Broken);
            Checked::Answer(ask, outcome.and_then(response).and_then(|one| known.judge(one)))
        }
        // It joins no topic.
        Input::Gossip { .. } => return Err(Error::NotReady(NotReady::NoValidator(()))),
        Input::Connected(peer) => Checked::Connected(peer),
        Input::Disconnected(peer) => Checked::Disconnected(peer),
    }))
}

fn asked(
    known: &Known<'_>,
    from: &Peer,
    id: RequestId,
    request: ToValidator,
) -> Result<Decoded, Error> {
    let network = &known.network.id;
    Ok(Decoded::Done(match request {
        ToValidator::Spend(spend) => return Ok(Decoded::Spend(id, spend)),
        ToValidator::Height(height) => {
            let member = known.member(from, height.height.epoch)?;
            height.verify(network, &member.vote).map_err(|_| Reason::VoteSignature)?;
            Checked::Height(id, member.vote, height)
        }
        ToValidator::MyHeight(epoch) => Checked::MyHeight(id, known.member(from, epoch)?.vote),
        ToValidator::Claim(claim) => {
            let right = claim.verify(network, &known.rules.node.public());
            right.map_err(|_| Reason::OwnerSignature)?;
            Checked::Claim(id, claim)
        }
        ToValidator::Refresh(refresh) => {
            known.check_refresh(&refresh)?;
            Checked::Refresh(id, refresh)
        }
        ToValidator::Links(after) => Checked::Links(id, after),
        ToValidator::Link(link) if known.is_ahead(link.epoch()) => Checked::Ahead(*from, id),
        ToValidator::Link(link) => {
            known.network.clone().follow(&link)?;
            Checked::Link(id, link)
        }
        ToValidator::Candidacy(one) if known.is_ahead(one.proposal.configuration.epoch) => {
            Checked::Ahead(*from, id)
        }
        ToValidator::Candidacy(candidacy) => {
            known.check_candidacy(&candidacy)?;
            Checked::Candidacy(id, candidacy)
        }
        ToValidator::Log(part) => Checked::Log(*from, id, part),
        ToValidator::Entries(ids) => Checked::Entries(*from, id, ids.into_vec()),
    }))
}

impl Known<'_> {
    /// The member of an epoch that a peer is. Who asks is proven by the transport, never told by a
    /// message.
    fn member(&self, peer: &Peer, epoch: u64) -> Result<&Member, Reason> {
        let configuration = self.network.configuration(epoch).ok_or(Reason::CertificateEpoch)?;
        let member = configuration.members.iter().find(|member| member.peer == *peer);
        member.ok_or(Reason::CertificateSigners)
    }

    /// Whether an epoch is further on than the next one.
    fn is_ahead(&self, epoch: u64) -> bool {
        epoch > self.network.newest().epoch.saturating_add(1)
    }

    fn check_candidacy(&self, candidacy: &Candidacy) -> Result<(), Error> {
        let newest: &Configuration = self.network.newest();
        self.network.fresh_keys(&candidacy.proposal.configuration)?;
        candidacy.check(&self.network.id, newest)?;
        Ok(())
    }

    fn check_refresh(&self, Refresh { tx, certificate }: &Refresh) -> Result<(), Error> {
        self.epoch.map_err(Error::NotReady)?;
        let configuration = self.network.configuration(certificate.epoch);
        let configuration = configuration.ok_or(Reason::CertificateEpoch)?;
        let signed = certificate.signed(&self.network.id, tx, configuration)?;
        if self.rules.ballots.verify(&signed).iter().all(|right| *right) {
            Ok(())
        } else {
            Err(Reason::VoteSignature.into())
        }
    }

    fn judge(&self, answer: FromValidator) -> Result<Answered, AskFailure> {
        Ok(match answer {
            FromValidator::Links(links) => {
                let mut network = self.network.clone();
                for link in links.iter() {
                    network.follow(link).map_err(|_| AskFailure::Broken)?;
                }
                Answered::Links(links.into_vec())
            }
            FromValidator::Entries(entries) => {
                Answered::Entries(self.judge_entries(entries.into_vec()))
            }
            other => Answered::Plain(other),
        })
    }

    /// Judges entries as if each were a request; that the transactions behind their certificates are
    /// handed over too shows later, when all are there.
    fn judge_entries(&self, entries: Vec<Spend>) -> Vec<Option<Shown>> {
        let judged: Vec<_> = entries
            .into_iter()
            .map(|spend| Some((spend.judge(self.network).ok()?, spend)))
            .collect();
        let all = |pick: fn(&Judged) -> &[Signed]| -> Vec<Signed> {
            let judged = judged.iter().flatten();
            judged.flat_map(|(judged, _)| pick(judged).iter().cloned()).collect()
        };
        let (votes, owners) = (all(|judged| &judged.votes), all(|judged| &judged.owners));
        let (votes, owners) = self.rules.ballots.verify_with(&votes, &owners);
        let (mut votes, mut owners) = (votes.into_iter(), owners.into_iter());
        let shown = judged.into_iter().map(|one| {
            let (judged, spend) = one?;
            (judged.is_signed(&mut votes, &mut owners)).ok()?;
            let epochs = spend.proofs.iter().map(Proof::epoch).max().unwrap_or_default();
            Some(Shown { tx: judged.tx, spend: Box::new(spend), epochs })
        });
        shown.collect()
    }
}

impl Judged {
    /// Takes the verdicts on its signatures from those on many.
    fn is_signed(
        &self,
        votes: &mut impl Iterator<Item = bool>,
        owners: &mut impl Iterator<Item = bool>,
    ) -> Result<(), Reason> {
        // All of each must be taken, so that the next one's come next.
        let certified = votes.take(self.votes.len()).fold(true, |all, one| all & one);
        let signed = owners.take(self.owners.len()).fold(true, |all, one| all & one);
        match (certified, signed) {
            // The owners' first, as where a lock is found: else it would show whether there is one.
            (_, false) => Err(Reason::OwnerSignature),
            (false, true) => Err(Reason::VoteSignature),
            (true, true) => Ok(()),
        }
    }
}

enum Look {
    Answered(Checked),
    New(Box<Spend>, Judged),
}

/// All that is cheap: shape and amounts, then the locks.
fn first_look(known: &Known<'_>, id: RequestId, spend: Spend) -> Result<Look, Error> {
    let epoch = known.epoch.map_err(Error::NotReady)?;
    let judged = spend.judge(known.network)?;
    let Some((first, lock)) = first_lock(known.base, epoch, &spend)? else {
        return Ok(Look::New(Box::new(spend), judged));
    };
    if lock.tx == judged.tx {
        if !lock.is_signed() {
            return Ok(Look::New(Box::new(spend), judged));
        }
        let vote = vote(known.base, &lock)?;
        return Ok(Look::Answered(Checked::Repeated(id, Box::new(vote))));
    }
    // Only what who asks can sign for is shown, else anybody could find out which transaction spent an
    // output; and what is locked besides makes no difference, else he could find out whether one has.
    let signed = signed_inputs(&judged);
    for (outpoint, signed) in spend.body.inputs.iter().zip(signed).skip(first) {
        if signed && let Some(lock) = records::lock(known.base, epoch, outpoint)? {
            let evidence = evidence(known.base, &lock.tx, *outpoint)?;
            let vote = lock.is_signed().then(|| vote(known.base, &lock)).transpose()?;
            let conflict = Conflict { evidence, vote };
            return Ok(Look::Answered(Checked::Conflict(id, Box::new((conflict, spend)))));
        }
    }
    Err(Reason::OwnerSignature.into())
}

/// The first of the inputs that is locked, by its place. If this very transaction has been locked, all
/// are.
pub(super) fn first_lock(
    base: &dyn Store,
    epoch: u64,
    spend: &Spend,
) -> Result<Option<(usize, Lock)>, Fault> {
    for (input, outpoint) in spend.body.inputs.iter().enumerate() {
        if let Some(lock) = records::lock(base, epoch, outpoint)? {
            return Ok(Some((input, lock)));
        }
    }
    Ok(None)
}

/// The vote that was given.
pub(super) fn vote(store: &dyn Store, lock: &Lock) -> Result<Vote, Fault> {
    let signed: SignedBallot = records::must(store, &layout::ballot(lock.first))?;
    let vote = Vote::one(lock.first, &signed.transactions, lock.index, signed.signature);
    vote.ok_or_else(|| Fault::Corrupt("a ballot is too short".into()))
}

/// What shows that an output is locked for a transaction.
pub(super) fn evidence(
    store: &dyn Store,
    tx: &TxId,
    outpoint: Outpoint,
) -> Result<Evidence, Fault> {
    let entry: Entry = records::must(store, &layout::entry(tx))?;
    let Spend { body, witnesses, .. } = entry.spend;
    Ok(Evidence { outpoint, body, witnesses })
}

/// For each input, whether its owner has signed the transaction. Whose it is shows without a
/// certificate: its name is a hash over the way to it.
fn signed_inputs(judged: &Judged) -> Vec<bool> {
    let right = verify_all(&judged.owners);
    let signed: BTreeSet<_> = judged
        .owners
        .iter()
        .zip(right)
        .filter(|(_, right)| right.is_ok())
        .map(|(owner, _)| owner.0)
        .collect();
    judged.inputs.iter().map(|input| signed.contains(&input.address)).collect()
}

/// Verifies all signatures of all candidates in one batch, but for those of validators that are known.
fn verify(rules: &Rules, candidates: Vec<Candidate>) -> Vec<(usize, Result<Checked, Error>)> {
    let all = |pick: fn(&Judged) -> &[Signed]| -> Vec<Signed> {
        candidates.iter().flat_map(|one| pick(&one.judged).iter().cloned()).collect()
    };
    let (votes, owners) = (all(|judged| &judged.votes), all(|judged| &judged.owners));
    let (votes, owners) = rules.ballots.verify_with(&votes, &owners);
    let (mut votes, mut owners) = (votes.into_iter(), owners.into_iter());
    let verdicts = candidates.into_iter().map(|Candidate { at, id, spend, judged }| {
        let signed = judged.is_signed(&mut votes, &mut owners);
        let verdict = signed.map(|()| Checked::Spend(id, judged.tx, spend));
        (at, verdict.map_err(Error::from))
    });
    verdicts.collect()
}
