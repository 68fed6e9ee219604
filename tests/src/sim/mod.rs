//! A simulated world for any machine: a seeded virtual clock, network and disk, crashes at
//! every point of a turn, and peers that lie.
//!
//! Everything that happens follows from the seed: the same seed gives the same
//! [`World::trace`], so each failure can be replayed.
//!
//! ```no_run
//! # use covey_tests::{sim::{Config, World}, tally::{Command, Rules, Tally, checkers}};
//! # use covey_kernel::Span;
//! let mut world: World<Tally> = World::new(7, Config::rough(5), |me, peers| Rules::new(me, peers));
//! world.command(0, Command::Add(1));
//! world.run_for(Span::secs(600));
//! world.calm();
//! world.run_for(Span::secs(60));
//! assert_eq!(world.check(&checkers()), Vec::<String>::new());
//! ```

mod chaos;
mod config;
pub mod convert;
mod disk;
mod gossip;
mod node;
mod queue;
mod report;
mod turn;
mod wire;
mod world;

pub use config::{Config, Words};
pub use disk::Disk;
pub use node::{Call, Node, Outcome, Outgoing, Tamper};
pub use report::{Checker, Report, Stats};
pub use world::World;
