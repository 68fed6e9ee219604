use std::{fs, path::PathBuf};

use super::{Config, ConfigError, Format, Key, Origin, Place, Sources, load};

struct File {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("covey.toml");
    fs::write(&path, text).unwrap();
    File { _directory: directory, path }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn from_file(text: &str) -> Result<super::Loaded, ConfigError> {
    let file = file(text);
    load(&Sources { file: Some(file.path.clone()), ..Sources::default() })
}

fn from_environment(list: &[(&str, &str)]) -> Result<super::Loaded, ConfigError> {
    load(&Sources { environment: pairs(list), ..Sources::default() })
}

fn from_flags(list: &[(&str, &str)]) -> Result<super::Loaded, ConfigError> {
    load(&Sources { flags: pairs(list), ..Sources::default() })
}

fn key(path: &str) -> &'static Key {
    Config::KEYS.iter().find(|key| key.path() == path).unwrap()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.config.network.name, "open");
    assert_eq!(loaded.config.network.listen.len(), 4);
    assert!(loaded.show().iter().all(|shown| shown.origin == "default"));
    assert!(loaded.show().iter().all(|shown| !shown.doc.is_empty()));
}

#[test]
fn a_later_layer_wins_and_is_named() {
    let file = file("[network]\nname = \"file\"\nmdns = false\n\n[log]\nformat = \"json\"\n");
    let mut sources = Sources { file: Some(file.path.clone()), ..Sources::default() };
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.network.name, "file");
    assert_eq!(loaded.config.log.format, Format::Json);
    let place = Place::File { path: file.path.clone(), line: Some(2) };
    assert_eq!(loaded.origin(key("network.name")), Origin::Set(place));

    sources.environment = pairs(&[("COVEY_NETWORK_NAME", "environment"), ("PATH", "/bin")]);
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.network.name, "environment");
    assert!(!loaded.config.network.mdns);
    let origin = loaded.origin(key("network.name")).to_string();
    assert_eq!(origin, "in the environment variable COVEY_NETWORK_NAME");

    sources.flags = pairs(&[("network.name", "flag"), ("network.name", "last")]);
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.network.name, "last");
    assert_eq!(loaded.origin(key("network.name")), Origin::Set(Place::Flag));
    assert_eq!(loaded.origin(key("network.isolated")), Origin::Default);
}

#[test]
fn a_list_in_a_flag_has_commas_and_no_brackets() {
    let (one, two) = ("/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2");
    let listen = |text: &str| from_flags(&[("network.listen", text)]);
    let loaded = listen(&format!("{one},{two}")).unwrap();
    assert_eq!(loaded.config.network.listen.len(), 2);
    let error = listen(&format!("[\"{one}\", \"{two}\"]")).unwrap_err();
    assert!(error.to_string().contains("with commas between them"), "{error}");
}

#[test]
fn a_missing_file_matters_only_when_asked_for() {
    let path = PathBuf::from("/nonexistent/covey.toml");
    let mut sources = Sources { file: Some(path), ..Sources::default() };
    load(&sources).unwrap();
    sources.file_required = true;
    assert!(matches!(load(&sources), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn an_unknown_key_names_its_place_and_the_nearest() {
    for (error, key, place, nearest) in [
        (
            from_file("[network]\n\n\nlissten = []\n").unwrap_err(),
            "network.lissten",
            "line 4",
            "network.listen",
        ),
        (from_file("[netwrok]\nname = \"x\"\n").unwrap_err(), "netwrok", "line 1", "network"),
        (from_file("mdns = true\n").unwrap_err(), "mdns", "line 1", "network.mdns"),
        (
            from_environment(&[("COVEY_NETWORK_NMAE", "x")]).unwrap_err(),
            "COVEY_NETWORK_NMAE",
            "environment",
            "COVEY_NETWORK_NAME",
        ),
        (
            from_environment(&[("COVEY_NETWROK_NAME", "x")]).unwrap_err(),
            "COVEY_NETWROK_NAME",
            "environment",
            "COVEY_NETWORK_NAME",
        ),
        (from_flags(&[("log.fliter", "x")]).unwrap_err(), "log.fliter", "flag", "log.filter"),
        (from_flags(&[("rpc.mdns", "x")]).unwrap_err(), "rpc.mdns", "flag", "network.mdns"),
    ] {
        let text = error.to_string();
        assert!(matches!(error, ConfigError::Unknown { .. }), "{text}");
        for part in [key, place, &format!("did you mean {nearest}?")] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn a_key_like_no_other_gets_no_suggestion() {
    let error = from_flags(&[("colour", "red")]).unwrap_err().to_string();
    assert_eq!(error, "unknown setting colour in a flag; see: covey config show");
}

#[test]
fn variables_of_others_are_left_alone() {
    let others = [("COVEY_SERVICE_HOST", "10.0.0.1"), ("COVEY_DATA", "/x"), ("HOME", "/root")];
    let loaded = from_environment(&others).unwrap();
    assert_eq!(loaded.ignored_variables, ["COVEY_SERVICE_HOST"]);
}

#[test]
fn a_wrong_value_says_what_was_expected() {
    for (text, expected) in [
        ("[network]\nmdns = \"maybe\"", "expected true or false, found \"maybe\""),
        ("[network]\nlisten = \"/ip4/1.2.3.4/tcp/1\"", "expected a list"),
        ("[network]\nlisten = [\"1.2.3.4\"]", "expected a multiaddress"),
        ("[network]\nmax_connections = -1", "expected a whole number from 0"),
        ("[network]\nname = \"\"", "expected a text that is not empty"),
        ("[rpc]\nhttp = \"0.0.0.0:80\"", "other machines could reach it"),
        ("[rpc]\nhttp = 80", "expected a loopback address with a port"),
        ("[rpc]\nfile_mode = \"0666\"", "only its owner and one group"),
        ("[rpc]\nfile_mode = \"rw\"", "expected \"0600\""),
        ("[messaging]\nname = \"  \"", "expected a name of 1 to 64 bytes"),
        ("[messaging]\nname = \"A\\nnn\"", "without control characters"),
        ("[log]\nfilter = \"covey=loud\"", "expected off, error"),
        ("[log]\nformat = \"xml\"", "expected text or json, found \"xml\""),
    ] {
        let error = from_file(text).unwrap_err();
        assert!(matches!(error, ConfigError::Value { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(expected) && message.contains("line 2"), "{message}");
    }
}

#[test]
fn a_name_that_others_cannot_see_is_refused() {
    let longest = "é".repeat(32);
    assert!(from_flags(&[("messaging.name", longest.as_str())]).is_ok());
    for name in [format!("{longest}n"), "A\u{7}nn".to_owned()] {
        let error = from_flags(&[("messaging.name", name.as_str())]).unwrap_err().to_string();
        assert!(error.starts_with("messaging.name in a flag: expected a name"), "{error}");
    }
    let loaded = from_flags(&[("messaging.name", " Ann ")]).unwrap();
    assert_eq!(loaded.config.messaging.name.unwrap().name().to_string(), "Ann");
}

#[test]
fn text_that_is_not_toml_is_named_with_its_place() {
    let error = from_file("[network\n").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
    assert!(error.to_string().contains("line 1"), "{error}");
}

#[test]
fn every_type_reads_from_text() {
    let loaded = from_flags(&[
        ("network.listen", "/ip4/127.0.0.1/tcp/1, /ip6/::1/udp/2/quic-v1"),
        ("network.external", "/ip4/203.0.113.7/udp/4001/quic-v1"),
        ("network.bootstrap", ""),
        ("network.mdns", "false"),
        ("network.max_connections", "7"),
        ("rpc.http", "127.0.0.1:0"),
        ("rpc.file_mode", "660"),
        ("log.filter", "warn,covey=debug"),
        ("log.file", "/var/log/covey.log"),
    ])
    .unwrap();
    let config = loaded.config;
    assert_eq!(config.network.listen.len(), 2);
    assert_eq!(config.network.external.len(), 1);
    assert!(config.network.bootstrap.is_empty());
    assert!(!config.network.mdns);
    assert_eq!(config.network.max_connections, 7);
    assert!(config.rpc.http.unwrap().address().ip().is_loopback());
    assert_eq!(config.rpc.file_mode.bits(), 0o660);
    assert_eq!(config.log.filter.as_str(), "warn,covey=debug");
    assert_eq!(config.log.file, Some("/var/log/covey.log".into()));
    assert!(from_flags(&[("rpc.http", "")]).unwrap().config.rpc.http.is_none());
}

#[test]
fn the_octal_form_of_toml_is_a_mode() {
    let loaded = from_file("[rpc]\nfile_mode = 0o660\n").unwrap();
    assert_eq!(loaded.config.rpc.file_mode.bits(), 0o660);
}
