//! `bench`: whole paths, measured between real processes on this machine.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use futures::TryFutureExt as _;

use super::{Failure, Global, interrupt::Signals, print};
use crate::{
    bench::{Latency, chains, echo, ledger, msg},
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
    /// Payments: the five scenarios of the thesis, many in flight, one validator replaced, and one alone
    ///
    /// The nodes' data is in the folder for temporary files, which must be on the disk that is to be
    /// measured: TMPDIR=/home/ann covey bench ledger
    #[command(after_help = "Example: covey bench ledger --trials 10,100,1000")]
    Ledger {
        /// How often each scenario is done, in one run after another
        #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
        trials: Vec<u32>,
        /// How many payments are made with many in flight
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
        flood: u32,
        /// How many transactions one validator alone is fed with
        #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(2..))]
        fed: u32,
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
        Bench::Ledger { trials, flood, fed } => {
            let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            let trials: Vec<usize> = trials.into_iter().map(count).collect();
            let say = |what: &str| eprintln!("measuring: {what}");
            let measured = ledger::measure(&trials, count(flood), count(fed), say);
            let result = Signals::listen()?.unless(measured.map_err(failed)).await?;
            print::either(global.json, &result, ledger_text)
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

fn ledger_text(result: &ledger::LedgerResult) -> String {
    let ledger::Limits { sign, verify, verify_owners, verify_validators } = result.limits;
    let mut text = format!(
        "one core: {sign:.0} signatures a second; verified {verify:.0} one by one, {verify_owners:.0} in \
         batches, {verify_validators:.0} in batches of four keys\n\
         one payment after another, everything synced by four validators and the wallet{}:\n\
         scenario   trials   payments/s   thesis   times   six nodes   latency",
        if result.in_memory { " (in memory!)" } else { "" }
    );
    for run in &result.runs {
        let (thesis, times) = match run.thesis {
            Some(thesis) => (format!("{thesis:.2}"), format!("{:.0}", run.rate / thesis)),
            None => ("-".into(), "-".into()),
        };
        text.push_str(&format!(
            "\n{:>8} {:>8} {:>12.0} {thesis:>8} {times:>7} {:>8.1} ms   {}",
            run.scenario,
            run.trials,
            run.rate,
            run.cpu_micros / 1e3,
            ledger::latency_text(&run.latency)
        ));
    }
    let (flood, fed, replaced) = (&result.flood, &result.fed, &result.replaced);
    text.push_str(&format!(
        "\n{} payments, {} in flight: {:.0} a second; {:.0} µs of processor time each, on six nodes\n\
         one of the validators replaced at {} locks: {:.1} s until a quorum of the new ones voted, {:.1} s until all \
         did, copying included; the longest of {} payments meanwhile took {:.1} s\n\
         one validator alone: {:.0} transactions a second, {:.0} a second of its processor time: {:.1} µs \
         each\n  of these, at the limits above: {:.1} for the owner's signature, {:.1} for the input's \
         votes, {:.1} for its own: {:.0} % are signatures\nmemory of the fullest node: {} MiB",
        flood.payments,
        flood.in_flight,
        flood.rate,
        flood.cpu_micros,
        replaced.locks,
        replaced.change_secs,
        replaced.all_secs,
        replaced.payments,
        replaced.pause_secs,
        fed.rate,
        fed.per_core,
        fed.cpu_micros,
        fed.owner_micros,
        fed.votes_micros,
        fed.sign_micros,
        100.0 * (fed.owner_micros + fed.votes_micros + fed.sign_micros) / fed.cpu_micros,
        result.memory_mib,
    ));
    text
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
