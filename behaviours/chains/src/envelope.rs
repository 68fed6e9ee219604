//! What a payload says beyond its bytes: a title, what it answers, attachments; or who its author is.
//! A payload without any of these travels as it is.

use covey_kernel::{Bounded, Bytes, Text, cbor, record, tagged};

use crate::{
    BlockId,
    limits::{ATTACHMENTS, ENVELOPE_BYTES, FILE_NAME_BYTES, PROFILE_BYTES, TITLE_BYTES},
};

/// An envelope begins with this. No UTF-8 does.
const MARK: [u8; 4] = [0xff, b'C', b'V', 1];

record! {
    /// A file that comes with a post.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Attachment {
        /// What it is called.
        pub name: Text<FILE_NAME_BYTES>,
        /// Its bytes.
        pub bytes: Bytes<ENVELOPE_BYTES>,
    }
}

record! {
    /// A post.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Message {
        /// What it is about.
        pub title: Option<Text<TITLE_BYTES>>,
        /// Which block it answers.
        pub reply: Option<BlockId>,
        /// What it says.
        pub body: Bytes<ENVELOPE_BYTES>,
        /// What comes with it.
        pub attachments: Bounded<Attachment, ATTACHMENTS>,
    }
}

record! {
    /// How an author wants to be called. The last placed one counts.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Profile {
        /// The name.
        pub name: Text<TITLE_BYTES>,
        /// A few words.
        pub about: Text<PROFILE_BYTES>,
    }
}

tagged! {
    /// What a payload is.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Content {
        /// A post.
        0 => Message(Message),
        /// How its author wants to be called.
        1 => Profile(Profile),
    }
}

impl Content {
    /// A post of nothing but these bytes. None if they are more than any payload may have.
    #[must_use]
    pub fn plain(body: Vec<u8>) -> Option<Self> {
        let body = Bytes::new(body).ok()?;
        Some(Self::Message(Message { body, ..Message::default() }))
    }

    /// The payload's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Message(message) if message.is_plain() => message.body.to_vec(),
            _ => [MARK.as_slice(), &cbor::encode(self)].concat(),
        }
    }

    /// Reads a payload. What is no envelope is a plain post.
    #[must_use]
    pub fn decode(payload: Vec<u8>) -> Self {
        let inner = payload.strip_prefix(&MARK).map(|inner| cbor::decode(inner, ENVELOPE_BYTES));
        match inner {
            Some(Ok(content)) => content,
            _ => Self::plain(payload).unwrap_or(Self::Message(Message::default())),
        }
    }

    /// What is said, without the envelope.
    #[must_use]
    pub fn body(self) -> Vec<u8> {
        match self {
            Self::Message(message) => message.body.into_vec(),
            Self::Profile(profile) => profile.about.into_string().into_bytes(),
        }
    }
}

impl Message {
    /// Whether its bytes can travel as they are.
    fn is_plain(&self) -> bool {
        let bare = self.title.is_none() && self.reply.is_none() && self.attachments.is_empty();
        bare && !self.body.starts_with(&MARK)
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Hash;

    use super::*;

    #[test]
    fn a_plain_payload_travels_as_it_is() {
        let plain = Content::plain(b"Bom dia!".to_vec()).unwrap();
        assert_eq!(plain.encode(), b"Bom dia!");
        assert_eq!(Content::decode(b"Bom dia!".to_vec()), plain);
        assert_eq!(Content::decode(vec![]).body(), b"");
    }

    #[test]
    fn what_looks_like_an_envelope_is_put_into_one() {
        let body = [MARK.as_slice(), b"whatever"].concat();
        let content = Content::plain(body.clone()).unwrap();
        assert_ne!(content.encode(), body);
        assert_eq!(Content::decode(content.encode()).body(), body);
        // One that was made by hand and is broken is shown as it is.
        assert_eq!(Content::decode(body.clone()).body(), body);
    }

    #[test]
    fn envelopes_come_back_the_same() {
        let message = Content::Message(Message {
            title: Some(Text::new("Hello").unwrap()),
            reply: Some(BlockId { height: 3, hash: Hash::of(b"block") }),
            body: Bytes::new(b"World".to_vec()).unwrap(),
            attachments: Bounded::first([Attachment {
                name: Text::new("a.txt").unwrap(),
                bytes: Bytes::new(vec![1, 2, 3]).unwrap(),
            }]),
        });
        let name = Text::new("Ann").unwrap();
        let profile = Content::Profile(Profile { name, about: Text::new("me").unwrap() });
        for content in [message, profile] {
            assert_eq!(Content::decode(content.encode()), content);
        }
    }
}
