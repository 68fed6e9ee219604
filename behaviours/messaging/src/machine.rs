use std::marker::PhantomData;

use covey_kernel::{
    Bytes, Context, CryptoRng, Fault, Frames, Input, Keypair, Machine, NetworkId, Peer, Scan,
    Store, Time, View, cbor,
};
use serde::de::DeserializeOwned;
use x25519_dalek::StaticSecret;

use crate::{
    check::{Checked, check},
    command::{Command, Event, Reply},
    decide::{codec, desk::Desk, prekeys::first_batch},
    error::Error,
    identity::{KeySet, Name, Secrets, SignedKeySet},
    layout::{self, ContactId},
    limits::{REQUEST_BYTES, RESPONSE_BYTES},
    memory::{Change, Memory},
    ratchet::Ratchet,
    records::{self, Batch, Contact, Me, OpenInvite},
    wire::{Refusal, Response},
};

/// What never changes while messaging runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The network.
    pub network: NetworkId,
    /// The own node.
    pub peer: Peer,
    /// How the person wants to be called.
    pub name: Name,
    /// Whether others are told that their messages were read.
    pub read_receipts: bool,
}

/// The messaging protocol as a machine, over any [`Ratchet`].
pub struct Messaging<R: Ratchet> {
    pub(crate) rules: Rules,
    pub(crate) memory: Memory,
    ratchet: PhantomData<R>,
}

/// What a decision changes in memory.
#[derive(Debug)]
pub struct Delta(pub(crate) Vec<Change>);

impl Me {
    /// The secrets, in their own types.
    pub(crate) fn secrets(&self) -> Secrets {
        let array = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).unwrap_or_default();
        Secrets {
            identity: Keypair::from_secret(&array(&self.identity)),
            sealing: StaticSecret::from(array(&self.sealing)),
        }
    }
}

impl<R: Ratchet> Machine for Messaging<R> {
    const NAME: &'static str = "messaging";
    const FRAMES: Frames = Frames { request: REQUEST_BYTES, response: RESPONSE_BYTES };

    type Command = Command;
    type Reply = Reply;
    type Event = Event;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = Delta;

    fn open(
        rules: Rules,
        now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let me = match records::read::<Me>(view, layout::ME)? {
            Some(me) => up_to_date(&rules, me, view),
            None => first_identity::<R>(&rules, now, rng, view)?,
        };
        let batch: Batch = records::must(view, layout::BATCH)?;
        let mut memory = Memory {
            me,
            batch,
            contacts: Default::default(),
            open: Default::default(),
            by_identity: Default::default(),
            by_peer: Default::default(),
            flights: Default::default(),
            asks: Default::default(),
            retries: Default::default(),
            online: Default::default(),
        };
        for (number, contact) in all::<Contact>(view, layout::CONTACTS)? {
            memory.apply(Change::Contact(ContactId(number), Some(Box::new(contact))));
        }
        for (number, open) in all::<OpenInvite>(view, layout::OPEN)? {
            memory.apply(Change::Open(number, Some(Box::new(open))));
        }
        Ok(Self { rules, memory, ratchet: PhantomData })
    }

    fn check(
        rules: &Rules,
        _base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        inputs.into_iter().map(|input| check(rules, input)).collect()
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Checked) -> Result<Delta, Error> {
        let mut desk = Desk::new(self, cx);
        desk.decide(input)?;
        Ok(desk.into_delta())
    }

    fn apply(&mut self, delta: Delta) {
        for change in delta.0 {
            self.memory.apply(change);
        }
    }

    fn refusal(error: &Error) -> Vec<u8> {
        let refusal = match error {
            Error::Refused(refusal) => *refusal,
            _ => Refusal::Invalid(()),
        };
        codec::response(&Response::Refused(refusal))
    }
}

/// Everything under a tag and a number, page by page.
fn all<T: DeserializeOwned>(view: &View<'_>, tag: &[u8]) -> Result<Vec<(u32, T)>, Fault> {
    let mut found = Vec::new();
    let mut scan = Scan::prefix(tag);
    loop {
        let page = view.scan(&scan)?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        scan = scan.after(last);
        for (key, bytes) in &page {
            let number = layout::number(key);
            let number = number.ok_or_else(|| Fault::Corrupt("a numbered key".into()))?;
            found.push((number, cbor::decode_stored(bytes)?));
        }
    }
}

fn first_identity<R: Ratchet>(
    rules: &Rules,
    now: Time,
    rng: &mut dyn CryptoRng,
    view: &mut View<'_>,
) -> Result<Me, Error> {
    let secrets = Secrets::generate(rng);
    let mut account = R::account(rng);
    let batch = first_batch::<R>(&mut account, rng, &secrets.identity, &rules.network, now);
    let set = KeySet {
        peer: rules.peer,
        ratchet: R::identity(&account),
        sealing: secrets.sealing_public(),
        name: rules.name.clone(),
        sequence: 1,
    };
    let bytes = |secret: &[u8]| Bytes::new(secret.to_vec());
    let too_long = |_| Error::Invalid("secret length");
    let me = Me {
        identity: bytes(&*secrets.identity.secret()).map_err(too_long)?,
        sealing: bytes(secrets.sealing.as_bytes()).map_err(too_long)?,
        set: SignedKeySet::sign(&secrets.identity, &rules.network, set),
        successions: Default::default(),
        next: 1,
    };
    view.put(layout::ACCOUNT.to_vec(), R::export_account(&account));
    records::write(view, layout::BATCH.to_vec(), &batch);
    records::write(view, layout::ME.to_vec(), &me);
    Ok(me)
}

/// A changed node key or display name makes a newer key set.
fn up_to_date(rules: &Rules, mut me: Me, view: &mut View<'_>) -> Me {
    let mut set = me.set.set.clone();
    set.peer = rules.peer;
    set.name = rules.name.clone();
    if set == me.set.set {
        return me;
    }
    set.sequence = set.sequence.saturating_add(1);
    me.set = SignedKeySet::sign(&me.secrets().identity, &rules.network, set);
    records::write(view, layout::ME.to_vec(), &me);
    me
}
