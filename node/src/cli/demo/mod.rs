//! `demo`: the newcomer's first minute. Real processes on this machine do one of everything,
//! and every step says what was checked.

mod forum;
mod money;
mod people;
mod steps;

use std::time::Instant;

use clap::Args;

use super::{Failure, interrupt::Signals, print};
use crate::local::{Community, Local, LocalError, Transport, io};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// End after the last step, even on a terminal
    #[arg(long)]
    once: bool,
}

/// Who votes on payments.
const VALIDATORS: usize = 4;

/// All the money, in hundredths.
const SUPPLY: u64 = 1_000_000;

/// Why the demonstration stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something is not as it should be.
    #[error("this does not hold: {0}")]
    Wrong(String),
    /// A node failed.
    #[error(transparent)]
    Local(#[from] LocalError),
}

/// Fails unless something holds.
fn check(holds: bool, what: impl Into<String>) -> Result<(), DemoError> {
    if holds { Ok(()) } else { Err(DemoError::Wrong(what.into())) }
}

/// The people of the demonstration, and who keeps their money honest.
struct Cast {
    ann: Local,
    bob: Local,
    eve: Local,
    community: Community,
    validators: Vec<Local>,
}

pub(super) async fn run(demo: &Demo) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut signals = Signals::listen()?;
    let place = tempfile::Builder::new().prefix("covey-demo-").tempdir();
    let place = place.map_err(Failure::io("cannot make a temporary folder"))?;
    let (cast, checks) = signals.unless(steps::all(place.path())).await?;
    print::line(&format!(
        "\nAll {checks} steps checked in {:.1} s.",
        begun.elapsed().as_secs_f64()
    ))?;
    if !demo.once && print::to_terminal() {
        invite_on(&cast)?;
        signals.came().await;
    }
    signals.unless(async { Ok(end(cast).await?) }).await?;
    Ok(place.close().map_err(io("cannot remove the temporary folder"))?)
}

/// How the newcomer can go on by hand.
fn invite_on(cast: &Cast) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(Failure::io("cannot find this program"))?;
    let (covey, ann, bob) =
        (program.display(), cast.ann.data().display(), cast.bob.data().display());
    print::line(&format!(
        "\nThe nodes keep running. In another terminal, be Bob:\n  \
         {covey} msg listen --data {bob}\n\
         and in a third one, be Ann:\n  \
         {covey} msg send bob 'Hello from Ann' --data {ann}\n  \
         {covey} msg history bob --data {ann}\n\
         Ctrl-C here ends them and removes everything."
    ))
}

async fn end(cast: Cast) -> Result<(), LocalError> {
    let Cast { ann, bob, eve, validators, community: _ } = cast;
    let mut all = [ann, bob, eve].into_iter().chain(validators).collect::<Vec<_>>();
    futures::future::try_join_all(all.iter_mut().map(Local::stop)).await?;
    Ok(())
}

async fn cast(place: &std::path::Path) -> Result<Cast, LocalError> {
    let community = Community::found(place, VALIDATORS, SUPPLY, Vec::new())?;
    let validators = community.validators(Transport::Both);
    // The forum needs a day to pass.
    let person = |name| community.person(name, Transport::Both, true);
    let (validators, ann, bob, eve) =
        tokio::try_join!(validators, person("Ann"), person("Bob"), person("Eve"))?;
    Ok(Cast { ann, bob, eve, validators, community })
}
