//! The phrase from which all keys of a wallet come: BIP-39 in English, and SLIP-10 for Ed25519.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use bip39::{Error, Language, Mnemonic};
use covey_kernel::{CryptoRng, Keypair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Entropy of a new phrase, in bytes: 12 words.
const NEW_ENTROPY: usize = 16;

/// The longest phrase is 24 words of at most 8 letters, with a space between.
const PHRASE_CHARS: usize = 24 * 9;

/// Derived keys that are remembered: each takes six HMACs and a multiplication to derive.
const DERIVED: usize = 1024;

/// How much of an unknown word is repeated in an error, in characters.
const SHOWN_CHARS: usize = 16;

/// BIP-44's purpose, the first step of every path.
const PURPOSE: u32 = 44;

/// The coin's type, the second step: "Cov". It is not registered in SLIP-44.
const COIN_TYPE: u32 = 0x43_6f76;

/// The account, the third step: a wallet has only this one.
const ACCOUNT: u32 = 0;

/// Indexes end here. All steps are hardened, since SLIP-10 has no others for Ed25519, and the
/// library would take an index beyond for the same one below.
const INDEXES: u32 = 1 << 31;

/// A BIP-39 phrase of 12 or 24 English words, without a passphrase. Whoever has it has the money.
/// Wiped from memory when dropped.
pub struct Phrase(Mnemonic);

/// Why a text is not a phrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPhrase {
    /// Not 12 or 24 words.
    #[error("the phrase has {0} words: write all 12 or 24")]
    Length(usize),
    /// A word that is not in the list of BIP-39.
    #[error("word {position} of the phrase, {word:?}, is not in the list of words: correct it")]
    UnknownWord {
        /// Which one; the first is 1.
        position: usize,
        /// The word, shortened if it is long.
        word: String,
    },
    /// All words are in the list, but do not belong together.
    #[error("the phrase has a wrong word, or words in the wrong order: compare it word by word")]
    Checksum,
    /// Stored entropy is not 16 or 32 bytes.
    #[error("a phrase has 16 or 32 bytes of entropy, not {0}")]
    Entropy(usize),
}

/// What keys are for: the fourth step of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Branch {
    /// 0: addresses that the owner asks for, and those for change.
    Own,
    /// 1: addresses that are handed to peers without asking the owner. They are apart, so that
    /// peers who ask for many make no gap among the owner's.
    Handed,
}

/// No branch has this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no branch {0}")]
pub struct InvalidBranch(pub u8);

/// All keys of one phrase, at `m/44'/4419446'/0'/branch'/index'`.
pub struct KeyTree {
    /// On the heap, so that no copies stay behind where the tree was moved from.
    seed: Zeroizing<Vec<u8>>,
    /// Keys that were derived of late: what is at one address is often spent piece by piece.
    derived: Mutex<BTreeMap<(Branch, u32), Keypair>>,
}

impl Phrase {
    /// A new phrase of 12 words.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut entropy = Zeroizing::new([0; NEW_ENTROPY]);
        loop {
            rng.fill_bytes(entropy.as_mut());
            // Any 16 bytes are a phrase: there is no second round.
            if let Ok(phrase) = Self::from_entropy(entropy.as_slice()) {
                return phrase;
            }
        }
    }

    /// Reads 12 or 24 words, in upper or lower case, with any white space around them.
    pub fn parse(text: &str) -> Result<Self, InvalidPhrase> {
        let count = text.split_whitespace().count();
        if !matches!(count, 12 | 24) {
            return Err(InvalidPhrase::Length(count));
        }
        // Words in full, and as much room as they need: growing would leave copies behind.
        let mut normal = Zeroizing::new(String::with_capacity(text.len().saturating_add(1)));
        for word in text.split_whitespace() {
            normal.push_str(word);
            normal.push(' ');
        }
        normal.make_ascii_lowercase();
        Mnemonic::parse_in_normalized(Language::English, &normal).map(Self).map_err(|error| {
            match error {
                Error::UnknownWord(index) => unknown_word(&normal, index),
                Error::BadWordCount(count) => InvalidPhrase::Length(count),
                _ => InvalidPhrase::Checksum,
            }
        })
    }

    /// The phrase with this entropy, of 16 or 32 bytes.
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, InvalidPhrase> {
        let invalid = InvalidPhrase::Entropy(entropy.len());
        if !matches!(entropy.len(), 16 | 32) {
            return Err(invalid);
        }
        Mnemonic::from_entropy_in(Language::English, entropy).map(Self).map_err(|_| invalid)
    }

    /// The words, in lower case with a space between, for the owner's eyes alone.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PHRASE_CHARS));
        for word in self.0.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// The entropy, 16 or 32 bytes, for the store.
    #[must_use]
    pub fn entropy(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_entropy())
    }
}

impl Branch {
    const fn number(self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Handed => 1,
        }
    }
}

impl KeyTree {
    /// The keys of a phrase. Slow, as BIP-39 has it: 2048 rounds of HMAC-SHA-512.
    #[must_use]
    pub fn new(phrase: &Phrase) -> Self {
        let seed = Zeroizing::new(phrase.0.to_seed_normalized(""));
        Self { seed: Zeroizing::new(seed.to_vec()), derived: Mutex::default() }
    }

    /// The key with this index, below 2^31. Each is derived from the seed in six HMACs, as
    /// the library keeps no nodes in between; those of late are remembered.
    #[must_use]
    pub fn key(&self, branch: Branch, index: u32) -> Option<Keypair> {
        if index >= INDEXES {
            return None;
        }
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = derived.get(&(branch, index)) {
            return Some(key.clone());
        }
        let path = [PURPOSE, COIN_TYPE, ACCOUNT, u32::from(branch.number()), index];
        let secret = slip10_ed25519::derive_ed25519_private_key(&self.seed, &path);
        let key = Keypair::from_secret(&Zeroizing::new(secret));
        if derived.len() >= DERIVED {
            derived.clear();
        }
        derived.insert((branch, index), key.clone());
        Some(key)
    }
}

fn unknown_word(text: &str, index: usize) -> InvalidPhrase {
    let word = text.split_whitespace().nth(index).unwrap_or_default();
    let word = word.chars().take(SHOWN_CHARS).collect();
    InvalidPhrase::UnknownWord { position: index.saturating_add(1), word }
}

impl TryFrom<u8> for Branch {
    type Error = InvalidBranch;

    fn try_from(number: u8) -> Result<Self, InvalidBranch> {
        match number {
            0 => Ok(Self::Own),
            1 => Ok(Self::Handed),
            _ => Err(InvalidBranch(number)),
        }
    }
}

impl From<Branch> for u8 {
    fn from(branch: Branch) -> Self {
        branch.number()
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(..)")
    }
}

impl fmt::Debug for KeyTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyTree(..)")
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::cbor;
    use data_encoding::HEXLOWER;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    const ABANDON: &str = "abandon abandon abandon abandon abandon abandon abandon abandon \
                           abandon abandon abandon about";

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).unwrap()
    }

    /// Vectors of BIP-39, of 12 and of 24 words.
    #[test]
    fn words_and_entropy_are_those_of_bip39() {
        let zoo = "zoo ".repeat(11);
        let art = "abandon ".repeat(23);
        let vote = "zoo ".repeat(23);
        for (entropy, words) in [
            ("00".repeat(16), ABANDON.to_owned()),
            (
                "7f".repeat(16),
                "legal winner thank year wave sausage worth useful legal winner thank yellow"
                    .to_owned(),
            ),
            (
                "80".repeat(16),
                "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"
                    .to_owned(),
            ),
            ("ff".repeat(16), zoo + "wrong"),
            ("00".repeat(32), art + "art"),
            ("ff".repeat(32), vote + "vote"),
            (
                "9e885d952ad362caeb4efe34a8e91bd2".to_owned(),
                "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic"
                    .to_owned(),
            ),
        ] {
            let phrase = Phrase::from_entropy(&bytes(&entropy)).unwrap();
            assert_eq!(*phrase.words(), words);
            assert_eq!(*Phrase::parse(&words).unwrap().entropy(), bytes(&entropy));
        }
    }

    #[test]
    fn the_seed_is_that_of_bip39_without_a_passphrase() {
        let tree = KeyTree::new(&Phrase::parse(ABANDON).unwrap());
        assert_eq!(
            HEXLOWER.encode(&tree.seed),
            "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1\
             9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
        );
    }

    fn assert_slip10(seed: &str, path: &[u32], nodes: &[(&str, &str)]) {
        assert_eq!(nodes.len(), path.len() + 1);
        for (depth, (secret, public)) in nodes.iter().enumerate() {
            let derived = slip10_ed25519::derive_ed25519_private_key(&bytes(seed), &path[..depth]);
            assert_eq!(HEXLOWER.encode(&derived), *secret);
            assert_eq!(Keypair::from_secret(&derived).public().to_string(), *public);
        }
    }

    #[test]
    fn derivation_is_that_of_slip10_vector_1() {
        assert_slip10(
            "000102030405060708090a0b0c0d0e0f",
            &[0, 1, 2, 2, 1_000_000_000],
            &[
                (
                    "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
                    "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed",
                ),
                (
                    "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
                    "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c",
                ),
                (
                    "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
                    "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187",
                ),
                (
                    "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
                    "ae98736566d30ed0e9d2f4486a64bc95740d89c7db33f52121f8ea8f76ff0fc1",
                ),
                (
                    "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
                    "8abae2d66361c879b900d204ad2cc4984fa2aa344dd7ddc46007329ac76c429c",
                ),
                (
                    "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
                    "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
                ),
            ],
        );
    }

    #[test]
    fn derivation_is_that_of_slip10_vector_2() {
        assert_slip10(
            "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2\
             9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542",
            &[0, 2_147_483_647, 1, 2_147_483_646, 2],
            &[
                (
                    "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
                    "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a",
                ),
                (
                    "1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635",
                    "86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037",
                ),
                (
                    "ea4f5bfe8694d8bb74b7b59404632fd5968b774ed545e810de9c32a4fb4192f4",
                    "5ba3b9ac6e90e83effcd25ac4e58a1365a9e35a3d3ae5eb07b9e4d90bcf7506d",
                ),
                (
                    "3757c7577170179c7868353ada796c839135b3d30554bbb74a4b1e4a5a58505c",
                    "2e66aa57069c86cc18249aecf5cb5a9cebbfd6fadeab056254763874a9352b45",
                ),
                (
                    "5837736c89570de861ebc173b1086da4f505d4adb387c6a1b1342d5e4ac9ec72",
                    "e33c0f7d81d843c572275f287498e8d408654fdf0d1e065b84e2e6f157aab09b",
                ),
                (
                    "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d",
                    "47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0",
                ),
            ],
        );
    }

    /// Made once with another implementation; a change would lose everybody's money.
    #[test]
    fn the_keys_of_a_phrase_are_fixed() {
        let tree = KeyTree::new(&Phrase::parse(ABANDON).unwrap());
        for (branch, index, secret) in [
            (Branch::Own, 0, "af6549a7faa6228a9bcaac9cc5b27707d3d9281a57378272c6840876ca245758"),
            (Branch::Own, 1, "55e9083909593a20a8c1ed653da4a1fca399fae91f25ac03bdbb7619099b89d7"),
            (Branch::Handed, 0, "4f1e6aadfc5c1a07480f6f4ab7589bc849f0eb8140cabc0e33a3989c165189f2"),
            (
                Branch::Handed,
                INDEXES - 1,
                "a32ee631f5050612b74195fb73ed8c7e262326b381a4df9e99f2a2fb98f29503",
            ),
        ] {
            let key = tree.key(branch, index).unwrap();
            assert_eq!(HEXLOWER.encode(key.secret().as_slice()), secret);
        }
    }

    #[test]
    fn indexes_end_at_2_to_the_31() {
        let tree = KeyTree::new(&Phrase::parse(ABANDON).unwrap());
        assert!(tree.key(Branch::Own, INDEXES).is_none());
        assert!(tree.key(Branch::Handed, u32::MAX).is_none());
    }

    #[test]
    fn a_new_phrase_has_12_words_from_the_generator() {
        let first = Phrase::generate(&mut ChaCha20Rng::seed_from_u64(1));
        assert_eq!(first.words().split(' ').count(), 12);
        assert_eq!(first.entropy().len(), 16);
        assert_eq!(first.words(), Phrase::generate(&mut ChaCha20Rng::seed_from_u64(1)).words());
        assert_ne!(first.words(), Phrase::generate(&mut ChaCha20Rng::seed_from_u64(2)).words());
        assert_eq!(Phrase::parse(&first.words()).unwrap().entropy(), first.entropy());
    }

    #[test]
    fn reads_any_case_and_white_space() {
        let text = format!("\n\t {} ", ABANDON.to_uppercase().replace(' ', " \r\n"));
        assert_eq!(*Phrase::parse(&text).unwrap().words(), ABANDON);
    }

    #[test]
    fn says_what_is_wrong() {
        let parse = |text: &str| Phrase::parse(text).unwrap_err();
        for count in [0, 1, 11, 13, 15, 18, 21, 25, 1000] {
            assert_eq!(parse(&"abandon ".repeat(count)), InvalidPhrase::Length(count));
        }
        let error = parse(&ABANDON.replace("about", "\u{1b}ABUOT"));
        let word = "\u{1b}abuot".to_owned();
        assert_eq!(error, InvalidPhrase::UnknownWord { position: 12, word });
        assert_eq!(
            error.to_string(),
            "word 12 of the phrase, \"\\u{1b}abuot\", is not in the list of words: correct it"
        );
        let error = parse(&ABANDON.replacen("abandon", &"é".repeat(1000), 1));
        let word = "é".repeat(SHOWN_CHARS);
        assert_eq!(error, InvalidPhrase::UnknownWord { position: 1, word });
        assert_eq!(parse(&ABANDON.replace("about", "able")), InvalidPhrase::Checksum);
        for length in [0, 15, 17, 20, 24, 28, 33] {
            let error = Phrase::from_entropy(&vec![0; length]).unwrap_err();
            assert_eq!(error, InvalidPhrase::Entropy(length));
        }
    }

    #[test]
    fn shows_nothing_when_debugged() {
        let phrase = Phrase::parse(ABANDON).unwrap();
        assert_eq!(format!("{phrase:?} {:?}", KeyTree::new(&phrase)), "Phrase(..) KeyTree(..)");
    }

    #[test]
    fn a_branch_is_its_number_when_encoded() {
        for (branch, number) in [(Branch::Own, 0_u8), (Branch::Handed, 1)] {
            assert_eq!(cbor::encode(&branch), cbor::encode(&number));
            assert_eq!(cbor::decode(&cbor::encode(&number), 8), Ok(branch));
        }
        assert!(cbor::decode::<Branch>(&cbor::encode(&2_u8), 8).is_err());
    }
}
