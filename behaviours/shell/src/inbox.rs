use std::collections::{BTreeMap, HashMap};

use covey_kernel::{Peer, RequestId};
use libp2p::request_response::{InboundRequestId, ResponseChannel};
use tokio::time::Instant;

use crate::{
    budget::Share,
    codec::Answers,
    frame::Reply,
    limits::{REQUESTS_PER_PEER, REQUESTS_TOTAL},
};

/// Requests of peers that wait for our answer, frame by frame.
pub(crate) struct Inbox {
    /// By the id of the first request; the others follow without gaps. The first is the oldest.
    frames: BTreeMap<u64, Held>,
    firsts: HashMap<InboundRequestId, u64>,
    peers: HashMap<Peer, usize>,
    total: usize,
    next: u64,
    /// Payload bytes of one frame of answers, and of one answer.
    payload: usize,
    item: usize,
}

struct Held {
    from: Peer,
    frame: InboundRequestId,
    channel: ResponseChannel<Answers>,
    replies: Vec<Option<Reply>>,
    waiting: usize,
    bytes: usize,
    deadline: Instant,
    /// Given back when the frame is answered: until then the driver holds its bytes.
    _share: Option<Share>,
}

/// A frame that came.
pub(crate) struct Arrived {
    pub(crate) from: Peer,
    pub(crate) frame: InboundRequestId,
    pub(crate) channel: ResponseChannel<Answers>,
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) share: Option<Share>,
    pub(crate) deadline: Instant,
}

/// A frame to be answered now.
pub(crate) struct Done {
    pub(crate) channel: ResponseChannel<Answers>,
    pub(crate) answers: Vec<Reply>,
}

impl Inbox {
    pub(crate) fn new(payload: usize, item: usize) -> Self {
        Self {
            frames: BTreeMap::new(),
            firsts: HashMap::new(),
            peers: HashMap::new(),
            total: 0,
            next: 0,
            payload,
            item,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Takes in a frame. Gives the requests to hand on, in order; those over the bounds are
    /// answered busy, and if that is all of them, the frame is done.
    pub(crate) fn open(&mut self, arrived: Arrived) -> (Vec<(RequestId, Vec<u8>)>, Option<Done>) {
        let Arrived { from, frame, channel, requests, share, deadline } = arrived;
        let count = requests.len();
        let held_by_peer = self.peers.get(&from).copied().unwrap_or_default();
        let room = REQUESTS_PER_PEER
            .saturating_sub(held_by_peer)
            .min(REQUESTS_TOTAL.saturating_sub(self.total))
            .min(count);
        let first = self.next;
        self.next = self.next.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        let replies = (0..count).map(|at| (at >= room).then_some(Reply::Busy)).collect();
        let held = Held {
            from,
            frame,
            channel,
            replies,
            waiting: room,
            bytes: 0,
            deadline,
            _share: share,
        };
        if room == 0 {
            return (Vec::new(), Some(held.finish()));
        }
        self.total = self.total.saturating_add(room);
        self.peers.insert(from, held_by_peer.saturating_add(room));
        self.frames.insert(first, held);
        self.firsts.insert(frame, first);
        let ids = (first..).map(RequestId);
        (ids.zip(requests).take(room).collect(), None)
    }

    /// Notes what to say to a request. Gives the frame when it was the last one; an answer for
    /// which the frame has no room becomes `Late`, as it has been acted on.
    pub(crate) fn set(&mut self, id: RequestId, reply: Reply) -> Option<Done> {
        let (&first, held) = self.frames.range_mut(..=id.0).next_back()?;
        let at = usize::try_from(id.0.saturating_sub(first)).ok()?;
        let slot = held.replies.get_mut(at).filter(|slot| slot.is_none())?;
        let bytes = held.bytes.saturating_add(reply.len());
        if bytes > self.payload || reply.len() > self.item {
            tracing::debug!(peer = %held.from, size = reply.len(), "no room for an answer");
            *slot = Some(Reply::Late);
        } else {
            held.bytes = bytes;
            *slot = Some(reply);
        }
        held.waiting = held.waiting.saturating_sub(1);
        let (from, done) = (held.from, held.waiting == 0);
        self.discount(from, 1);
        if done { self.remove(first).map(Held::finish) } else { None }
    }

    /// Frames whose time is over; what has no answer by now is late.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Done> {
        let mut done = Vec::new();
        while let Some((&first, held)) = self.frames.first_key_value() {
            if held.deadline > now {
                break;
            }
            done.extend(self.remove(first).map(Held::finish));
        }
        done
    }

    /// The asker is gone, or has got its answer.
    pub(crate) fn forget(&mut self, frame: InboundRequestId) {
        if let Some(first) = self.firsts.get(&frame).copied() {
            drop(self.remove(first));
        }
    }

    fn remove(&mut self, first: u64) -> Option<Held> {
        let held = self.frames.remove(&first)?;
        self.firsts.remove(&held.frame);
        self.discount(held.from, held.waiting);
        Some(held)
    }

    fn discount(&mut self, from: Peer, requests: usize) {
        self.total = self.total.saturating_sub(requests);
        if let Some(count) = self.peers.get_mut(&from) {
            *count = count.saturating_sub(requests);
            if *count == 0 {
                self.peers.remove(&from);
            }
        }
    }
}

impl Held {
    fn finish(self) -> Done {
        let answers = self.replies.into_iter().map(|reply| reply.unwrap_or(Reply::Late)).collect();
        Done { channel: self.channel, answers }
    }
}
