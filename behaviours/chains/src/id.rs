use std::{fmt, str::FromStr};

use covey_kernel::{Hash, record};
use data_encoding::{HEXUPPER, HEXUPPER_PERMISSIVE};

record! {
    /// What a block is called: its height and the SHA-256 of its canonical bytes, written as in
    /// `2_1B5C…`.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct BlockId {
        /// The genesis has 0, others 1 + the highest back.
        pub height: u64,
        /// Of the block without its signature.
        pub hash: Hash,
    }
}

/// These words do not name a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block's id is its height, _ and 64 hexadecimal digits, as in 2_1B5C…")]
pub struct InvalidBlockId;

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.height, HEXUPPER.encode(self.hash.as_bytes()))
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockId({self})")
    }
}

impl FromStr for BlockId {
    type Err = InvalidBlockId;

    fn from_str(text: &str) -> Result<Self, InvalidBlockId> {
        let (height, hash) = text.split_once('_').ok_or(InvalidBlockId)?;
        let plain = !height.is_empty() && height.bytes().all(|digit| digit.is_ascii_digit());
        let shortest = plain && (height == "0" || !height.starts_with('0'));
        let height = height.parse().ok().filter(|_| shortest).ok_or(InvalidBlockId)?;
        let hash = HEXUPPER_PERMISSIVE.decode(hash.as_bytes()).map_err(|_| InvalidBlockId)?;
        let hash = hash.try_into().map_err(|_| InvalidBlockId)?;
        Ok(Self { height, hash: Hash::from_bytes(hash) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = BlockId { height: 12, hash: Hash::of(b"block") };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_lowercase().parse(), Ok(id));
        assert!(id.to_string().starts_with("12_"));
    }

    #[test]
    fn other_words_are_refused() {
        let hash = "AB".repeat(32);
        let long = format!("1_{hash}00");
        let texts = ["", "_", "1", "1_", "1_AB", &long, &format!("_{hash}"), &format!("+1_{hash}")];
        for text in texts {
            assert_eq!(text.parse::<BlockId>(), Err(InvalidBlockId), "{text}");
        }
        for height in ["01", "00", "-1", "1x", "18446744073709551616", " 1"] {
            let text = format!("{height}_{hash}");
            assert_eq!(text.parse::<BlockId>(), Err(InvalidBlockId), "{text}");
        }
        assert!(format!("0_{hash}").parse::<BlockId>().is_ok());
    }
}
