use std::{future::Future, time::Duration};

use covey::swarm::{self, Command, Config, Handle, Multiaddr, Port, SwarmError};
use covey_kernel::{
    Address, AskFailure, AskId, Blame, Context, CryptoRng, Fault, Frames, Input, Keypair, Machine,
    MachineError, NetworkId, Peer, Store, Time, View,
};
use tokio::sync::mpsc;

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub(crate) struct Never;

impl From<Fault> for Never {
    fn from(_: Fault) -> Self {
        Self
    }
}

impl MachineError for Never {
    fn blame(&self) -> Blame {
        Blame::Later
    }
}

#[derive(Debug)]
pub(crate) struct Echo;

impl Machine for Echo {
    const NAME: &'static str = "echo";
    const FRAMES: Frames = Frames { request: 1024, response: 1024 };
    type Command = ();
    type Reply = ();
    type Event = ();
    type Error = Never;
    type Rules = ();
    type Checked = ();
    type Delta = ();

    fn open((): (), _: Time, _: &mut dyn CryptoRng, _: &mut View<'_>) -> Result<Self, Never> {
        Ok(Self)
    }

    fn check((): &(), _: &dyn Store, _: Time, inputs: Vec<Input<Self>>) -> Vec<Result<(), Never>> {
        inputs.iter().map(|_| Ok(())).collect()
    }

    fn decide(&self, _: &mut Context<'_, '_, Self>, (): ()) -> Result<(), Never> {
        Ok(())
    }

    fn apply(&mut self, (): ()) {}

    fn refusal(_: &Never) -> Vec<u8> {
        Vec::new()
    }
}

struct Inbox(mpsc::Sender<Input<Echo>>);

impl Port<Echo> for Inbox {
    fn deliver(&self, input: Input<Echo>) -> Result<(), Input<Echo>> {
        self.0.try_send(input).map_err(|error| match error {
            mpsc::error::TrySendError::Full(input) | mpsc::error::TrySendError::Closed(input) => {
                input
            }
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

/// A node of which the test is the machine.
pub(crate) struct Node {
    pub(crate) peer: Peer,
    pub(crate) handle: Handle,
    pub(crate) inputs: mpsc::Receiver<Input<Echo>>,
}

pub(crate) fn quiet(listen: &[&str]) -> Config {
    let listen = listen.iter().map(|text| text.parse().unwrap()).collect();
    Config { listen, mdns: false, kad_server: true, ..Config::default() }
}

pub(crate) const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub(crate) const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

pub(crate) fn start_as(
    seed: u8,
    network: &str,
    config: Config,
    inbox: usize,
) -> Result<Node, SwarmError> {
    let keypair = Keypair::from_secret(&[seed; 32]);
    let (sender, inputs) = mpsc::channel(inbox);
    let handle =
        swarm::spawn::<Echo, _>(config, &keypair, NetworkId::named(network), Inbox(sender))?;
    Ok(Node { peer: keypair.public(), handle, inputs })
}

pub(crate) fn start(seed: u8, config: Config) -> Node {
    start_as(seed, "test", config, 4096).unwrap()
}

impl Node {
    /// Its first address, with its name.
    pub(crate) async fn address(&self) -> Multiaddr {
        until(|| async { !self.handle.addresses().await.unwrap().listen.is_empty() }).await;
        let mut addresses = self.handle.addresses().await.unwrap().listen;
        addresses.swap_remove(0).with_p2p(covey_shell::peer_id(&self.peer)).unwrap()
    }

    pub(crate) async fn next(&mut self) -> Input<Echo> {
        soon(self.inputs.recv()).await.unwrap()
    }

    pub(crate) async fn connected(&mut self, peer: Peer) {
        let input = self.next().await;
        assert!(matches!(input, Input::Connected(other) if other == peer), "{input:?}");
    }

    pub(crate) async fn disconnected(&mut self, peer: Peer) {
        let input = self.next().await;
        assert!(matches!(input, Input::Disconnected(other) if other == peer), "{input:?}");
    }

    pub(crate) async fn ask(&self, to: Peer, ask: u64, bytes: Vec<u8>) {
        self.handle.send(Command::Ask { to, ask: AskId(ask), bytes }).await.unwrap();
    }

    /// The next input, an answer.
    pub(crate) async fn answer(&mut self) -> (u64, Result<Vec<u8>, AskFailure>) {
        match self.next().await {
            Input::Answer { ask, outcome, .. } => (ask.0, outcome),
            other => panic!("{other:?}"),
        }
    }

    /// Answers the next input, a request, with its own bytes.
    pub(crate) async fn echo(&mut self) {
        let Input::Request { id, bytes, .. } = self.next().await else { panic!("no request") };
        self.handle.send(Command::Answer { to: id, bytes }).await.unwrap();
    }

    pub(crate) async fn seek(&self, peer: Peer, address: Option<Multiaddr>) {
        let addresses = address.map(|a| Address::new(a.to_vec()).unwrap()).into_iter().collect();
        self.handle.send(Command::Seek { peer, addresses }).await.unwrap();
    }
}
