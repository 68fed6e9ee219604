use std::collections::{BTreeMap, VecDeque};

use covey_kernel::{
    Input, Machine, Peer,
    limits::{TURN_BYTES, TURN_INPUTS},
};

use super::limits::{
    ANSWER_BYTES, ANSWERS, COMMANDS, GOSSIP, GOSSIP_BYTES, GOSSIP_PER_PEER, REQUEST_BYTES,
    REQUESTS, REQUESTS_PER_PEER, ROUNDS_BEFORE_GOSSIP, SHARE,
};

/// What waits for a machine's next turn, in bounded lanes that are served one by one.
pub(super) struct Lanes<M: Machine> {
    wake: bool,
    /// Answers, and news of connections in order with them.
    answers: Lane<M>,
    commands: VecDeque<Input<M>>,
    requests: Shared<M>,
    gossip: Shared<M>,
    /// The lane served last.
    served: Served,
    /// How often all lanes but gossip were served since that was.
    rounds: usize,
}

#[derive(Clone, Copy)]
enum Served {
    Answers,
    Commands,
    Requests,
}

impl<M: Machine> Default for Lanes<M> {
    fn default() -> Self {
        Self {
            wake: false,
            answers: Lane::default(),
            commands: VecDeque::new(),
            requests: Shared::new(Room {
                count: REQUESTS,
                per_peer: REQUESTS_PER_PEER,
                bytes: REQUEST_BYTES,
            }),
            gossip: Shared::new(Room {
                count: GOSSIP,
                per_peer: GOSSIP_PER_PEER,
                bytes: GOSSIP_BYTES,
            }),
            served: Served::Requests,
            rounds: 0,
        }
    }
}

impl<M: Machine> Lanes<M> {
    /// Queues an input, or gives it back when its lane is full.
    pub(super) fn push(&mut self, input: Input<M>) -> Result<(), Input<M>> {
        let answers = self.answers.queue.len();
        match &input {
            // The driver's own, once.
            Input::Start => return Err(input),
            Input::Wake => self.wake(),
            Input::Answer { .. } => {
                let bytes = self.answers.bytes.saturating_add(payload(&input));
                if answers >= ANSWERS || (answers > 0 && bytes > ANSWER_BYTES) {
                    return Err(input);
                }
                self.answers.push(input);
            }
            Input::Connected(_) | Input::Disconnected(_) => {
                if answers >= ANSWERS.saturating_add(ANSWERS / 2) {
                    return Err(input);
                }
                self.answers.push(input);
            }
            Input::Command { .. } => {
                if self.commands.len() >= COMMANDS {
                    return Err(input);
                }
                self.commands.push_back(input);
            }
            Input::Request { from, .. } => return self.requests.push(*from, input),
            Input::Gossip { from, .. } => return self.gossip.push(*from, input),
        }
        Ok(())
    }

    /// Wakes the machine in its next turn.
    pub(super) fn wake(&mut self) {
        self.wake = true;
    }

    /// A turn's worth: until nothing waits, or the turn is full.
    pub(super) fn take(&mut self) -> Vec<Input<M>> {
        let mut turn = Vec::new();
        let mut bytes = 0usize;
        if std::mem::take(&mut self.wake) {
            turn.push(Input::Wake);
        }
        while turn.len() < TURN_INPUTS && bytes < TURN_BYTES {
            let Some(input) = self.next() else { break };
            bytes = bytes.saturating_add(payload(&input));
            turn.push(input);
        }
        turn
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.wake)
            .saturating_add(self.answers.queue.len())
            .saturating_add(self.commands.len())
            .saturating_add(self.requests.total)
            .saturating_add(self.gossip.total)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One input of the next lane that has any. Gossip waits for some rounds of the others.
    fn next(&mut self) -> Option<Input<M>> {
        if self.rounds >= ROUNDS_BEFORE_GOSSIP {
            self.rounds = 0;
            if let Some(gossip) = self.gossip.pop() {
                return Some(gossip);
            }
        }
        for _ in 0..3 {
            let next;
            (self.served, next) = match self.served {
                Served::Requests => (Served::Answers, self.answers.pop()),
                Served::Answers => (Served::Commands, self.commands.pop_front()),
                Served::Commands => (Served::Requests, self.requests.pop()),
            };
            if matches!(self.served, Served::Requests) {
                self.rounds = self.rounds.saturating_add(1);
            }
            if next.is_some() {
                return next;
            }
        }
        self.gossip.pop()
    }
}

/// Bytes that an input carries from outside.
fn payload<M: Machine>(input: &Input<M>) -> usize {
    match input {
        Input::Request { bytes, .. }
        | Input::Gossip { bytes, .. }
        | Input::Answer { outcome: Ok(bytes), .. } => bytes.len(),
        _ => 0,
    }
}

/// First in, first out; knows its bytes.
struct Lane<M: Machine> {
    queue: VecDeque<Input<M>>,
    bytes: usize,
}

impl<M: Machine> Default for Lane<M> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), bytes: 0 }
    }
}

impl<M: Machine> Lane<M> {
    fn push(&mut self, input: Input<M>) {
        self.bytes = self.bytes.saturating_add(payload(&input));
        self.queue.push_back(input);
    }

    fn pop(&mut self) -> Option<Input<M>> {
        let input = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(payload(&input));
        Some(input)
    }
}

/// How much a lane that peers share holds.
struct Room {
    count: usize,
    per_peer: usize,
    bytes: usize,
}

/// A lane for each peer that has something waiting; one input of each in turn.
struct Shared<M: Machine> {
    room: Room,
    peers: BTreeMap<Peer, Lane<M>>,
    /// The peers in `peers`, the next to be served first.
    round: VecDeque<Peer>,
    total: usize,
    bytes: usize,
}

impl<M: Machine> Shared<M> {
    fn new(room: Room) -> Self {
        Self { room, peers: BTreeMap::new(), round: VecDeque::new(), total: 0, bytes: 0 }
    }

    fn push(&mut self, from: Peer, input: Input<M>) -> Result<(), Input<M>> {
        let size = payload(&input);
        let (count, bytes) =
            self.peers.get(&from).map_or((0, 0), |lane| (lane.queue.len(), lane.bytes));
        let free = self.room.count.saturating_sub(self.total);
        let free_bytes = self.room.bytes.saturating_sub(self.bytes);
        // A peer that has nothing waiting may take what it needs of what is left.
        let fair = count == 0
            || (count < self.room.per_peer.min(free / SHARE)
                && bytes.saturating_add(size) <= free_bytes / SHARE);
        if free == 0 || size > free_bytes || !fair {
            return Err(input);
        }
        if count == 0 {
            self.round.push_back(from);
        }
        self.peers.entry(from).or_default().push(input);
        self.total = self.total.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
        Ok(())
    }

    fn pop(&mut self) -> Option<Input<M>> {
        let peer = self.round.pop_front()?;
        let lane = self.peers.get_mut(&peer)?;
        let input = lane.pop()?;
        if lane.queue.is_empty() {
            self.peers.remove(&peer);
        } else {
            self.round.push_back(peer);
        }
        self.total = self.total.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(payload(&input));
        Some(input)
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::{AskId, CommandId, GossipId, Hash, Keypair, RequestId, Topic};

    use super::{super::testing::Notes, *};

    fn peer(seed: u8) -> Peer {
        Keypair::from_secret(&[seed; 32]).public()
    }

    fn request(from: Peer, size: usize) -> Input<Notes> {
        Input::Request { from, id: RequestId(0), bytes: vec![0; size] }
    }

    fn gossip(from: Peer, size: usize) -> Input<Notes> {
        let topic = Topic(Hash::of(b"topic"));
        Input::Gossip { from, topic, id: GossipId(0), bytes: vec![0; size] }
    }

    fn answer(size: usize) -> Input<Notes> {
        Input::Answer { from: peer(1), ask: AskId(0), outcome: Ok(vec![0; size]) }
    }

    fn command() -> Input<Notes> {
        Input::Command { id: CommandId(0), command: super::super::testing::Command::Add(1) }
    }

    /// Pushes until the lane is full.
    fn fill(lanes: &mut Lanes<Notes>, input: impl Fn() -> Input<Notes>) -> usize {
        (0..100_000).take_while(|_| lanes.push(input()).is_ok()).count()
    }

    #[test]
    fn every_lane_is_bounded() {
        let mut lanes = Lanes::default();
        assert_eq!(fill(&mut lanes, || answer(0)), ANSWERS);
        assert_eq!(fill(&mut lanes, || Input::Connected(peer(1))), ANSWERS / 2);
        assert_eq!(fill(&mut lanes, command), COMMANDS);
        assert_eq!(fill(&mut lanes, || request(peer(1), 0)), REQUESTS_PER_PEER);
        assert_eq!(fill(&mut lanes, || gossip(peer(1), 0)), GOSSIP_PER_PEER);
        assert!(lanes.push(Input::Start).is_err());
    }

    #[test]
    fn bytes_are_bounded_and_given_back() {
        let mut lanes = Lanes::default();
        assert_eq!(fill(&mut lanes, || answer(1 << 20)), ANSWER_BYTES >> 20);
        // One megabyte each: an eighth of what is left of 32.
        assert_eq!(fill(&mut lanes, || request(peer(1), 1 << 20)), 3);
        // 64 KiB each: an eighth of what is left of 8 MiB.
        assert_eq!(fill(&mut lanes, || gossip(peer(1), 64 << 10)), 14);
        while !lanes.is_empty() {
            lanes.take();
        }
        assert_eq!((lanes.answers.bytes, lanes.requests.bytes, lanes.gossip.bytes), (0, 0, 0));
        assert_eq!((lanes.requests.total, lanes.requests.peers.len()), (0, 0));
    }

    #[test]
    fn floods_leave_room_for_one_more_peer() {
        let mut lanes = Lanes::default();
        for flooder in 0..16 {
            fill(&mut lanes, || request(peer(flooder), 100));
            fill(&mut lanes, || request(peer(flooder), 60_000));
        }
        assert!(lanes.push(request(peer(200), 1000)).is_ok());
    }

    #[test]
    fn lanes_and_peers_take_turns() {
        let mut lanes = Lanes::default();
        fill(&mut lanes, || request(peer(1), 0));
        fill(&mut lanes, || answer(0));
        lanes.push(request(peer(2), 0)).unwrap();
        lanes.push(command()).unwrap();
        lanes.push(Input::Wake).unwrap();
        let turn = lanes.take();
        assert_eq!(turn.len(), TURN_INPUTS);
        assert!(matches!(turn[0], Input::Wake));
        assert!(turn[..10].iter().any(|input| matches!(input, Input::Command { .. })));
        let quiet =
            |input: &Input<_>| matches!(input, Input::Request { from, .. } if *from == peer(2));
        assert!(turn[..10].iter().any(quiet));
    }

    #[test]
    fn gossip_comes_last_but_is_not_forgotten() {
        let mut lanes = Lanes::default();
        fill(&mut lanes, || gossip(peer(1), 0));
        fill(&mut lanes, || request(peer(1), 0));
        fill(&mut lanes, || answer(0));
        fill(&mut lanes, command);
        let turn = lanes.take();
        let heard = turn.iter().filter(|input| matches!(input, Input::Gossip { .. })).count();
        assert_eq!(heard, TURN_INPUTS / (3 * ROUNDS_BEFORE_GOSSIP + 1));
        let mut lanes = Lanes::default();
        lanes.push(gossip(peer(1), 0)).unwrap();
        assert_eq!(lanes.take().len(), 1, "nothing else waits");
    }

    #[test]
    fn a_turn_closes_at_its_bytes() {
        let mut lanes = Lanes::default();
        for _ in 0..10 {
            lanes.push(answer(TURN_BYTES / 2)).unwrap();
        }
        assert_eq!(lanes.take().len(), 2);
    }
}
