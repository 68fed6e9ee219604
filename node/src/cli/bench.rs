//! `bench`: whole paths, measured between real processes on this machine.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use futures::TryFutureExt as _;

use super::{Failure, Global, interrupt::Signals, print};
use crate::{
    bench::{Latency, chains, echo, msg},
    local::Transport,
};

#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Messages between two nodes, beside a bare libp2p echo and the disk
    ///
    /// The nodes' data is in the folder for temporary files, which must be on the disk that is to be
    /// measured: TMPDIR=/home/ann covey bench msg
    #[command(after_help = "Example: covey bench msg --messages 10000")]
    Msg {
        /// How many messages the throughput is measured with
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
        messages: u32,
        /// How many messages a second the latency is measured at [default: half of what was
        /// measured]
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        pace: Option<u32>,
        /// Only over this transport
        #[arg(long)]
        transport: Option<Over>,
    },
    /// Order and reputation of a conversation
    #[command(after_help = "Example: covey bench chains --data forum.jsonl")]
    Chains {
        /// The conversation: a JSON object a line, with n, time (ms), author, parents and text
        /// [default: one that is made up, of 10,000 posts]
        #[arg(long)]
        data: Option<PathBuf>,
        /// Let the conversation go on to so many posts, and show what one more costs on the way
        #[arg(long)]
        grow: Option<usize>,
        /// Start a node in which it has happened in so many chains
        #[arg(long, conflicts_with = "grow", value_parser = clap::value_parser!(u8).range(1..))]
        chains: Option<u8>,
    },
    /// Serves the bare echo to another process
    #[command(hide = true)]
    EchoServer {
        /// Over which transport
        transport: Over,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Over {
    Tcp,
    Quic,
}

impl From<Over> for Transport {
    fn from(over: Over) -> Self {
        match over {
            Over::Tcp => Self::Tcp,
            Over::Quic => Self::Quic,
        }
    }
}

fn failed(error: crate::bench::BenchError) -> Failure {
    Failure::Checked(error.to_string())
}

pub(super) async fn run(global: &Global, bench: Bench) -> Result<(), Failure> {
    match bench {
        // Whoever started it ends it, unless they are killed. It prints nothing of its own.
        Bench::EchoServer { transport } => echo::serve(transport.into()).await.map_err(failed),
        Bench::Chains { data, grow: Some(posts), .. } => {
            let grown = chains::grow(data, posts);
            let grown = Signals::listen()?.unless(grown.map_err(failed)).await?;
            print::either(global.json, &grown, |grown| grown_text(grown))
        }
        Bench::Chains { data, chains: Some(count), .. } => {
            let measured = chains::many(data, count.into());
            let many = Signals::listen()?.unless(measured.map_err(failed)).await?;
            print::either(global.json, &many, many_text)
        }
        Bench::Chains { data, .. } => {
            let measured = chains::measure(data);
            let result = Signals::listen()?.unless(measured.map_err(failed)).await?;
            print::either(global.json, &result, chains_text)
        }
        Bench::Msg { messages, pace, transport } => {
            let mut signals = Signals::listen()?;
            let messages = usize::try_from(messages).unwrap_or(usize::MAX);
            let all = [Over::Tcp, Over::Quic];
            let chosen = transport.as_ref().map_or(all.as_slice(), std::slice::from_ref);
            for over in chosen {
                let measured = msg::measure((*over).into(), messages, pace.map(f64::from));
                let result = signals.unless(measured.map_err(failed)).await?;
                print::either(global.json, &result, text)?;
            }
            Ok(())
        }
    }
}

fn grown_text(grown: &[chains::Grown]) -> String {
    let line =
        |size: &chains::Grown| format!("{:>8} blocks: one more {:.1} µs", size.blocks, size.mean);
    let lines: Vec<String> = grown.iter().map(line).collect();
    format!("{}\n(the later Freechains paper: 50,000 to 70,000 µs)", lines.join("\n"))
}

fn many_text(many: &chains::Many) -> String {
    format!(
        "{} chains with {} blocks in all: a start takes {:.0} ms, then a first answer about all of them {:.0} ms; {:.0} MiB resident",
        many.chains, many.blocks, many.start, many.all, many.memory
    )
}

fn text(result: &msg::MsgResult) -> String {
    let (paced, meanwhile) = (&result.paced, &result.paced.meanwhile);
    format!(
        "{:<5} {} messages, each on both {}: {:.0} messages/s\n      \
         bare libp2p echo of {} bytes, 64 in flight: {:.0} requests/s; ratio {:.2}\n      \
         as many again, as fast: node_status of the slower node {}\n      \
         at {:.0} messages/s: {}\n      \
         meanwhile, with 5 ms between:\n      \
         node_status of the slower node: {}\n      \
         bare echo over a socket: {}\n      \
         4 KiB added to a file and synced: {}",
        result.transport,
        result.messages,
        if result.in_memory {
            "nodes, in memory (set TMPDIR to a folder on a disk)"
        } else {
            "disks"
        },
        result.rate,
        echo::BODY,
        result.echo,
        result.ratio,
        times(&result.status_at_full_rate, 2),
        paced.paced_rate,
        times(&paced.latency, 1),
        times(&meanwhile.status, 2),
        times(&meanwhile.socket, 2),
        times(&meanwhile.disk, 2),
    )
}

fn times(latency: &Latency, digits: usize) -> String {
    let Latency { p50, p95, p99, max, .. } = latency;
    format!(
        "p50 {p50:.digits$} ms, p95 {p95:.digits$} ms, p99 {p99:.digits$} ms, max {max:.digits$} ms"
    )
}

fn chains_text(result: &chains::ChainsResult) -> String {
    let (one_more, sync) = (&result.one_more, &result.sync);
    format!(
        "{}{} posts by {} authors, {} likes of what was left out ({} by the owner) and {} posts to join them:\n\
         order and reputation from nothing in {:.0} ms, {:.0} ms with the admission of each (the later Freechains paper: 125 s for 10,000 messages)\n\
         one more: p50 {:.3} ms, p95 {:.3} ms, p99 {:.3} ms, max {:.3} ms (that paper: 50 to 70 ms)\n\
         an empty peer has it all, checked, stored and placed, in {:.0} ms over loopback; then {:.0} MiB resident\n\
         a node that has it starts in {:.0} ms, and answers the first question about it in {:.0} ms",
        if result.made_up { "a made-up conversation: " } else { "" },
        result.posts,
        result.authors,
        result.likes,
        result.by_owner,
        result.joins,
        result.order_from_nothing,
        result.admission_and_order,
        one_more.p50,
        one_more.p95,
        one_more.p99,
        one_more.max,
        sync.took,
        sync.memory,
        sync.start,
        sync.first,
    )
}
