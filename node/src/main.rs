//! The `covey` command.

use std::process::ExitCode;

use clap::Parser;
use covey::cli::{Cli, run};

/// Where chains compute, the system's allocator took a quarter of the time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!(
                "covey: cannot start threads: {error}; raise the limit on processes (ulimit -u)"
            );
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run(cli));
    // Threads that still read standard input must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}
