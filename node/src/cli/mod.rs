//! The command line. `covey start` runs a node; `init`, `config` and `completions` work on
//! files alone; every other command is a thin client of the control socket.

mod bench;
mod chain;
mod chains;
mod config;
mod crypto;
mod demo;
mod init;
mod interrupt;
mod keys;
mod msg;
mod net;
mod network;
mod node;
mod outcome;
mod pay;
mod peer;
mod print;
mod purge;
mod rpc;
mod validator;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{client::Client, datadir};
pub use outcome::{Failure, exit_code};

/// A libp2p node that gives a community what it needs without a server.
#[derive(Debug, Parser)]
#[command(name = "covey", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no node runs.

First steps:
  covey init --data ann --name Ann    set up a data directory
  covey start --data ann              run the node
  covey msg code --data ann           your contact code, for others to invite you";

/// What every command takes.
#[derive(Debug, Clone, Args)]
struct Global {
    /// The data directory [default: COVEY_DATA, or else the user's data folder]
    // Not from the environment, or the `--data` of `bench chains` would get it.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Override a setting for this command, as in --set network.mdns=false
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up a data directory
    #[command(after_help = "Example: covey init --data ann --name Ann")]
    Init(init::Init),
    /// Run the node until Ctrl-C or `covey stop`
    #[command(after_help = "Example: covey start --data ann")]
    Start(node::Start),
    /// Stop the node
    #[command(after_help = "Example: covey stop --data ann")]
    Stop,
    /// Tell how the node is doing
    #[command(after_help = "Example: covey status --data ann")]
    Status,
    /// Tell the node's time, or set it if it was started with --settable-clock
    #[command(after_help = "Example: covey now --data ann
covey now 1767225600000 sets it to the beginning of 2026.")]
    Now {
        /// Milliseconds since 1970
        #[arg(value_name = "MS")]
        millis: Option<u64>,
    },
    /// Check clock, disk, permissions and peers, and say what to do
    #[command(after_help = "Example: covey doctor --data ann")]
    Doctor,
    /// Peers and addresses
    #[command(subcommand)]
    Net(net::Net),
    /// Your own keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Keys from pass phrases
    #[command(subcommand)]
    Crypto(crypto::Crypto),
    /// Private messages
    #[command(subcommand)]
    Msg(msg::Msg),
    /// Forums, groups and identities: which are followed
    #[command(subcommand)]
    Chains(chains::Chains),
    /// Read a chain, post to it, vote
    #[command(after_help = "Example: covey chain \"#chat\" post inline \"Bom dia!\" --sign=KEY")]
    Chain(chain::Chain),
    /// Chains with one peer, by hand
    #[command(after_help = "Example: covey peer /ip4/192.0.2.7/tcp/4001 send \"#chat\"")]
    Peer(peer::Peer),
    /// Delete a payload here, refuse it and never serve it again; its block stays
    #[command(after_help = "Example: covey purge 4_2144…")]
    Purge(purge::Purge),
    /// Money: pay, be paid, see what there is
    #[command(subcommand)]
    Pay(pay::Pay),
    /// The validator that this node is
    #[command(subcommand)]
    Validator(validator::Validator),
    /// Begin a network with a ledger
    #[command(subcommand)]
    Network(network::Network),
    /// Settings
    #[command(subcommand)]
    Config(config::Config),
    /// Call a method of the control socket
    #[command(after_help = "Example: covey rpc msg_send '{\"who\": \"bob\", \"text\": \"hi\"}'
`covey rpc rpc_methods` lists them; subscriptions stream until Ctrl-C.")]
    Rpc(rpc::Rpc),
    /// See what covey does: real nodes on this machine, each step checked
    #[command(after_help = "Example: covey demo
On a terminal the nodes keep running until Ctrl-C, for you to go on by hand.")]
    Demo(demo::Demo),
    /// Measure whole paths between real processes on this machine
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Print a completion script for a shell
    #[command(after_help = "Example: covey completions bash > /etc/bash_completion.d/covey")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Runs a command line, and returns the process's exit code.
pub async fn run(cli: Cli) -> u8 {
    let json = cli.global.json;
    match dispatch(cli).await {
        Ok(()) | Err(Failure::NobodyReads) => 0,
        Err(failure) => {
            failure.print(json);
            exit_code(&failure)
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Init(init) => init::run(&global, &init),
        Command::Start(start) => node::start(global, &start).await,
        Command::Stop => node::stop(&global).await,
        Command::Status => node::status(&global).await,
        Command::Now { millis } => node::now(&global, millis).await,
        Command::Doctor => node::doctor(&global).await,
        Command::Net(net) => net::run(&global, net).await,
        Command::Keys(keys) => keys::run(&global, keys).await,
        Command::Crypto(crypto) => crypto::run(&global, crypto),
        Command::Msg(msg) => msg::run(&global, msg).await,
        Command::Chains(chains) => chains::run(&global, chains).await,
        Command::Chain(chain) => chain::run(&global, chain).await,
        Command::Purge(purge) => purge::run(&global, purge).await,
        Command::Peer(peer) => peer::run(&global, peer).await,
        Command::Pay(pay) => pay::run(&global, pay).await,
        Command::Validator(validator) => validator::run(&global, validator).await,
        Command::Network(network) => network::run(&global, network),
        Command::Config(config) => config::run(&global, &config),
        Command::Rpc(rpc) => rpc::run(&global, rpc).await,
        Command::Demo(demo) => demo::run(&demo).await,
        Command::Bench(bench) => bench::run(&global, bench).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "covey", &mut script);
            print::line(String::from_utf8_lossy(&script).trim_end())
        }
    }
}

impl Global {
    /// With the data directory that a command names itself.
    fn at(mut self, dir: Option<&Path>) -> Result<Self, Failure> {
        let Some(dir) = dir else { return Ok(self) };
        if dir.to_string_lossy().contains('=') && !dir.exists() {
            let dir = dir.display();
            return Err(Failure::Usage(format!(
                "{dir} is no directory: write a setting as --set {dir}, or make a directory of that name first"
            )));
        }
        let is_same = |data: &Path| {
            let paths = (std::path::absolute(data), std::path::absolute(dir));
            matches!(paths, (Ok(data), Ok(dir)) if data == dir)
        };
        if self.data.as_deref().is_some_and(|data| !is_same(data)) {
            return Err(Failure::Usage(
                "DIR and --data name two data directories: give one".into(),
            ));
        }
        self.data = Some(dir.to_path_buf());
        Ok(self)
    }

    fn data(&self) -> Result<PathBuf, Failure> {
        match &self.data {
            Some(path) => Ok(path.clone()),
            None => Ok(datadir::default_path()?),
        }
    }

    async fn client(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.data()?).await?)
    }

    fn sources(&self) -> Result<crate::config::Sources, Failure> {
        Ok(crate::config::Sources::of(&self.data()?, self.set.clone()))
    }
}
