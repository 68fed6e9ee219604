//! Why a transaction, or what proves it, is not valid.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $code:literal => $name:ident: $text:literal, )*) => {
        /// Why a transaction is not valid, whoever looks at it. It travels as its number.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        pub enum Reason { $( $(#[doc = $doc])+ #[error($text)] $name, )* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            /// The number by which it travels.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $( Self::$name => $code, )* }
            }

            /// From its number.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $( $code => Some(Self::$name), )* _ => None }
            }
        }
    };
}

reasons! {
    /// The bytes are no request, or one beyond a bound.
    0 => Malformed: "it is malformed",
    /// Nothing is spent.
    1 => NoInputs: "it spends nothing",
    /// An input is listed twice, or they are not in order.
    2 => InputOrder: "an output is listed twice among its inputs, or they are not in ascending order",
    /// As many proofs as inputs are needed.
    3 => ProofCount: "it does not have one proof for each input",
    /// There is no output, or not as many as the body says.
    4 => OutputCount: "the number of its outputs is not what its body says",
    /// The outputs are not those that the body commits to.
    5 => OutputRoot: "its outputs are not those that its body commits to",
    /// An output is worth nothing.
    6 => ZeroAmount: "an output is worth nothing",
    /// Amounts add up to more than can be counted.
    7 => Overflow: "its amounts add up to more than can be counted",
    /// More or less comes out than goes in.
    8 => Sums: "what comes out is not what goes in",
    /// The fee is not paid exactly.
    9 => Fee: "what goes in is not what comes out and the network's fee",
    /// An output of the coin is smaller than the network allows.
    10 => BelowMinimum: "an output is smaller than the network allows",
    /// There is not exactly one witness for each address that is spent from, in order.
    11 => Witnesses: "it is not signed by exactly the owners of what it spends",
    /// An owner's signature is wrong.
    12 => OwnerSignature: "an owner's signature is wrong",
    /// A proof is of another output than the input names.
    13 => ProofOutpoint: "a proof is of another output than the one that is spent",
    /// The output does not stand behind the root that was certified.
    14 => ProofPath: "an output is not among those of the transaction that was certified",
    /// The genesis has no such output.
    15 => UnknownOutpoint: "the network has no such output",
    /// No configuration with this epoch is known.
    16 => CertificateEpoch: "a certificate is of an epoch that is not known here",
    /// Fewer, or more, votes than a quorum.
    17 => CertificateVotes: "a certificate does not have the votes of exactly a quorum of validators",
    /// Somebody signed who is no validator, or somebody without a vote.
    18 => CertificateSigners: "a certificate names signers that are no validators, or not one for each vote",
    /// A vote is not over this transaction.
    19 => VotePath: "a vote is not for this transaction",
    /// A validator's signature is wrong.
    20 => VoteSignature: "a validator's signature is wrong",
    /// A certificate of an earlier epoch is of a transaction that was not handed over.
    21 => NotImported: "a certificate of an earlier epoch is of a transaction that this epoch's validators were not handed",
    /// What is spent was promised to another transaction.
    22 => Locked: "an output that it spends is promised to another transaction",
    /// Several transactions of earlier epochs spend it.
    23 => Frozen: "several transactions of an earlier epoch spend the same output: show a certificate of one of them",
    /// The disk is nearly full: only consolidation is taken.
    24 => OnlyConsolidation: "the validator has little space left and takes only transactions with fewer outputs than inputs",
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.code().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u8::deserialize(deserializer)?;
        Self::from_code(code).ok_or_else(|| D::Error::custom("an unknown reason"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_number_and_text() {
        for (number, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(usize::from(reason.code()), number);
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        let mut texts: Vec<_> = Reason::ALL.iter().map(ToString::to_string).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), Reason::ALL.len());
    }
}
