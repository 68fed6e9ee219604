//! What a person or an operator does wrong, or the machine does to them: each says what it is
//! and what to do, and ends with the documented exit code.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
};

use covey::{
    api::msg::types::SendResult,
    store::{Db, Schema},
};
use covey_kernel::NetworkId;
use covey_tests::process::{Disk, Home, Node, befriend, history, until};
use serde_json::json;

#[tokio::test]
async fn messages_that_cannot_be_sent() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "Roberta").await;
    let failed = ann.run(&["msg", "send", "robert", "by the beginning of a name"]).await;
    assert_eq!(failed.code, Some(0));
    assert_eq!(
        ann.run(&["msg", "send", "robetra", "hi"]).await.failed(1),
        "covey: no contact \"robetra\"; did you mean \"Roberta\"?\n       \
         `covey msg contacts` lists them"
    );
    assert_eq!(
        ann.run(&["msg", "send", "xyz", "hi"]).await.failed(1),
        "covey: no contact \"xyz\"; `covey msg contacts` lists them"
    );
    let empty = ann.run(&["msg", "send", "roberta", ""]).await.failed(1);
    assert_eq!(empty.lines().next(), Some("covey: the text is empty: nothing was sent"));
    let long = "x".repeat(32 * 1024 + 1);
    let arguments = ["msg", "send", "roberta", "-"];
    let failed = ann.home().run_with(&arguments, Some(long.as_bytes())).await.failed(1);
    assert_eq!(
        failed,
        "covey: the text is 32769 bytes, over the limit of 32768: send it as a file"
    );
    let fits = &long.as_bytes()[1..];
    let id = ann.home().run_with(&arguments, Some(fits)).await.ok();
    until("the longest text arrives", || async {
        ann.ok(&["msg", "status", &id]).await == "delivered"
    })
    .await;
    let unknown = ann.run(&["msg", "status", &"0".repeat(32)]).await.failed(1);
    assert!(
        unknown.starts_with(&format!("covey: no message {} here", "0".repeat(32))),
        "{unknown}"
    );
    let garbled = ann.run(&["msg", "invite", "covey:abcdefgh"]).await.failed(1);
    assert!(
        garbled.starts_with("covey: the contact code is incomplete or mistyped: copy it again"),
        "{garbled}"
    );
    let none = ann.run(&["msg", "invite", "bob@example.org"]).await.failed(1);
    assert!(
        none.starts_with(
            "covey: \"bob@example.org\" is neither a contact code (covey:…) nor a peer id"
        ),
        "{none}"
    );
    let own = ann.ok(&["msg", "code"]).await;
    let own = ann.run(&["msg", "invite", &own]).await.failed(1);
    assert!(
        own.starts_with("covey: this is your own contact code: give it to somebody else"),
        "{own}"
    );
    assert_eq!(history(&bob, "ann").await.len(), 2);
}

#[tokio::test]
async fn a_history_of_the_longest_texts_comes_in_pages_that_fit() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    // Six bytes of JSON for each of these.
    let text = "\u{1}".repeat(32 * 1024);
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(covey_tests::process::send(&ann, "bob", &text).await);
    }
    let found: Vec<String> =
        history(&ann, "bob").await.into_iter().map(|message| message.id).collect();
    assert_eq!(found, ids);
    let shown = ann.ok(&["msg", "history", "bob", "--limit", "30", "--json"]).await;
    assert_eq!(shown.lines().count(), 30);
}

#[tokio::test]
async fn commands_that_are_wrong_or_find_no_node() {
    let home = Home::new("Ann").await;
    let data = home.data().display().to_string();
    for command in [&["status"][..], &["msg", "contacts"], &["stop"], &["net", "peers"]] {
        assert_eq!(
            home.run(command).await.failed(3),
            format!("covey: no node runs on {data}; start one: covey start --data {data}")
        );
    }
    let doctor = home.run(&["doctor"]).await;
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.out.contains("BAD node running"), "{doctor:?}");
    for command in [&["frobnicate"][..], &["msg", "send"], &["msg", "history", "x", "--limit", "y"]]
    {
        let error = home.run(command).await.failed(2);
        assert!(error.starts_with("error: "), "{error}");
    }
    let since = home.run(&["msg", "history", "bob", "--since", "yesterday"]).await.failed(2);
    assert_eq!(
        since,
        "covey: \"yesterday\" is no time: write 30m, 12h or 7d (ago), or a date such as 2026-05-01"
    );
    assert_eq!(
        home.run(&["start", "--set", "network.mdsn=false"]).await.failed(2),
        "covey: unknown setting network.mdsn in a flag; did you mean network.mdns?"
    );
    assert_eq!(
        home.run(&["start", "--set", "network.mdns=maybe"]).await.failed(2),
        "covey: network.mdns in a flag: expected true or false, found \"maybe\""
    );
    let settings = home.data().join("covey.toml");
    let good = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, "[network]\n\nmax_conections = 3\n").unwrap();
    assert_eq!(
        home.start_fails(2).await,
        format!(
            "covey: unknown setting network.max_conections in {}, line 3; did you mean \
             network.max_connections?",
            settings.display()
        )
    );
    fs::write(&settings, good).unwrap();
    assert_eq!(home.start().await.run(&["status"]).await.code, Some(0));
}

#[tokio::test]
async fn directories_and_ports_that_are_taken() {
    let ann = Home::new("Ann").await.start().await;
    let data = ann.data().display().to_string();
    assert_eq!(
        ann.run(&["start"]).await.failed(1),
        format!(
            "covey: another node (process {}) uses the data directory {data}; stop it (covey stop \
             --data {data}) or choose another with --data DIR",
            ann.pid()
        )
    );
    let bob = Home::new("Bob").await;
    for address in [
        format!("/ip4/127.0.0.1/tcp/{}", ann.home().port()),
        format!("/ip4/127.0.0.1/udp/{}/quic-v1", ann.home().port()),
    ] {
        let failed = bob.run(&["start", "--set", &format!("network.listen={address}")]).await;
        let complaint = failed.failed(1);
        assert_eq!(
            complaint.lines().last(),
            Some(&*format!(
                "covey: {address} is in use by another program: choose another port, or end that \
                 program"
            )),
            "{complaint}"
        );
    }
    let others = (TcpListener::bind(("127.0.0.1", bob.port())), UdpSocket::bind("127.0.0.1:0"));
    let complaint = bob.start_fails(1).await;
    assert!(complaint.contains("is in use by another program"), "{complaint}");
    drop(others);
    // What has failed left nothing behind.
    let _ = bob.start().await.status().await;
    let _ = ann.status().await;
}

#[tokio::test]
async fn keys_that_cannot_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new("Ann").await;
    let key = home.data().join("node.key");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "no key at all\n").unwrap();
    assert_eq!(
        home.start_fails(1).await,
        format!(
            "covey: {} is damaged: a key is 32 bytes or 64 hexadecimal digits; restore it from a \
             backup, or remove it to start under a new identity",
            key.display()
        )
    );
    fs::write(&key, good).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        home.start_fails(1).await,
        format!("covey: {0} is open to other users (mode 0644); run: chmod 600 {0}", key.display())
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(home.start().await.run(&["status"]).await.code, Some(0));
}

#[tokio::test]
async fn databases_from_the_future_or_of_another_network() {
    let home = Home::new("Ann").await.start().await.stop().await;
    let other = home.run(&["start", "--set", "network.name=elsewhere"]).await.failed(1);
    let (found, wanted) = (NetworkId::named("open"), NetworkId::named("elsewhere"));
    assert_eq!(
        other.lines().last(),
        Some(&*format!(
            "covey: this data directory belongs to network {found}, not {wanted}: use another \
             --data for each network, or set network.name to the one that this one was started with"
        ))
    );
    let newer =
        Schema { family: "messaging", migrations: &[|_| Ok(()), |_| Ok(())], appends: false };
    let others = ["chains", "wallet", "validator"].map(Schema::first);
    let schemas = [&[newer], others.as_slice()].concat();
    drop(Db::open(&home.data().join("db"), found, &schemas).unwrap());
    let version = env!("CARGO_PKG_VERSION");
    let failed = home.start_fails(1).await;
    assert_eq!(
        failed.lines().last(),
        Some(&*format!(
            "covey: the messaging data is in format 3, written by covey {version}, which is newer; \
             this is covey {version} and knows formats up to 1: install covey {version} or newer"
        ))
    );
}

/// Sends until the node refuses; the ids of what it took, and its refusal.
async fn send_until_refused(node: &Node) -> (Vec<String>, String) {
    let mut taken = Vec::new();
    for number in 0..10_000 {
        let params = json!({ "who": "bob", "text": format!("{number} {}", "x".repeat(20_000)) });
        match node.client().call::<_, SendResult>("msg_send", &params).await {
            Ok(sent) => taken.push(sent.id),
            Err(error) => return (taken, error.to_string()),
        }
    }
    panic!("a full disk takes everything");
}

#[tokio::test]
async fn a_full_or_read_only_disk_loses_nothing_that_was_acknowledged() {
    let parent = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new(parent.path(), 64) else {
        println!("skipped: no right to mount a small file system");
        return;
    };
    let bob = Home::new("Bob").await.start().await;
    let ann = Home::within(&disk.path().join("ann"), "Ann", parent.path()).await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    let first = history(&ann, "bob").await.len();
    disk.fill();
    let (taken, refusal) = send_until_refused(&ann).await;
    println!("{} messages were taken before: {refusal}", taken.len());
    let (home, code) = ann.ended().await;
    assert_eq!(code, Some(1));
    let log = fs::read_to_string(home.scratch("log")).unwrap();
    let complaint = log.lines().last().unwrap();
    assert!(
        complaint.contains("\"message\":\"stopped, because a protocol halted: ")
            && complaint.contains(
                "is full: free some space and start again; everything acknowledged so far is kept"
            ),
        "{complaint}"
    );
    disk.free();
    let ann = home.start().await;
    let kept = history(&ann, "bob").await;
    for id in &taken {
        assert!(kept.iter().any(|message| message.id == *id), "acknowledged, and lost");
    }
    until("all arrive", || async { history(&bob, "ann").await.len() >= first + taken.len() }).await;

    let home = ann.stop().await;
    disk.remount("ro");
    let data = home.data().display().to_string();
    let failed = home.start_fails(1).await;
    assert_eq!(
        failed,
        format!(
            "covey: the data directory {data} is not writable (Read-only file system (os error \
             30)); make it writable for this user or choose another with --data DIR"
        )
    );
    disk.remount("rw");
    let ann = home.start().await;
    assert_eq!(history(&ann, "bob").await.len(), kept.len());
    let _ = ann.stop().await;
}

#[tokio::test]
async fn the_data_directory_may_stand_after_start_and_once() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await;
    let anns = ann.data().to_str().unwrap();
    let used = bob.run(&["start", anns]).await.failed(1);
    assert!(used.contains("uses the data directory") && used.contains(anns), "{used}");
    let wrong: [&[&str]; 2] = [
        &["start", "--set", "network.mdns=false", "log.filter=info"],
        &["start", "log.filter=info"],
    ];
    for start in wrong {
        let setting = bob.run(start).await.failed(2);
        assert!(setting.contains("write a setting as --set log.filter=info"), "{setting}");
    }
    let same = bob.run(&["start", anns, "--data", &format!("{anns}/.")]).await.failed(1);
    assert!(same.contains("uses the data directory"), "{same}");
    let twice = bob.run(&["start", anns, "--data", "elsewhere"]).await.failed(2);
    assert!(twice.contains("DIR and --data name two data directories: give one"), "{twice}");
}
