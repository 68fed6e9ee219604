//! What is measured, and with which input.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
};

use covey_tests::process::{Home, binary, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::Command;

#[tokio::test]
async fn a_conversation_is_made_up_where_none_is_given() {
    // Its data directory is in COVEY_DATA.
    let home = Home::new("Ann").await;
    let grown: Value = home.run(&["bench", "chains", "--grow", "1000", "--json"]).await.json();
    assert_eq!(grown[0]["blocks"], 1000, "{grown}");
    assert!(grown[0]["mean"].as_f64().is_some_and(|mean| mean > 0.0), "{grown}");
    let missing = home.run(&["bench", "chains", "--data", "/nowhere"]).await.failed(1);
    assert!(missing.contains("/nowhere"), "{missing}");
}

#[tokio::test]
async fn what_the_machine_did_stands_beside_the_messages() {
    let home = Home::new("Ann").await;
    let all =
        ["bench", "msg", "--messages", "200", "--pace", "100", "--transport", "tcp", "--json"];
    let result: Value = home.run(&all).await.json();
    assert_eq!(result["messages"], 200, "{result}");
    assert_eq!(result["latency"]["count"], 500, "{result}");
    assert!(result["status_at_full_rate"]["count"].as_u64() > Some(0), "{result}");
    for what in ["status", "socket", "disk"] {
        let times = &result["meanwhile"][what];
        assert!(times["count"].as_u64() > Some(100), "{what} in {result}");
        assert!(times["p50"].as_f64() > Some(0.0), "{what} in {result}");
    }
}

/// Processes with this in their command line.
fn processes(with: &Path) -> usize {
    let with = with.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.flat_map(|process| std::fs::read_to_string(process.path().join("cmdline")));
    lines.filter(|line| line.contains(with)).count()
}

/// A benchmark of messages with its data in a folder, and a signal to it when both nodes run.
async fn signalled(mut command: Command, place: &Path, signal: Signal) -> ExitStatus {
    let mut bench = command
        .args(["bench", "msg", "--messages", "10", "--pace", "10", "--transport", "tcp"])
        .env("TMPDIR", place)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("both nodes run", || async { processes(place) == 2 }).await;
    let pid = bench.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    kill_process(pid.unwrap(), signal).unwrap();
    bench.wait().await.unwrap()
}

#[tokio::test]
async fn a_signal_ends_the_nodes_of_a_benchmark_too() {
    let place = tempfile::tempdir().unwrap();
    let ended = signalled(Command::new(binary()), place.path(), Signal::TERM).await;
    assert_eq!(ended.code(), Some(1));
    until("none runs", || async { processes(place.path()) == 0 }).await;
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "its folder is gone");
}

#[tokio::test]
async fn a_benchmark_outlives_its_terminal_where_that_is_wanted() {
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new("nohup");
    command.arg(binary());
    let ended = signalled(command, place.path(), Signal::HUP).await;
    assert!(ended.success(), "{ended}");
}
