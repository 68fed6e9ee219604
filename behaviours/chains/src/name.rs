use std::{fmt, str::FromStr};

use covey_kernel::{PublicKey, Text, is_hidden};
use data_encoding::HEXUPPER;

use crate::limits::NAME_BYTES;

/// A chain's name; its first character says its kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// `#chat`: a public forum. Without the `#`.
    Forum(Text<NAME_BYTES>),
    /// `$family`: a private group. Without the `$`.
    Group(Text<NAME_BYTES>),
    /// `@KEY`, `@!KEY`: a public identity.
    Identity {
        /// Whose chain it is.
        owner: PublicKey,
        /// `@!`: others may not post.
        only_owner: bool,
    },
}

/// These words do not name a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing says which kind of chain it is.
    #[error("a chain's name begins with # (a forum), $ (a private group) or @ (an identity)")]
    Kind,
    /// Nothing follows.
    #[error("the name is empty: write something after {0}")]
    Empty(char),
    /// More than [`NAME_BYTES`].
    #[error("the name is {0} bytes, over the limit of {NAME_BYTES}")]
    TooLong(usize),
    /// It could be mistaken for another on a screen or in a list.
    #[error("the name has spaces or characters that do not show")]
    Character,
    /// What follows `@` or `@!` is not a key.
    #[error("after @ or @! stands the owner's public key, 64 hexadecimal digits")]
    Key,
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut rest = text.chars();
        let kind = rest.next().ok_or(InvalidName::Kind)?;
        let rest = rest.as_str();
        match kind {
            '#' => plain(kind, rest).map(Self::Forum),
            '$' => plain(kind, rest).map(Self::Group),
            '@' => {
                let (key, only_owner) = rest.strip_prefix('!').map_or((rest, false), |k| (k, true));
                let owner = key.parse().map_err(|_| InvalidName::Key)?;
                Ok(Self::Identity { owner, only_owner })
            }
            _ => Err(InvalidName::Kind),
        }
    }
}

fn plain(kind: char, rest: &str) -> Result<Text<NAME_BYTES>, InvalidName> {
    if rest.is_empty() {
        return Err(InvalidName::Empty(kind));
    }
    if rest.chars().any(is_confusing) {
        return Err(InvalidName::Character);
    }
    Text::new(rest).map_err(|long| InvalidName::TooLong(long.length))
}

/// White space would split a list of names.
fn is_confusing(c: char) -> bool {
    c.is_whitespace() || is_hidden(c)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forum(name) => write!(f, "#{}", &**name),
            Self::Group(name) => write!(f, "${}", &**name),
            Self::Identity { owner, only_owner } => {
                let only = if *only_owner { "!" } else { "" };
                write!(f, "@{only}{}", HEXUPPER.encode(owner.as_bytes()))
            }
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Keypair;

    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let key = Keypair::from_secret(&[7; 32]).public().to_string();
        let names = ["#chat", "$família", "##", "#a@b", &format!("@{key}"), &format!("@!{key}")];
        for text in names {
            let name: Name = text.parse().unwrap();
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        let owner: Name = format!("@{}", key.to_uppercase()).parse().unwrap();
        assert_eq!(owner, format!("@{key}").parse().unwrap());
        assert_eq!(owner.to_string(), format!("@{}", key.to_uppercase()));
    }

    #[test]
    fn other_words_are_refused() {
        let long = format!("#{}", "x".repeat(NAME_BYTES + 1));
        let weak = format!("@{}", "00".repeat(32));
        let cases = [
            ("", InvalidName::Kind),
            ("chat", InvalidName::Kind),
            ("#", InvalidName::Empty('#')),
            ("$", InvalidName::Empty('$')),
            (long.as_str(), InvalidName::TooLong(NAME_BYTES + 1)),
            ("#a b", InvalidName::Character),
            ("#a\nb", InvalidName::Character),
            ("#\u{202e}tahc", InvalidName::Character),
            ("#ch\u{200b}at", InvalidName::Character),
            ("@", InvalidName::Key),
            ("@!", InvalidName::Key),
            ("@chat", InvalidName::Key),
            (weak.as_str(), InvalidName::Key),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Name>(), Err(error), "{text}");
        }
    }
}
