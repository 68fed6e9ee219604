//! A chain as people read it: posts with their authors' names, what is unread, who is muted.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{Bounded, Bytes, Fault, PublicKey};

use super::desk::Desk;
use crate::{
    Block,
    command::{Reply, Said, Selector, Show, Shown},
    envelope::{Attachment, Content, Message},
    error::Error,
    graph::Ix,
    layout,
    limits::{LOOKED_AT, LOOKED_AT_BYTES, MUTED, SHOWN, SHOWN_BYTES},
    memory::Chain,
    records,
};

impl Desk<'_, '_, '_> {
    pub(super) fn show(&self, show: &Show) -> Result<Reply, Error> {
        let chain = self.chain(&show.chain)?;
        let from = usize::try_from(show.from.max(1)).unwrap_or(usize::MAX);
        let order: Vec<(u64, Ix)> = {
            let mut loaded = chain.load(self.store())?;
            let order = (0..).zip(loaded.graph.order().iter().copied());
            order.skip(from).take(LOOKED_AT.saturating_add(1)).collect()
        };
        let reader = Reader {
            read: records::read(self.store(), &layout::read(chain.no))?.unwrap_or(0),
            adopted: self.adopted(chain)?,
            muted: self.muted_authors(chain)?,
            search: show.search.as_ref().map(|text| text.to_lowercase()),
        };
        let (mut found, mut next, mut bytes) = (Vec::new(), None, 0);
        for (at, (place, ix)) in order.iter().enumerate() {
            let is_full = found.len() >= show.limit.min(SHOWN);
            if is_full || at >= LOOKED_AT || bytes >= LOOKED_AT_BYTES {
                next = Some(*place);
                break;
            }
            if show.unread && !reader.is_unread(*ix) {
                continue;
            }
            found.extend(self.shown(chain, &reader, (*place, *ix), &mut bytes)?);
        }
        let names = self.names(chain, found.iter().filter_map(|post| post.author).collect())?;
        for post in &mut found {
            post.name = post.author.and_then(|author| names.get(&author).cloned());
        }
        Ok(Reply::Shown(found, next))
    }

    /// A block as it is listed, unless it is left out. Adds the bytes that were read for it.
    fn shown(
        &self,
        chain: &Chain,
        reader: &Reader,
        (place, ix): (u64, Ix),
        bytes: &mut u64,
    ) -> Result<Option<Shown>, Fault> {
        let block = self.signed(chain, ix)?.block;
        if block.author.is_some_and(|author| reader.muted.contains(&author)) {
            return Ok(None);
        }
        let said = self.said(chain, ix, &block)?;
        if matches!(said, Said::Content(_) | Said::Sealed) {
            *bytes = bytes.saturating_add(block.payload.size);
        }
        if reader.search.as_ref().is_some_and(|search| !says(&said, search)) {
            return Ok(None);
        }
        let (votes, id) = {
            let mut loaded = chain.load(self.store())?;
            (loaded.graph.votes(ix), block.id())
        };
        Ok(Some(Shown {
            id,
            place,
            time: block.time,
            author: block.author,
            name: None,
            vote: block.vote,
            said: short(said),
            votes,
            unread: reader.is_unread(ix),
        }))
    }

    /// What is there of a block's payload.
    fn said(&self, chain: &Chain, ix: Ix, block: &Block) -> Result<Said, Fault> {
        if chain.load(self.store())?.graph.is_revoked(ix) {
            return Ok(Said::Revoked);
        }
        if self.is_purged(&block.payload.hash)? {
            return Ok(Said::Purged);
        }
        // A part of it may be there already, and not be small.
        if self.store().get(&layout::missing(chain.no, ix.0))?.is_some() {
            return Ok(Said::Missing);
        }
        let Some(payload) = self.read_payload(chain, block)? else { return Ok(Said::Missing) };
        Ok(match chain.open(block, payload, None) {
            Ok(payload) => Said::Content(Content::decode(payload)),
            Err(_) => Said::Sealed,
        })
    }

    /// How these authors want to be called: what each said last, in the order. What they said before is not
    /// read.
    fn names(
        &self,
        chain: &Chain,
        mut of: BTreeSet<PublicKey>,
    ) -> Result<BTreeMap<PublicKey, String>, Fault> {
        if of.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut profiles = Vec::new();
        records::each(self.store(), &layout::all_profiles(chain.no), |key, _| {
            let ix = layout::last_number(key).map(Ix);
            profiles.push(ix.ok_or_else(|| Fault::Corrupt("a profile's key".into()))?);
            Ok(())
        })?;
        let mut placed: Vec<(usize, Ix, PublicKey)> = {
            let mut loaded = chain.load(self.store())?;
            let graph = &mut loaded.graph;
            let placed = profiles.into_iter();
            let of_author = |ix: Ix| {
                let author = graph.author(ix).filter(|author| of.contains(author))?;
                Some((graph.place(ix)?, ix, author))
            };
            placed.filter_map(of_author).collect()
        };
        placed.sort_unstable();
        let mut names = BTreeMap::new();
        for (_, ix, author) in placed.into_iter().rev() {
            if of.is_empty() {
                break;
            }
            if !of.contains(&author) {
                continue;
            }
            let block = self.signed(chain, ix)?.block;
            if let Said::Content(Content::Profile(profile)) = self.said(chain, ix, &block)? {
                names.insert(author, profile.name.into_string());
                of.remove(&author);
            }
        }
        Ok(names)
    }

    /// Notes a block that says how its author wants to be called.
    pub(super) fn note_profile(
        &mut self,
        chain: &Chain,
        ix: Ix,
        block: &Block,
        payload: Vec<u8>,
    ) -> Result<(), Fault> {
        if block.author.is_none() || block.vote.is_some() {
            return Ok(());
        }
        let content = chain.open(block, payload, None).map(Content::decode);
        if matches!(content, Ok(Content::Profile(_))) {
            self.view().put(layout::profile(chain.no, ix.0), Vec::new());
        }
        Ok(())
    }

    pub(super) fn mark_read(&mut self, which: &Selector) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let blocks = chain.load(self.store())?.blocks();
        let read = u32::try_from(blocks).unwrap_or(u32::MAX);
        for ix in self.adopted(chain)? {
            self.view().delete(layout::unread(chain.no, ix.0));
        }
        records::write(self.view(), layout::read(chain.no), &read);
        Ok(Reply::Done)
    }

    /// What came long ago, and is followed since the chain was last read.
    fn adopted(&self, chain: &Chain) -> Result<BTreeSet<Ix>, Fault> {
        let mut found = BTreeSet::new();
        records::each(self.store(), &layout::all_unread(chain.no), |key, _| {
            let ix = layout::last_number(key).map(Ix);
            found.insert(ix.ok_or_else(|| Fault::Corrupt("an unread block's key".into()))?);
            Ok(())
        })?;
        Ok(found)
    }

    pub(super) fn mute(
        &mut self,
        which: &Selector,
        author: &PublicKey,
        mute: bool,
    ) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let key = layout::muted(chain.no, author);
        if !mute {
            self.view().delete(key);
            return Ok(Reply::Done);
        }
        if self.muted_authors(chain)?.len() >= MUTED {
            return Err(Error::TooManyMuted);
        }
        self.view().put(key, Vec::new());
        Ok(Reply::Done)
    }

    pub(super) fn muted(&self, which: &Selector) -> Result<Reply, Error> {
        let muted = self.muted_authors(self.chain(which)?)?;
        Ok(Reply::Authors(muted.into_iter().collect()))
    }

    fn muted_authors(&self, chain: &Chain) -> Result<BTreeSet<PublicKey>, Fault> {
        let mut muted = BTreeSet::new();
        records::each(self.store(), &layout::all_muted(chain.no), |key, _| {
            let author = layout::last_hash(key).map(|hash| PublicKey::from_bytes(*hash.as_bytes()));
            let Some(Ok(author)) = author else {
                return Err(Fault::Corrupt("a muted author's key".into()));
            };
            muted.insert(author);
            Ok(())
        })?;
        Ok(muted)
    }
}

/// What a listing needs to know besides the posts.
struct Reader {
    read: u32,
    adopted: BTreeSet<Ix>,
    muted: BTreeSet<PublicKey>,
    search: Option<String>,
}

impl Reader {
    fn is_unread(&self, ix: Ix) -> bool {
        ix.0 > self.read || self.adopted.contains(&ix)
    }
}

fn says(said: &Said, search: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(search);
    match said {
        Said::Content(Content::Message(message)) => {
            message.title.as_ref().is_some_and(|title| has(title))
                || has(&String::from_utf8_lossy(&message.body))
        }
        Said::Content(Content::Profile(profile)) => has(&profile.name) || has(&profile.about),
        _ => false,
    }
}

/// Without the attachments' bytes, and no longer than a listing shows.
fn short(said: Said) -> Said {
    let Said::Content(Content::Message(message)) = said else { return said };
    let Message { title, reply, body, attachments } = message;
    let mut body = body.into_vec();
    body.truncate(SHOWN_BYTES);
    let names = attachments
        .iter()
        .map(|file| Attachment { name: file.name.clone(), bytes: Bytes::default() });
    let attachments = Bounded::first(names);
    let body = Bytes::new(body).unwrap_or_default();
    Said::Content(Content::Message(Message { title, reply, body, attachments }))
}
