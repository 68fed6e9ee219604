//! Which chains are followed.

use covey_kernel::{Bytes, Effect, Hash, Topic};

use super::desk::Desk;
use crate::{
    Name,
    command::{Event, Join, Reply, Selector},
    error::Error,
    layout::{self, ChainNo},
    limits::CHAINS,
    memory::{Chain, Change, begins_with_a_post},
    records::{self, Joined},
};

impl<'d> Desk<'d, '_, '_> {
    /// The chain that a user means.
    pub(crate) fn chain(&self, which: &Selector) -> Result<&'d Chain, Error> {
        let named = self.memory().chains.values().filter(|chain| {
            chain.joined.genesis.name() == which.name && is_meant(chain, which.id.as_deref())
        });
        let found: Vec<&Chain> = named.collect();
        match found.as_slice() {
            [] => Err(Error::UnknownChain(which.name.to_string())),
            [chain] => Ok(chain),
            several => {
                let choices = several.iter().map(|chain| choice(chain)).collect::<Vec<_>>();
                let name = which.name.to_string();
                Err(Error::Ambiguous { name, choices: choices.join(" or ") })
            }
        }
    }

    pub(super) fn join(&mut self, join: Join) -> Result<Reply, Error> {
        let genesis = join.genesis.id().hash;
        let first = join.first.filter(|_| begins_with_a_post(&join.genesis));
        for chain in self.memory().with_genesis(&genesis) {
            if chain.joined.first == first || first.is_none() {
                return Ok(Reply::Joined(chain.info()));
            }
            if chain.joined.first.is_none() {
                return Ok(Reply::Joined(self.pin(chain, first)));
            }
        }
        if self.memory().chains.len() >= CHAINS {
            return Err(Error::TooManyChains);
        }
        let no = self.fresh_number()?;
        let key = join.key.map(|key| Bytes::new(key.bytes().to_vec())).transpose();
        let key = key.map_err(|_| Error::Malformed("a group's key"))?;
        let joined = Joined { genesis: join.genesis, first, key, since: self.now() };
        let chain = Chain::new(no, joined.clone());
        self.follow(&chain);
        self.change(Change::Follow(no, Box::new(joined)));
        let info = chain.info();
        self.tell(Event::Joined(info.clone()));
        {
            let mut live = self.memory().live.borrow_mut();
            let online: Vec<_> = live.online.iter().map(|peer| (no, *peer)).collect();
            live.due.extend(online);
        }
        self.effect(Effect::Wake(self.now()));
        Ok(Reply::Joined(info))
    }

    /// A chain that has not begun is told which first post to follow.
    fn pin(&mut self, chain: &Chain, first: Option<Hash>) -> crate::command::ChainInfo {
        let joined = Joined { first, ..chain.joined.clone() };
        let pinned = Chain::new(chain.no, joined.clone());
        self.follow(&pinned);
        self.change(Change::Follow(chain.no, Box::new(joined)));
        pinned.info()
    }

    /// Stores what is followed, and listens.
    pub(super) fn follow(&mut self, chain: &Chain) {
        records::write(self.view(), layout::chain(chain.no), &chain.joined);
        self.listen(chain);
        self.round_soon();
    }

    /// Listens to what is gossiped, once it is known which chain this is.
    pub(super) fn listen(&mut self, chain: &Chain) {
        if !chain.awaits_first() {
            self.effect(Effect::Join(Topic(chain.reference().topic())));
        }
    }

    pub(super) fn leave(&mut self, which: &Selector) -> Result<Reply, Error> {
        let chain = match self.chain(which) {
            Ok(chain) => chain,
            Err(Error::UnknownChain(_)) => return Ok(Reply::Left(false)),
            Err(other) => return Err(other),
        };
        let kinds = [layout::chain, layout::read, layout::settled, layout::kept];
        for key in kinds.map(|kind| kind(chain.no)) {
            self.view().delete(key);
        }
        self.view().put(layout::leaving(chain.no), Vec::new());
        self.effect(Effect::Leave(Topic(chain.reference().topic())));
        self.effect(Effect::Wake(self.now()));
        self.abandon(chain)?;
        self.change(Change::Leave(chain.no));
        self.tell(Event::Left(chain.info()));
        Ok(Reply::Left(true))
    }

    pub(super) fn list(&self) -> Reply {
        Reply::List(self.memory().chains.values().map(Chain::info).collect())
    }

    fn fresh_number(&mut self) -> Result<ChainNo, Error> {
        let next: u32 = records::read(self.store(), layout::NEXT)?.unwrap_or(1);
        records::write(self.view(), layout::NEXT.to_vec(), &next.saturating_add(1));
        Ok(ChainNo(next))
    }
}

fn is_meant(chain: &Chain, id: Option<&str>) -> bool {
    let Some(id) = id else { return true };
    let hashes = [Some(chain.genesis.hash), chain.joined.first];
    let id = id.to_lowercase();
    hashes.iter().flatten().any(|hash| hash.to_string().starts_with(&id))
}

/// How a user names a chain among others of the same name.
fn choice(chain: &Chain) -> String {
    let hash = chain.joined.first.unwrap_or(chain.genesis.hash).to_string().to_uppercase();
    let name: Name = chain.joined.genesis.name();
    format!("{name}@{}", hash.get(..12).unwrap_or(&hash))
}
