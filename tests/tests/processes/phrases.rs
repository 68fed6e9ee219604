//! Keys from pass phrases need no node.

use covey_tests::process::Home;
use serde_json::json;

/// As in the paper: the public and the private key, on one line.
const SENHA: &str = "22351AD575E7AC6116A53DF6CE4E6AF40C99EC91B48D7036A91AAE7B6B4DCA03";
const SHARED: &str = "6A0E105E767077E49AAAE9B95D5CEE4677B84E8E43E143C718CC47A305479138";

#[tokio::test]
async fn a_phrase_gives_the_same_keys_everywhere() {
    let home = Home::new("Ann").await;
    let pair = home.run(&["crypto", "pubpvt", "senha"]).await.ok();
    let (public, private) = pair.split_once(' ').unwrap();
    assert_eq!(public, SENHA);
    assert!(private.len() == 64 && private.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(home.run(&["keys", "pubpvt", "senha"]).await.ok(), pair);
    let typed = home.run_with(&["crypto", "pubpvt", "-"], Some(b"senha\n")).await.ok();
    assert_eq!(typed, pair);
    assert_eq!(home.run(&["crypto", "shared", "senha"]).await.ok(), SHARED);
    let json: serde_json::Value = home.run(&["crypto", "shared", "senha", "--json"]).await.json();
    assert_eq!(json, json!({ "key": SHARED }));
    let empty = home.run(&["crypto", "pubpvt", ""]).await.failed(1);
    assert_eq!(empty, "covey: the pass phrase is empty: write one that nobody guesses");
    let long = home.run_with(&["crypto", "shared", "-"], Some(&[b'x'; 5000])).await.failed(1);
    assert_eq!(long, "covey: standard input is longer than 4096 bytes: no phrase or key");
}
