//! What messaging relies on, of Olm and of the ratchet that simulations use instead: one suite
//! for both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::collections::BTreeSet;

use covey_messaging::ratchet::{CurveKey, Olm, Ratchet, RatchetError, Sealed};
use covey_tests::ratchet::{CHAINS, GAP, SKIPPED, Toy};
use proptest::{collection::vec, prelude::*};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

/// One step; numbers are taken modulo what there is to choose from.
#[derive(Debug, Clone, Copy)]
enum Step {
    Seal { side: usize },
    Deliver { side: usize, which: usize },
    Lose { side: usize, which: usize },
    Again { side: usize, which: usize },
    Alter { side: usize, which: usize, byte: usize, bit: u32 },
    Store { side: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let side = 0..2usize;
    let which = any::<usize>();
    prop_oneof![
        5 => side.clone().prop_map(|side| Step::Seal { side }),
        5 => (side.clone(), which).prop_map(|(side, which)| Step::Deliver { side, which }),
        1 => (side.clone(), which).prop_map(|(side, which)| Step::Lose { side, which }),
        1 => (side.clone(), which).prop_map(|(side, which)| Step::Again { side, which }),
        1 => (side.clone(), which, which, 0..8u32)
            .prop_map(|(side, which, byte, bit)| Step::Alter { side, which, byte, bit }),
        1 => side.prop_map(|side| Step::Store { side }),
    ]
}

/// A sealed message, and what the model knows of it.
#[derive(Clone)]
struct Sent {
    sealed: Sealed,
    plaintext: Vec<u8>,
    /// Which of its sender's chains it is of.
    chain: usize,
}

struct Side<R: Ratchet> {
    account: R::Account,
    session: Option<R::Session>,
    /// Chains begun so far.
    chains: usize,
    /// Whether the next message begins a chain.
    turn: bool,
    heard: bool,
    /// The other's chains, in the order of their first message here.
    received: Vec<usize>,
    /// What is on its way to here.
    coming: Vec<Sent>,
    arrived: Vec<Sent>,
    lost: usize,
}

struct Pair<R: Ratchet> {
    rng: ChaCha12Rng,
    sides: [Side<R>; 2],
    count: u64,
}

fn account<R: Ratchet>(rng: &mut ChaCha12Rng) -> R::Account {
    R::account(rng)
}

fn side<R: Ratchet>(account: R::Account, session: Option<R::Session>) -> Side<R> {
    let (coming, arrived) = (Vec::new(), Vec::new());
    let turn = true;
    Side {
        account,
        session,
        chains: 0,
        turn,
        heard: false,
        received: vec![],
        coming,
        arrived,
        lost: 0,
    }
}

impl<R: Ratchet> Pair<R> {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let (a, mut b) = (account::<R>(&mut rng), account::<R>(&mut rng));
        let key = R::one_time_keys(&mut b, &mut rng, 3)[1];
        let session = R::open(&a, &mut rng, &R::identity(&b), &key).unwrap();
        Self { rng, sides: [side(a, Some(session)), side(b, None)], count: 0 }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Seal { side } => self.seal(side),
            Step::Deliver { side, which } => self.deliver(side, which),
            Step::Lose { side, which } => {
                let side = &mut self.sides[side];
                if !side.coming.is_empty() {
                    side.coming.remove(which % side.coming.len());
                    side.lost += 1;
                }
                Ok(())
            }
            Step::Again { side, which } => {
                let arrived = &self.sides[side].arrived;
                if arrived.is_empty() {
                    return Ok(());
                }
                let sent = arrived[which % arrived.len()].clone();
                self.refused(side, &sent.sealed)
            }
            Step::Alter { side, which, byte, bit } => self.alter(side, which, byte, bit),
            Step::Store { side } => {
                self.store(side);
                Ok(())
            }
        }
    }

    /// To the store and back.
    fn store(&mut self, side: usize) {
        let side = &mut self.sides[side];
        side.account = R::import_account(&R::export_account(&side.account)).unwrap();
        let bytes = side.session.as_ref().map(R::export_session);
        side.session = bytes.map(|bytes| R::import_session(&bytes).unwrap());
    }

    fn seal(&mut self, from: usize) -> Result<(), TestCaseError> {
        let (to, plaintext) = (1 - from, self.count.to_be_bytes().to_vec());
        // More would not be kept.
        if self.sides[to].coming.len() + self.sides[to].lost >= SKIPPED {
            return Ok(());
        }
        let side = &mut self.sides[from];
        let Some(session) = &mut side.session else { return Ok(()) };
        let sealed = R::seal(session, &mut self.rng, &plaintext).unwrap();
        prop_assert_eq!(sealed.prekey, from == 0 && !side.heard, "until the first reply");
        prop_assert_eq!(
            R::opening(&sealed).map(|opening| opening.tag),
            sealed.prekey.then(|| R::tag(session))
        );
        side.chains += usize::from(std::mem::take(&mut side.turn));
        let chain = side.chains;
        self.count += 1;
        self.sides[to].coming.push(Sent { sealed, plaintext, chain });
        Ok(())
    }

    fn deliver(&mut self, at: usize, which: usize) -> Result<(), TestCaseError> {
        if self.sides[at].coming.is_empty() {
            return Ok(());
        }
        let which = which % self.sides[at].coming.len();
        let sent = self.sides[at].coming.remove(which);
        let known = &self.sides[at].received;
        let newer = known.iter().filter(|chain| **chain > sent.chain).count();
        if newer >= CHAINS {
            return self.refused(at, &sent.sealed);
        }
        let plaintext = self.unseal(at, &sent.sealed);
        prop_assert_eq!(plaintext.as_ref(), Ok(&sent.plaintext));
        let side = &mut self.sides[at];
        side.heard = true;
        if !side.received.contains(&sent.chain) {
            side.received.push(sent.chain);
            side.turn = true;
        }
        side.arrived.push(sent);
        Ok(())
    }

    fn unseal(&mut self, at: usize, sealed: &Sealed) -> Result<Vec<u8>, RatchetError> {
        let theirs = R::identity(&self.sides[1 - at].account);
        let side = &mut self.sides[at];
        if let Some(session) = &mut side.session {
            return R::unseal(session, sealed);
        }
        let (session, plaintext) = R::accept(&mut side.account, &theirs, sealed)?;
        assert_eq!(Some(R::tag(&session)), R::opening(sealed).map(|opening| opening.tag));
        side.session = Some(session);
        Ok(plaintext)
    }

    /// It cannot be decrypted, and trying changes nothing.
    fn refused(&mut self, at: usize, sealed: &Sealed) -> Result<(), TestCaseError> {
        let side = &mut self.sides[at];
        let Some(session) = &mut side.session else { return Ok(()) };
        let before = R::export_session(session);
        prop_assert!(R::unseal(session, sealed).is_err());
        prop_assert_eq!(before, R::export_session(session));
        Ok(())
    }

    /// An altered message is refused and changes nothing. Bytes that carry nothing may be altered
    /// (the starting keys once the session is there, Olm's framing): the plaintext is the right
    /// one, and so is the session's name.
    fn alter(
        &mut self,
        at: usize,
        which: usize,
        byte: usize,
        bit: u32,
    ) -> Result<(), TestCaseError> {
        let side = &self.sides[at];
        if side.coming.is_empty() {
            return Ok(());
        }
        let sent = &side.coming[which % side.coming.len()];
        let mut altered = sent.sealed.clone();
        let byte = byte % altered.body.len();
        altered.body[byte] ^= 1 << bit;
        let Some(session) = &side.session else {
            let theirs = R::identity(&self.sides[1 - at].account);
            let before = R::export_account(&side.account);
            let mut copy = R::import_account(&before).unwrap();
            match R::accept(&mut copy, &theirs, &altered) {
                Ok((session, plaintext)) => {
                    let tag = R::opening(&sent.sealed).map(|opening| opening.tag);
                    prop_assert_eq!((Some(R::tag(&session)), &plaintext), (tag, &sent.plaintext));
                }
                Err(_) => prop_assert_eq!(before.len(), R::export_account(&copy).len()),
            }
            return Ok(());
        };
        let before = R::export_session(session);
        let mut copy = R::import_session(&before).unwrap();
        match R::unseal(&mut copy, &altered) {
            Ok(plaintext) => prop_assert_eq!(&plaintext, &sent.plaintext),
            Err(_) => prop_assert_eq!(before, R::export_session(&copy)),
        }
        Ok(())
    }
}

fn any_order<R: Ratchet>(seed: u64, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut pair = Pair::<R>::new(seed);
    for step in steps {
        pair.take(*step)?;
    }
    // Whatever has not arrived by now still does, if its chain is kept.
    for side in [0, 1] {
        while !pair.sides[side].coming.is_empty() {
            pair.deliver(side, 0)?;
        }
    }
    Ok(())
}

/// However a first message is altered, it starts the session that it names, or none: under another
/// name, one that was seen would be taken again. The keys stand outside the MAC, and X25519 ignores
/// a bit of each.
fn an_altered_first_message_starts_no_other_session<R: Ratchet>() {
    let mut keys = keys::<R>();
    let prekey = keys.fallback;
    let first = keys.first(prekey);
    let tag = R::opening(&first).unwrap().tag;
    let identity = R::identity(&keys.a);
    let stored = R::export_account(&keys.b);
    let mut taken = 0;
    for (byte, bit) in (0..first.body.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        let mut altered = first.clone();
        altered.body[byte] ^= 1 << bit;
        let mut account = R::import_account(&stored).unwrap();
        if let Ok((session, plaintext)) = R::accept(&mut account, &identity, &altered) {
            assert_eq!(R::tag(&session), tag, "byte {byte}, bit {bit}");
            assert_eq!(plaintext, b"first");
            taken += 1;
        }
    }
    // Olm's framing: a field under a number that is not known leaves its field at the default.
    assert!(taken < 8, "{taken} alterations went unnoticed");
    assert!(keys.accept(&first).is_ok());
}

#[test]
fn an_altered_first_message_of_olm_starts_no_other_session() {
    an_altered_first_message_starts_no_other_session::<Olm>();
}

#[test]
fn an_altered_first_message_of_the_toy_starts_no_other_session() {
    an_altered_first_message_starts_no_other_session::<Toy>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn olm_in_any_order(seed: u64, steps in vec(step(), 1..200)) {
        any_order::<Olm>(seed, &steps)?;
    }

    #[test]
    fn toy_in_any_order(seed: u64, steps in vec(step(), 1..200)) {
        any_order::<Toy>(seed, &steps)?;
    }
}

/// Two accounts with `keys` one-time keys and a fallback key on the second.
struct Keys<R: Ratchet> {
    rng: ChaCha12Rng,
    a: R::Account,
    b: R::Account,
    one_time: Vec<CurveKey>,
    fallback: CurveKey,
}

fn keys<R: Ratchet>() -> Keys<R> {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let (a, mut b) = (account::<R>(&mut rng), account::<R>(&mut rng));
    let one_time = R::one_time_keys(&mut b, &mut rng, 2);
    let fallback = R::rotate_fallback(&mut b, &mut rng);
    Keys { rng, a, b, one_time, fallback }
}

impl<R: Ratchet> Keys<R> {
    fn open(&mut self, prekey: CurveKey) -> R::Session {
        R::open(&self.a, &mut self.rng, &R::identity(&self.b), &prekey).unwrap()
    }

    fn first(&mut self, prekey: CurveKey) -> Sealed {
        let mut session = self.open(prekey);
        R::seal(&mut session, &mut self.rng, b"first").unwrap()
    }

    fn accept(&mut self, sealed: &Sealed) -> Result<R::Session, RatchetError> {
        let identity = R::identity(&self.a);
        R::accept(&mut self.b, &identity, sealed).map(|(session, _)| session)
    }
}

fn one_time_keys_work_once<R: Ratchet>() {
    let mut keys = keys::<R>();
    let (key, other) = (keys.one_time[0], keys.one_time[1]);
    let (one, two) = (keys.first(key), keys.first(key));
    assert_eq!(R::opening(&one).unwrap().prekey, key);
    assert!(keys.accept(&one).is_ok());
    let before = R::export_account(&keys.b).len();
    for again in [&one, &two] {
        assert_eq!(keys.accept(again).err(), Some(RatchetError::UnknownPrekey));
    }
    assert_eq!(before, R::export_account(&keys.b).len());
    let forgotten = keys.first(other);
    R::forget(&mut keys.b, &other);
    assert_eq!(keys.accept(&forgotten).err(), Some(RatchetError::UnknownPrekey));
}

fn fallback_keys_last_for_two_rotations<R: Ratchet>() {
    let mut keys = keys::<R>();
    let fallback = keys.fallback;
    let first = keys.first(fallback);
    for _ in 0..2 {
        assert!(keys.accept(&first).is_ok(), "it is not used up, nor forgotten at once");
        R::rotate_fallback(&mut keys.b, &mut keys.rng);
    }
    assert_eq!(keys.accept(&first).err(), Some(RatchetError::UnknownPrekey));
}

fn only_the_claimed_sender<R: Ratchet>() {
    let mut keys = keys::<R>();
    let key = keys.one_time[0];
    let first = keys.first(key);
    let other = R::identity(&account::<R>(&mut keys.rng));
    assert!(R::accept(&mut keys.b, &other, &first).is_err());
    assert!(keys.accept(&first).is_ok(), "the key is not used up by that");
}

fn other_sessions_are_refused<R: Ratchet>() {
    let mut keys = keys::<R>();
    let (key, other) = (keys.one_time[0], keys.one_time[1]);
    let first = keys.first(key);
    let mut session = keys.accept(&first).unwrap();
    let before = R::export_session(&session);
    let stray = keys.first(other);
    assert!(R::unseal(&mut session, &stray).is_err());
    assert_eq!(before, R::export_session(&session));
}

/// A session and its acceptance, and `count` messages after the first.
fn chain<R: Ratchet>(count: u64) -> (R::Session, Vec<Sealed>) {
    let mut keys = keys::<R>();
    let key = keys.one_time[0];
    let mut sender = keys.open(key);
    let first = R::seal(&mut sender, &mut keys.rng, b"first").unwrap();
    let receiver = keys.accept(&first).unwrap();
    let seal = |_| R::seal(&mut sender, &mut keys.rng, b"more").unwrap();
    (receiver, (0..count).map(seal).collect())
}

fn forty_skipped_keys_are_kept<R: Ratchet>() {
    let (mut receiver, sealed) = chain::<R>(SKIPPED as u64 + 2);
    assert!(R::unseal(&mut receiver, sealed.last().unwrap()).is_ok());
    let read = |sealed| R::unseal(&mut receiver, sealed).is_ok();
    let read: Vec<bool> = sealed[..=SKIPPED].iter().map(read).collect();
    assert_eq!(read.iter().position(|read| *read), Some(1), "the oldest is gone");
    assert!(read[1..].iter().all(|read| *read));
}

fn chains_jump_two_thousand_ahead<R: Ratchet>() {
    let (mut receiver, sealed) = chain::<R>(GAP + 2);
    let (far, too_far) = (&sealed[GAP as usize], &sealed[GAP as usize + 1]);
    let before = R::export_session(&receiver);
    assert_eq!(R::unseal(&mut receiver, too_far), Err(RatchetError::Undecryptable));
    assert_eq!(before, R::export_session(&receiver));
    assert!(R::unseal(&mut receiver, far).is_ok());
    assert!(R::unseal(&mut receiver, too_far).is_ok());
}

fn all_keys_differ<R: Ratchet>() {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut account = account::<R>(&mut rng);
    let mut all: BTreeSet<CurveKey> =
        R::one_time_keys(&mut account, &mut rng, 64).into_iter().collect();
    all.insert(R::rotate_fallback(&mut account, &mut rng));
    all.insert(R::rotate_fallback(&mut account, &mut rng));
    all.insert(R::identity(&account));
    assert_eq!(all.len(), 67);
}

macro_rules! for_both {
    ($($name:ident),+ $(,)?) => {
        mod olm { $( #[test] fn $name() { super::$name::<super::Olm>(); } )+ }
        mod toy { $( #[test] fn $name() { super::$name::<super::Toy>(); } )+ }
    };
}

for_both!(
    one_time_keys_work_once,
    fallback_keys_last_for_two_rotations,
    only_the_claimed_sender,
    other_sessions_are_refused,
    forty_skipped_keys_are_kept,
    chains_jump_two_thousand_ahead,
    all_keys_differ,
);

/// The toy draws nothing but from the given randomness.
#[test]
fn the_toy_is_the_same_twice() {
    let run = || {
        let (receiver, sealed) = chain::<Toy>(3);
        (Toy::export_session(&receiver), sealed)
    };
    assert_eq!(run(), run());
}
