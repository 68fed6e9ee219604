use covey_kernel::Span;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Says in words what bytes mean, if they mean anything.
pub type Words = fn(&[u8]) -> Option<String>;

/// How rough the world is. Chances are per message; intervals are means between two faults of
/// a kind, `None` for never.
#[derive(Debug, Clone)]
pub struct Config {
    /// How many nodes.
    pub nodes: usize,
    /// Shortest and longest way of one message. Each link, in each direction, has a longest way
    /// of its own between the two; the spread reorders messages.
    pub latency: (Span, Span),
    /// Chance that a message is lost.
    pub loss: f64,
    /// Chance that a request comes twice.
    pub duplicate: f64,
    /// Chance that an answer comes once more later, perhaps after a restart.
    pub stray: f64,
    /// Chance that a request finds a full queue.
    pub busy: f64,
    /// Crashes of single nodes, at any point of a turn.
    pub crash: Option<Span>,
    /// Longest time that a node stays down.
    pub down: Span,
    /// Partitions of the network in two.
    pub partition: Option<Span>,
    /// Links that lose everything in one direction.
    pub cut: Option<Span>,
    /// Longest time that a partition or a cut lasts.
    pub apart: Span,
    /// Disks that fill up; the node halts at its next commit.
    pub full: Option<Span>,
    /// Reads that fail on a flipped bit, which the database's checksums notice.
    pub flip: Option<Span>,
    /// Wake-ups that nobody asked for.
    pub nudge: Option<Span>,
    /// How far clocks are apart at most.
    pub skew: Span,
    /// Prints everything that happens to stderr, with requests and answers in these words.
    pub story: Option<Words>,
}

impl Config {
    /// A network without faults.
    #[must_use]
    pub fn calm(nodes: usize) -> Self {
        Self {
            nodes,
            latency: (Span::millis(1), Span::millis(50)),
            loss: 0.0,
            duplicate: 0.0,
            stray: 0.0,
            busy: 0.0,
            crash: None,
            down: Span::secs(60),
            partition: None,
            cut: None,
            apart: Span::secs(120),
            full: None,
            flip: None,
            nudge: None,
            skew: Span::ZERO,
            story: None,
        }
    }

    /// Every kind of fault, often.
    #[must_use]
    pub fn rough(nodes: usize) -> Self {
        Self {
            latency: (Span::millis(1), Span::millis(400)),
            loss: 0.03,
            duplicate: 0.03,
            stray: 0.03,
            busy: 0.02,
            crash: Some(Span::secs(40)),
            partition: Some(Span::secs(240)),
            cut: Some(Span::secs(120)),
            full: Some(Span::secs(300)),
            flip: Some(Span::secs(300)),
            nudge: Some(Span::secs(60)),
            skew: Span::secs(300),
            ..Self::calm(nodes)
        }
    }

    /// Some kinds of fault of a rough world, chosen by the seed, so that rare meetings of two
    /// kinds are not drowned by a third.
    #[must_use]
    pub fn seeded(seed: u64, nodes: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
        let mut config = Self::rough(nodes);
        for chance in [&mut config.loss, &mut config.duplicate, &mut config.stray, &mut config.busy]
        {
            *chance *= f64::from(rng.random_range(0..4u32));
        }
        for interval in [
            &mut config.crash,
            &mut config.partition,
            &mut config.cut,
            &mut config.full,
            &mut config.flip,
            &mut config.nudge,
        ] {
            if rng.random_bool(0.3) {
                *interval = None;
            }
        }
        config
    }
}
