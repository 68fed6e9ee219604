//! `config`: settings and where they come from.

use clap::Subcommand;

use super::{Failure, Global, print};
use crate::config;

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// List all settings
    #[command(after_help = "Example: covey config show --origin")]
    Show {
        /// Also tell where each value comes from
        #[arg(long)]
        origin: bool,
    },
}

pub(super) fn run(global: &Global, command: &Config) -> Result<(), Failure> {
    let Config::Show { origin } = command;
    let loaded = config::load(&global.sources()?)?;
    for name in &loaded.ignored_variables {
        eprintln!("covey: the environment variable {name} is no setting");
    }
    let shown = loaded.show();
    print::either(global.json, &shown, |shown| {
        let line = |setting: &config::Shown| match origin {
            true => format!("{} = {}    # {}", setting.key, setting.value, setting.origin),
            false => format!("{} = {}", setting.key, setting.value),
        };
        shown.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
