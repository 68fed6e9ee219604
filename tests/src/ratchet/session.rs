use covey_kernel::{Bytes, CryptoRng, Hash, Hasher, cbor, record};
use covey_messaging::ratchet::{CurveKey, Opening, RatchetError, Sealed, SessionTag};

use super::{
    Account, CHAINS, GAP, SKIPPED,
    keys::{public, secret},
    shared,
};

/// Bytes of one ciphertext.
const BODY: usize = 64 * 1024;

record! {
    /// The keys that start a session.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Start {
        identity: CurveKey,
        base: CurveKey,
        prekey: CurveKey,
    }
}

record! {
    /// What travels.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Message {
        start: Option<Start>,
        ratchet: CurveKey,
        index: u64,
        body: Bytes<BODY>,
        mac: Hash,
    }
}

record! {
    /// A chain of message keys.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Chain {
        key: Hash,
        index: u64,
    }
}

record! {
    /// The own chain.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Sending {
        secret: Hash,
        chain: Chain,
    }
}

record! {
    /// A chain of the other side's.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Receiving {
        ratchet: CurveKey,
        chain: Chain,
        skipped: Vec<(u64, Hash)>,
    }
}

record! {
    /// One double ratchet.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Session {
        tag: SessionTag,
        /// Goes with every message until the first reply.
        start: Option<Start>,
        root: Hash,
        /// None when it is our turn to start a chain.
        sending: Option<Sending>,
        receiving: Vec<Receiving>,
    }
}

impl Start {
    fn tag(&self) -> SessionTag {
        let hash = Hasher::new("toy/tag")
            .field(&self.identity.0)
            .field(&self.base.0)
            .field(&self.prekey.0)
            .finish();
        SessionTag(*hash.as_bytes().first_chunk().unwrap())
    }
}

fn derive(label: &str, key: &Hash, more: &[u8]) -> Hash {
    Hasher::new(label).field(key.as_bytes()).field(more).finish()
}

impl Chain {
    fn message_key(&mut self) -> (u64, Hash) {
        let made = (self.index, derive("toy/message", &self.key, &[]));
        self.key = derive("toy/chain", &self.key, &[]);
        self.index += 1;
        made
    }
}

/// A new root and the chain that begins with it.
fn turn(root: &Hash, secret: &Hash, public: &CurveKey) -> (Hash, Chain) {
    let shared = shared(secret, public);
    let key = derive("toy/first", root, shared.as_bytes());
    (derive("toy/root", root, shared.as_bytes()), Chain { key, index: 0 })
}

fn first_root(parts: [Hash; 3]) -> (Hash, Chain) {
    let hash = parts.iter().fold(Hasher::new("toy/start"), |h, part| h.field(part.as_bytes()));
    let hash = hash.finish();
    (derive("toy/root", &hash, &[]), Chain { key: derive("toy/first", &hash, &[]), index: 0 })
}

fn decode(sealed: &Sealed) -> Result<Message, RatchetError> {
    let message: Message =
        cbor::decode(&sealed.body, 2 * BODY).map_err(|_| RatchetError::Malformed)?;
    if message.start.is_some() != sealed.prekey {
        return Err(RatchetError::Malformed);
    }
    Ok(message)
}

pub(super) fn opening(sealed: &Sealed) -> Option<Opening> {
    let start = decode(sealed).ok()?.start?;
    Some(Opening { tag: start.tag(), identity: start.identity, prekey: start.prekey })
}

/// Encrypts and decrypts: the same stream of bytes is put over it.
fn cover(key: &Hash, bytes: &[u8]) -> Vec<u8> {
    let block = |number: usize| *derive("toy/stream", key, &number.to_be_bytes()).as_bytes();
    let blocks = bytes.chunks(32).enumerate();
    blocks
        .flat_map(|(number, chunk)| {
            let stream = block(number);
            chunk.iter().zip(stream).map(|(byte, mask)| byte ^ mask).collect::<Vec<_>>()
        })
        .collect()
}

impl Message {
    fn mac(&self, key: &Hash) -> Hash {
        Hasher::new("toy/mac")
            .field(key.as_bytes())
            .field(&self.ratchet.0)
            .field(&self.index.to_be_bytes())
            .field(&self.body)
            .finish()
    }

    fn open(&self, key: &Hash) -> Result<Vec<u8>, RatchetError> {
        if self.mac(key) != self.mac {
            return Err(RatchetError::Undecryptable);
        }
        Ok(cover(key, &self.body))
    }
}

impl Receiving {
    fn unseal(&mut self, message: &Message) -> Result<Vec<u8>, RatchetError> {
        let kept = self.skipped.iter().position(|(index, _)| *index == message.index);
        if let Some(place) = kept {
            let plaintext = message.open(&self.skipped[place].1)?;
            self.skipped.remove(place);
            return Ok(plaintext);
        }
        let gap = message.index.checked_sub(self.chain.index);
        if gap.ok_or(RatchetError::Undecryptable)? > GAP {
            return Err(RatchetError::Undecryptable);
        }
        let (mut chain, mut skipped) = (self.chain.clone(), self.skipped.clone());
        while chain.index < message.index {
            skipped.push(chain.message_key());
        }
        let plaintext = message.open(&chain.message_key().1)?;
        let old = skipped.len().saturating_sub(SKIPPED);
        skipped.drain(..old);
        (self.chain, self.skipped) = (chain, skipped);
        Ok(plaintext)
    }
}

impl Session {
    pub(super) fn tag(&self) -> SessionTag {
        self.tag
    }

    pub(super) fn open(
        account: &Account,
        rng: &mut dyn CryptoRng,
        identity: &CurveKey,
        prekey: &CurveKey,
    ) -> Self {
        let (base, ratchet) = (secret(rng), secret(rng));
        let (root, chain) = first_root([
            shared(account.long_term(), prekey),
            shared(&base, identity),
            shared(&base, prekey),
        ]);
        let start = Start { identity: account.identity(), base: public(&base), prekey: *prekey };
        let sending = Some(Sending { secret: ratchet, chain });
        Self { tag: start.tag(), start: Some(start), root, sending, receiving: Vec::new() }
    }

    pub(super) fn accept(
        account: &mut Account,
        identity: &CurveKey,
        sealed: &Sealed,
    ) -> Result<(Self, Vec<u8>), RatchetError> {
        let message = decode(sealed)?;
        let start = message.start.clone().ok_or(RatchetError::Malformed)?;
        let secret = account.prekey(&start.prekey).ok_or(RatchetError::UnknownPrekey)?;
        if start.identity != *identity {
            return Err(RatchetError::Undecryptable);
        }
        let (root, chain) = first_root([
            shared(&secret, identity),
            shared(account.long_term(), &start.base),
            shared(&secret, &start.base),
        ]);
        let mut first = Receiving { ratchet: message.ratchet, chain, skipped: Vec::new() };
        let plaintext = first.unseal(&message)?;
        account.forget(&start.prekey);
        let receiving = vec![first];
        Ok((Self { tag: start.tag(), start: None, root, sending: None, receiving }, plaintext))
    }

    pub(super) fn seal(
        &mut self,
        rng: &mut dyn CryptoRng,
        plaintext: &[u8],
    ) -> Result<Sealed, RatchetError> {
        let mut sending = match self.sending.take() {
            Some(sending) => sending,
            None => self.begin(rng)?,
        };
        let (index, key) = sending.chain.message_key();
        let body = Bytes::new(cover(&key, plaintext)).map_err(|_| RatchetError::BadKey)?;
        let mac = Hash::of(&[]);
        let (start, ratchet) = (self.start.clone(), public(&sending.secret));
        let mut message = Message { start, ratchet, index, body, mac };
        message.mac = message.mac(&key);
        self.sending = Some(sending);
        Ok(Sealed { prekey: message.start.is_some(), body: cbor::encode(&message) })
    }

    /// Our turn: a new chain from the other side's latest key.
    fn begin(&mut self, rng: &mut dyn CryptoRng) -> Result<Sending, RatchetError> {
        let secret = secret(rng);
        let theirs = self.receiving.last().ok_or(RatchetError::BadKey)?.ratchet;
        let (root, chain) = turn(&self.root, &secret, &theirs);
        self.root = root;
        Ok(Sending { secret, chain })
    }

    pub(super) fn unseal(&mut self, sealed: &Sealed) -> Result<Vec<u8>, RatchetError> {
        let message = decode(sealed)?;
        let known = self.receiving.iter_mut().find(|chain| chain.ratchet == message.ratchet);
        let plaintext = match known {
            Some(chain) => chain.unseal(&message)?,
            None => self.turned(&message)?,
        };
        self.start = None;
        Ok(plaintext)
    }

    /// The other side has begun a new chain; the next one is ours.
    fn turned(&mut self, message: &Message) -> Result<Vec<u8>, RatchetError> {
        let sending = self.sending.as_ref().ok_or(RatchetError::Undecryptable)?;
        let (root, chain) = turn(&self.root, &sending.secret, &message.ratchet);
        let mut chain = Receiving { ratchet: message.ratchet, chain, skipped: Vec::new() };
        let plaintext = chain.unseal(message)?;
        self.root = root;
        self.sending = None;
        self.receiving.push(chain);
        let old = self.receiving.len().saturating_sub(CHAINS);
        self.receiving.drain(..old);
        Ok(plaintext)
    }
}
