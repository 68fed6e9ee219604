//! A bare libp2p request-response echo between two processes: what the transport can do without
//! a protocol, a database or encryption of ours.

use std::{
    io,
    process::Stdio,
    time::{Duration, Instant},
};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, noise,
    request_response::{self as rr, Message, ProtocolSupport},
    swarm::SwarmEvent,
    tcp, yamux,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::timeout,
};

use super::{BenchError, rate};
use crate::local::{PATIENCE, Transport};

/// Bytes of a request and of its answer.
pub const BODY: usize = 64;
/// Requests in flight.
const IN_FLIGHT: usize = 64;
/// Requests of one measurement.
const REQUESTS: usize = 20_000;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
struct Fixed;

async fn read<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; BODY];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

impl rr::Codec for Fixed {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }
}

fn failed(error: impl std::fmt::Display) -> BenchError {
    BenchError::Echo(error.to_string())
}

fn swarm() -> Result<Swarm<rr::Behaviour<Fixed>>, BenchError> {
    let protocol = StreamProtocol::new("/covey/bench/echo/1");
    let config = rr::Config::default()
        .with_request_timeout(TIMEOUT)
        .with_max_concurrent_streams(IN_FLIGHT.saturating_mul(2));
    let behaviour = move |_: &_| {
        rr::Behaviour::new([(protocol.clone(), ProtocolSupport::Full)], config.clone())
    };
    Ok(libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(failed)?
        .with_quic()
        .with_behaviour(behaviour)
        .map_err(failed)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build())
}

/// Serves echoes until its process is ended; prints its address first.
pub async fn serve(transport: Transport) -> Result<(), BenchError> {
    let mut swarm = swarm()?;
    let listen = match transport {
        Transport::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
        Transport::Tcp | Transport::Both => "/ip4/127.0.0.1/tcp/0",
    };
    swarm.listen_on(listen.parse().map_err(failed)?).map_err(failed)?;
    let me = *swarm.local_peer_id();
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => println!("{address}/p2p/{me}"),
            SwarmEvent::Behaviour(rr::Event::Message {
                message: Message::Request { request, channel, .. },
                ..
            }) => {
                // Who has gone away needs no answer.
                drop(swarm.behaviour_mut().send_response(channel, request));
            }
            _ => {}
        }
    }
}

/// Requests a second between this process and another one.
pub async fn measure(transport: Transport) -> Result<f64, BenchError> {
    let exe = std::env::current_exe().map_err(failed)?;
    let name = if transport == Transport::Quic { "quic" } else { "tcp" };
    let mut child = tokio::process::Command::new(exe)
        .args(["bench", "echo-server", name])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let out = child.stdout.take().ok_or_else(|| failed("no output"))?;
    let mut lines = BufReader::new(out).lines();
    let late = |_| failed("it does not say where it listens");
    let line = timeout(PATIENCE, lines.next_line()).await.map_err(late)?.map_err(failed)?;
    let address: Multiaddr = line.unwrap_or_default().parse().map_err(failed)?;
    let rate = ask(address).await;
    child.kill().await.map_err(failed)?;
    rate
}

async fn ask(mut address: Multiaddr) -> Result<f64, BenchError> {
    let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.pop() else {
        return Err(failed("no peer id in the address"));
    };
    let mut swarm = swarm()?;
    swarm.add_peer_address(peer, address);
    // Once around, so that dialing is not measured.
    answer(&mut swarm, &peer, 1, 1).await?;
    let begun = Instant::now();
    answer(&mut swarm, &peer, REQUESTS, IN_FLIGHT).await?;
    Ok(rate(REQUESTS, begun.elapsed()))
}

async fn answer(
    swarm: &mut Swarm<rr::Behaviour<Fixed>>,
    peer: &PeerId,
    requests: usize,
    in_flight: usize,
) -> Result<(), BenchError> {
    let mut asked = 0usize;
    let mut answered = 0usize;
    while answered < requests {
        while asked < requests && asked.saturating_sub(answered) < in_flight {
            swarm.behaviour_mut().send_request(peer, vec![7; BODY]);
            asked = asked.saturating_add(1);
        }
        match swarm.select_next_some().await {
            SwarmEvent::Behaviour(rr::Event::Message {
                message: Message::Response { .. }, ..
            }) => answered = answered.saturating_add(1),
            SwarmEvent::Behaviour(rr::Event::OutboundFailure { error, .. }) => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    Ok(())
}
