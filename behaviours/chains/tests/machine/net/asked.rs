//! What users do and ask at the nodes.

use covey_chains::{
    BlockId, Error,
    command::{ChainStatus, Command, Join, Post, Reader, Reply, Show, State, Which},
    envelope::Content,
    genesis::Genesis,
    wire::Item,
};
use covey_kernel::{Bytes, Span};

use super::{Net, key, which};

impl Net {
    pub(crate) fn join(&mut self, at: usize, genesis: &Genesis) {
        let join = Join { genesis: genesis.clone(), first: None, key: None };
        self.call(at, Command::Join(Box::new(join))).unwrap();
        self.run();
    }

    pub(crate) fn post(
        &mut self,
        at: usize,
        genesis: &Genesis,
        text: &str,
        author: u8,
    ) -> (BlockId, State) {
        self.wait(Span::secs(1));
        self.posted(at, genesis, text, Some(author), None).unwrap()
    }

    pub(crate) fn vote(
        &mut self,
        at: usize,
        genesis: &Genesis,
        vote: (bool, BlockId),
        author: u8,
    ) -> Result<(BlockId, State), Error> {
        self.wait(Span::secs(1));
        self.posted(at, genesis, "", Some(author), Some(vote))
    }

    pub(crate) fn posted(
        &mut self,
        at: usize,
        genesis: &Genesis,
        text: &str,
        author: Option<u8>,
        vote: Option<(bool, BlockId)>,
    ) -> Result<(BlockId, State), Error> {
        self.posted_for(at, genesis, text, author, vote, None)
    }

    /// The same, for one reader.
    pub(crate) fn posted_for(
        &mut self,
        at: usize,
        genesis: &Genesis,
        text: &str,
        author: Option<u8>,
        vote: Option<(bool, BlockId)>,
        reader: Option<Reader>,
    ) -> Result<(BlockId, State), Error> {
        let chain = which(genesis);
        let content = Content::plain(text.as_bytes().to_vec()).unwrap();
        let post = Post { chain, content, sign: author.map(key), vote, reader };
        match self.call(at, Command::Post(Box::new(post)))? {
            Reply::Posted(id, state) => Ok((id, state)),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn order(&mut self, at: usize, genesis: &Genesis) -> Vec<BlockId> {
        match self.call(at, Command::Order(which(genesis))).unwrap() {
            Reply::Ids(ids) => ids,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn status(&mut self, at: usize, genesis: &Genesis) -> ChainStatus {
        match self.call(at, Command::Status(which(genesis))).unwrap() {
            Reply::Status(status) => *status,
            other => panic!("{other:?}"),
        }
    }

    /// The ends of something, in the order of their ids.
    pub(crate) fn heads(&mut self, at: usize, genesis: &Genesis, heads: Which) -> Vec<BlockId> {
        match self.call(at, Command::Heads(which(genesis), heads)).unwrap() {
            Reply::Ids(mut ids) => {
                ids.sort_unstable();
                ids
            }
            other => panic!("{other:?}"),
        }
    }

    /// Chooses a side; how many blocks are then followed, and how many are left aside.
    pub(crate) fn choose(
        &mut self,
        at: usize,
        genesis: &Genesis,
        id: BlockId,
    ) -> Result<(usize, usize), Error> {
        match self.call(at, Command::Choose(which(genesis), id))? {
            Reply::Chosen { adopted, aside, .. } => {
                Ok((adopted.try_into().unwrap(), aside.try_into().unwrap()))
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn unread(&mut self, at: usize, genesis: &Genesis) -> Vec<BlockId> {
        let chain = which(genesis);
        let show = Show { chain, from: 0, limit: 100, search: None, unread: true };
        match self.call(at, Command::Show(show)).unwrap() {
            Reply::Shown(shown, None) => shown.into_iter().map(|shown| shown.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn payload(
        &mut self,
        at: usize,
        genesis: &Genesis,
        id: BlockId,
    ) -> Result<String, Error> {
        self.read_with(at, genesis, id, None)
    }

    /// The same with somebody's key.
    pub(crate) fn read_with(
        &mut self,
        at: usize,
        genesis: &Genesis,
        id: BlockId,
        reader: Option<u8>,
    ) -> Result<String, Error> {
        match self
            .call(at, Command::Content(which(genesis), id, reader.map(|who| Box::new(key(who)))))?
        {
            Reply::Content(content) => Ok(String::from_utf8(content.body()).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    /// A block with its payload, as it travels.
    pub(crate) fn item(&mut self, at: usize, genesis: &Genesis, id: BlockId) -> Item {
        let Ok(Reply::Block(info)) = self.call(at, Command::Block(which(genesis), id)) else {
            panic!("{id} is not there")
        };
        let payload = self.payload(at, genesis, id).unwrap().into_bytes();
        Item { block: info.block.unwrap(), payload: Bytes::new(payload).ok() }
    }

    /// All show the same order, of so many blocks.
    pub(crate) fn same(&mut self, genesis: &Genesis, blocks: usize) {
        let orders: Vec<_> = (0..self.nodes.len()).map(|at| self.order(at, genesis)).collect();
        for (at, order) in orders.iter().enumerate() {
            assert_eq!(order.len(), blocks + 1, "node {at}");
            assert_eq!(*order, orders[0], "node {at}");
        }
    }
}
