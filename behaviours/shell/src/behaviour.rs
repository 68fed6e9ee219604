use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use covey_kernel::{AskFailure, AskId, NetworkId, Peer, RequestId};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, transport::PortUse},
    request_response as rr,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    Counters, Event, NotEd25519, Protocol,
    budget::{Budget, Share},
    codec::{Answers, Codec, Parcel, Requests},
    config::Config,
    frame::{self, Malformed, Reply},
    inbox::{Arrived, Done, Inbox},
    limits::STREAMS_PER_CONNECTION,
    outbox::{Flight, Outbox},
    peer, peer_id,
};

/// How often deadlines are looked at while anything waits.
const TICK: Duration = Duration::from_millis(100);

type Inner = rr::Behaviour<Codec>;

/// One machine's protocol on the swarm.
pub struct Shell {
    protocol: Protocol,
    inner: Inner,
    config: Config,
    outbox: Outbox,
    inbox: Inbox,
    /// Events to hand on; those of one frame share what it took of the budget. Bounded, as each
    /// is for a request within the bounds of the inbox or the outbox, or for one read frame.
    events: VecDeque<(Event, Option<Arc<Share>>)>,
    counters: Counters,
    timer: Option<Pin<Box<Sleep>>>,
    waker: Option<Waker>,
}

impl Shell {
    /// A shell that speaks for a machine on this network. All shells of a node share one budget.
    #[must_use]
    pub fn new(protocol: Protocol, network: &NetworkId, config: Config, budget: Budget) -> Self {
        // A name that does not begin with a slash is the one error, and ours does.
        let name = StreamProtocol::try_from_owned(protocol.on(network)).ok();
        let settings = rr::Config::default()
            .with_request_timeout(config.timeout)
            .with_max_concurrent_streams(STREAMS_PER_CONNECTION);
        let protocols = name.map(|name| (name, rr::ProtocolSupport::Full));
        let frames = protocol.frames;
        Self {
            protocol,
            inner: rr::Behaviour::with_codec(Codec::new(frames, budget), protocols, settings),
            config,
            outbox: Outbox::default(),
            inbox: Inbox::new(frame::answer_payload(frames), frames.response),
            events: VecDeque::new(),
            counters: Counters::default(),
            timer: None,
            waker: None,
        }
    }

    /// Sends a request, connecting to the peer if need be. An error is the outcome, and no
    /// event follows: `Busy` when too much is under way, `Broken` when the request is larger
    /// than the machine's own bound. After `Ok` exactly one [`Event::Answer`] follows.
    pub fn ask(&mut self, to: Peer, ask: AskId, bytes: Vec<u8>) -> Result<(), AskFailure> {
        if bytes.len() > self.protocol.frames.request {
            tracing::error!(
                machine = self.protocol.name,
                size = bytes.len(),
                "own request over the bound"
            );
            return Err(AskFailure::Broken);
        }
        self.outbox.admit(to, ask, bytes, Instant::now())?;
        self.counters.asks = self.counters.asks.saturating_add(1);
        self.wake();
        Ok(())
    }

    /// Answers a request; without effect if that is answered, too late, or its asker gone.
    pub fn answer(&mut self, to: RequestId, bytes: Vec<u8>) {
        self.reply(to, Reply::Ok(bytes));
    }

    /// Tells the asker that nobody has looked at the request.
    pub fn busy(&mut self, to: RequestId) {
        self.reply(to, Reply::Busy);
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn reply(&mut self, to: RequestId, reply: Reply) {
        if let Some(done) = self.inbox.set(to, reply) {
            self.respond(done);
        }
    }

    fn respond(&mut self, done: Done) {
        let answers = Parcel::outgoing(done.answers);
        if self.inner.send_response(done.channel, answers).is_err() {
            tracing::debug!(machine = self.protocol.name, "the asker is gone");
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn tell(&mut self, event: Event, share: Option<&Arc<Share>>) {
        self.events.push_back((event, share.cloned()));
    }

    fn blame(&mut self, peer: Peer, why: Malformed) {
        self.counters.malformed = self.counters.malformed.saturating_add(1);
        self.tell(Event::Misbehaved { peer, why }, None);
    }

    fn fail(&mut self, from: Peer, asks: Vec<AskId>, why: AskFailure) {
        for ask in asks {
            self.tell(Event::Answer { from, ask, outcome: Err(why) }, None);
        }
    }

    /// Sends what is queued, packed.
    fn flush(&mut self) {
        let flight_within = self.config.timeout.saturating_add(self.config.dial_within);
        while let Some(packed) = self.outbox.pack(frame::request_payload(self.protocol.frames)) {
            let to = peer_id(&packed.to);
            let (requests, flight) = packed.split();
            let id = self.inner.send_request(&to, Parcel::outgoing(requests));
            let now = Instant::now();
            self.outbox.launch(id, flight, now.checked_add(flight_within).unwrap_or(now));
            self.counters.frames_out = self.counters.frames_out.saturating_add(1);
        }
    }

    /// Ends what is over its time.
    fn expire(&mut self, now: Instant) {
        let (flights, unsent) = self.outbox.expire(now, self.config.send_within);
        for Flight { to, asks, .. } in flights {
            // Request-response lost it: another behaviour refused the connection that had it.
            self.fail(to, asks, AskFailure::Timeout);
        }
        for (to, ask) in unsent {
            self.fail(to, vec![ask], AskFailure::Busy);
        }
        for done in self.inbox.expire(now) {
            self.respond(done);
        }
    }

    /// Whether the time has come to look at deadlines. Sets the timer while anything waits.
    fn tick(&mut self, cx: &mut Context<'_>) -> bool {
        if self.outbox.is_empty() && self.inbox.is_empty() {
            self.timer = None;
            return false;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(TICK)));
        let due = timer.as_mut().poll(cx).is_ready();
        if due {
            self.timer = None;
        }
        due
    }

    fn on_inner(&mut self, event: rr::Event<Requests, Answers>) {
        match event {
            rr::Event::Message { peer: id, message, .. } => self.on_message(id, message),
            rr::Event::OutboundFailure { request_id, error, .. } => {
                self.on_outbound_failure(request_id, &error);
            }
            rr::Event::InboundFailure { request_id, .. }
            | rr::Event::ResponseSent { request_id, .. } => self.inbox.forget(request_id),
        }
    }

    fn on_message(&mut self, id: PeerId, message: rr::Message<Requests, Answers>) {
        // Others are refused when they connect. A dropped channel closes the stream.
        let Some(from) = peer(&id) else { return };
        match message {
            rr::Message::Request { request_id, request, channel } => {
                self.on_requests(from, request_id, request, channel);
            }
            rr::Message::Response { request_id, response } => {
                self.on_answers(request_id, response);
            }
        }
    }

    fn on_requests(
        &mut self,
        from: Peer,
        frame: rr::InboundRequestId,
        parcel: Requests,
        channel: rr::ResponseChannel<Answers>,
    ) {
        let Parcel { content, share } = parcel;
        let requests = match content {
            Ok(requests) => requests,
            Err(why) => return self.blame(from, why),
        };
        let now = Instant::now();
        let deadline = now.checked_add(self.config.answer_within).unwrap_or(now);
        self.counters.frames_in = self.counters.frames_in.saturating_add(1);
        let arrived = Arrived { from, frame, channel, requests, share, deadline };
        let (requests, done) = self.inbox.open(arrived);
        for (id, bytes) in requests {
            self.counters.requests = self.counters.requests.saturating_add(1);
            self.tell(Event::Request { from, id, bytes }, None);
        }
        if let Some(done) = done {
            self.respond(done);
        }
    }

    fn on_answers(&mut self, id: rr::OutboundRequestId, parcel: Answers) {
        let Some(Flight { to, asks, .. }) = self.outbox.land(id) else { return };
        let Parcel { content, share } = parcel;
        let share = share.map(Arc::new);
        let checked = content.and_then(|answers| match (answers.len(), asks.len()) {
            (answers_len, asks_len) if answers_len == asks_len => Ok(answers),
            (answers, requests) => Err(Malformed::Count { answers, requests }),
        });
        let answers = match checked {
            Ok(answers) => answers,
            Err(why) => {
                self.blame(to, why);
                return self.fail(to, asks, AskFailure::Broken);
            }
        };
        for (ask, answer) in asks.into_iter().zip(answers) {
            let outcome = match answer {
                Reply::Ok(bytes) => Ok(bytes),
                Reply::Busy => Err(AskFailure::Busy),
                Reply::Late => Err(AskFailure::Timeout),
            };
            self.tell(Event::Answer { from: to, ask, outcome }, share.as_ref());
        }
    }

    fn on_outbound_failure(&mut self, id: rr::OutboundRequestId, error: &rr::OutboundFailure) {
        let Some(Flight { to, asks, .. }) = self.outbox.land(id) else { return };
        let why = failure(error);
        tracing::debug!(machine = self.protocol.name, peer = %to, %error, "a frame failed");
        self.fail(to, asks, why);
        // What waits for the same peer would meet the same end, after one more try each.
        if matches!(why, AskFailure::Unreachable | AskFailure::Unsupported) {
            let waiting = self.outbox.give_up(to);
            self.fail(to, waiting, why);
        }
    }
}

/// What a failure of request-response means to a machine.
fn failure(error: &rr::OutboundFailure) -> AskFailure {
    match error {
        rr::OutboundFailure::DialFailure => AskFailure::Unreachable,
        rr::OutboundFailure::Timeout => AskFailure::Timeout,
        // An I/O error: the stream ended before the answer, whoever ended it.
        rr::OutboundFailure::ConnectionClosed | rr::OutboundFailure::Io(_) => AskFailure::Closed,
        rr::OutboundFailure::UnsupportedProtocols => AskFailure::Unsupported,
    }
}

/// Refuses a connection with a peer that has no Ed25519 key.
fn admit(id: PeerId) -> Result<(), ConnectionDenied> {
    peer(&id).map(drop).ok_or_else(|| ConnectionDenied::new(NotEd25519(id)))
}

impl NetworkBehaviour for Shell {
    type ConnectionHandler = THandler<Inner>;
    type ToSwarm = Event;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        admit(peer)?;
        self.inner.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        peer.map_or(Ok(()), admit)?;
        self.inner.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        admit(peer)?;
        self.inner.handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some((event, _)) = self.events.pop_front() {
                return Poll::Ready(ToSwarm::GenerateEvent(event));
            }
            self.flush();
            match self.inner.poll(cx) {
                Poll::Ready(ToSwarm::GenerateEvent(event)) => self.on_inner(event),
                Poll::Ready(other) => {
                    return Poll::Ready(other.map_out(|_| unreachable!("matched above")));
                }
                Poll::Pending if self.tick(cx) => self.expire(Instant::now()),
                Poll::Pending => {
                    self.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }
}
