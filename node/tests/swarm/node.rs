use std::{future::Future, time::Duration};

use covey::swarm::{
    self, Carried, Command, Config, Handle, Line, Multiaddr, News, Port, SwarmError,
};
use covey_kernel::{Address, AskFailure, AskId, Frames, Keypair, NetworkId, Peer};
use covey_shell::Protocol;
use tokio::sync::mpsc;

const FRAMES: Frames = Frames { request: 1024, response: 1024 };

struct Inbox(mpsc::Sender<News>);

impl Port for Inbox {
    fn deliver(&self, news: News) -> Result<(), News> {
        self.0.try_send(news).map_err(|error| match error {
            mpsc::error::TrySendError::Full(news) | mpsc::error::TrySendError::Closed(news) => news,
        })
    }
}

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

/// Waits until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    soon(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A node of which the test is the machines.
pub(crate) struct Node {
    pub(crate) peer: Peer,
    pub(crate) handle: Handle,
    /// What messaging hears.
    pub(crate) inputs: mpsc::Receiver<News>,
    /// What chains hears, if the node carries it.
    pub(crate) chains: mpsc::Receiver<News>,
}

pub(crate) fn quiet(listen: &[&str]) -> Config {
    let listen = listen.iter().map(|text| text.parse().unwrap()).collect();
    Config { listen, mdns: false, kad_server: true, ..Config::default() }
}

pub(crate) const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub(crate) const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// A node that carries these machines; each has room for so many inputs.
pub(crate) fn start_with(
    seed: u8,
    network: &str,
    config: Config,
    inbox: usize,
    lines: &[Line],
) -> Result<Node, SwarmError> {
    let keypair = Keypair::from_secret(&[seed; 32]);
    let (messaging, inputs) = mpsc::channel(inbox);
    let (chainer, chains) = mpsc::channel(inbox);
    let carried = |line: &Line| {
        let (name, sender) = match line {
            Line::Messaging => ("messaging", messaging.clone()),
            Line::Chains => ("chains", chainer.clone()),
            // Nothing of the swarm differs for it.
            Line::Ledger => unreachable!("these nodes carry no ledger"),
        };
        let protocol = Protocol { name, frames: FRAMES };
        Carried { line: *line, protocol, port: Box::new(Inbox(sender)) }
    };
    let machines = lines.iter().map(carried).collect();
    let handle = swarm::spawn(config, &keypair, NetworkId::named(network), machines)?;
    Ok(Node { peer: keypair.public(), handle, inputs, chains })
}

pub(crate) fn start_as(
    seed: u8,
    network: &str,
    config: Config,
    inbox: usize,
) -> Result<Node, SwarmError> {
    start_with(seed, network, config, inbox, &[Line::Messaging])
}

/// A node with messaging alone.
pub(crate) fn start(seed: u8, config: Config) -> Node {
    start_as(seed, "test", config, 4096).unwrap()
}

/// A node with both machines.
pub(crate) fn start_both(seed: u8, config: Config) -> Node {
    start_with(seed, "test", config, 4096, &[Line::Messaging, Line::Chains]).unwrap()
}

impl Node {
    /// Its first address, with its name.
    pub(crate) async fn address(&self) -> Multiaddr {
        until(|| async { !self.handle.addresses().await.unwrap().listen.is_empty() }).await;
        let mut addresses = self.handle.addresses().await.unwrap().listen;
        addresses.swap_remove(0).with_p2p(covey_shell::peer_id(&self.peer)).unwrap()
    }

    pub(crate) async fn next(&mut self) -> News {
        soon(self.inputs.recv()).await.unwrap()
    }

    pub(crate) async fn connected(&mut self, peer: Peer) {
        let input = self.next().await;
        assert!(matches!(input, News::Connected(other) if other == peer), "{input:?}");
    }

    pub(crate) async fn disconnected(&mut self, peer: Peer) {
        let input = self.next().await;
        assert!(matches!(input, News::Disconnected(other) if other == peer), "{input:?}");
    }

    pub(crate) async fn ask(&self, to: Peer, ask: u64, bytes: Vec<u8>) {
        let (line, ask) = (Line::Messaging, AskId(ask));
        self.handle.send(Command::Ask { line, to, ask, bytes }).await.unwrap();
    }

    /// The next input, an answer.
    pub(crate) async fn answer(&mut self) -> (u64, Result<Vec<u8>, AskFailure>) {
        match self.next().await {
            News::Answer { ask, outcome, .. } => (ask.0, outcome),
            other => panic!("{other:?}"),
        }
    }

    /// Answers the next input, a request, with its own bytes.
    pub(crate) async fn echo(&mut self) {
        let News::Request { id, bytes, .. } = self.next().await else { panic!("no request") };
        self.handle.send(Command::Answer { line: Line::Messaging, to: id, bytes }).await.unwrap();
    }

    pub(crate) async fn seek(&self, peer: Peer, address: Option<Multiaddr>) {
        let addresses = address.map(|a| Address::new(a.to_vec()).unwrap()).into_iter().collect();
        let line = Line::Messaging;
        self.handle.send(Command::Seek { line, mark: 0, peer, addresses }).await.unwrap();
    }
}
