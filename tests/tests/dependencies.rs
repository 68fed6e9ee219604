//! Holds the architecture's dependency rule: what may depend on what, and that protocols name
//! no socket, file, clock or runtime.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One of our crates: its folder within the workspace, and what it depends on in any way.
struct Package {
    folder: PathBuf,
    needs: BTreeSet<String>,
}

type Packages = BTreeMap<String, Package>;

/// What a crate under `behaviours/` may use of the others there.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "covey-kernel" => &[],
        // Payloads of any size are theirs to cut and check; it is a library without state.
        "covey-chains" | "covey-messaging" => &["covey-kernel", "covey-blobs"],
        "covey-elections" => &["covey-kernel", "covey-ledger", "covey-chains"],
        _ => &["covey-kernel"],
    }
}

/// Every breach of the rule, as a sentence.
fn breaches(packages: &Packages) -> Vec<String> {
    let mut found = Vec::new();
    for (name, package) in packages {
        let behaviour = package.folder.starts_with("behaviours");
        for need in &package.needs {
            let ours = packages.contains_key(need);
            let wrong = if need.contains("rocksdb") {
                name != "covey"
            } else if !behaviour {
                need == "covey-tests"
            } else if ours {
                !allowed(name).contains(&need.as_str())
            } else {
                name != "covey-shell" && (need.starts_with("libp2p") || need.starts_with("tokio"))
            };
            if wrong {
                found.push(format!("{name} must not depend on {need}"));
            }
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from("..")
}

fn workspace() -> Packages {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let root = PathBuf::from(metadata["workspace_root"].as_str().unwrap());
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap().strip_prefix(&root).unwrap().to_path_buf();
        let needs = package["dependencies"].as_array().unwrap().iter();
        let needs = needs.map(|need| need["name"].as_str().unwrap().to_owned()).collect();
        (package["name"].as_str().unwrap().to_owned(), Package { folder, needs })
    });
    packages.collect()
}

#[test]
fn the_workspace_keeps_the_rule() {
    let packages = workspace();
    for expected in
        ["covey", "covey-chains", "covey-fuzzed", "covey-kernel", "covey-messaging", "covey-shell"]
    {
        assert!(packages.contains_key(expected), "{expected} is not in the workspace");
    }
    assert!(packages["covey"].needs.contains("rocksdb"), "the store is in the node");
    let fuzzed = &packages["covey-fuzzed"];
    let outside = |need: &&String| {
        packages.get(*need).is_some_and(|package| !package.folder.starts_with("behaviours"))
    };
    let outside: Vec<&String> = fuzzed.needs.iter().filter(outside).collect();
    assert_eq!(outside, Vec::<&String>::new(), "fuzzing would build RocksDB");
    assert_eq!(breaches(&packages), Vec::<String>::new());
}

#[test]
fn a_breach_is_found() {
    let package = |folder: &str, needs: &[&str]| Package {
        folder: PathBuf::from(folder),
        needs: needs.iter().map(ToString::to_string).collect(),
    };
    let packages = [
        ("covey-kernel", package("behaviours/kernel", &["serde", "covey-ledger"])),
        ("covey-shell", package("behaviours/shell", &["libp2p", "tokio", "covey-kernel"])),
        ("covey-ledger", package("behaviours/ledger", &["covey-kernel", "rocksdb"])),
        ("covey-chains", package("behaviours/chains", &["covey-shell", "libp2p-core"])),
        ("covey-elections", package("behaviours/elections", &["covey-ledger", "tokio-util"])),
        ("covey", package("node", &["covey-shell", "rocksdb", "tokio", "covey-tests"])),
        ("covey-tests", package("tests", &["covey", "librocksdb-sys"])),
    ];
    let packages = packages.map(|(name, package)| (name.to_owned(), package)).into();
    let expected = [
        "covey must not depend on covey-tests",
        "covey-chains must not depend on covey-shell",
        "covey-chains must not depend on libp2p-core",
        "covey-elections must not depend on tokio-util",
        "covey-kernel must not depend on covey-ledger",
        "covey-ledger must not depend on rocksdb",
        "covey-tests must not depend on librocksdb-sys",
    ];
    assert_eq!(breaches(&packages), expected);
}

/// What a protocol's source must not name. A crate's name stands for everything in it.
const FORBIDDEN: &[&str] =
    &["std::fs", "std::net", "SystemTime", "Instant", "tokio", "rocksdb", "libp2p"];

/// The forbidden names in a source text, comments aside.
fn named(source: &str) -> Vec<&'static str> {
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join(" ");
    let mut code = code.split_whitespace().collect::<Vec<_>>().join(" ");
    for group in groups(&code) {
        // `use std::{fmt, fs}` names `std::fs`.
        code.push_str(&group);
    }
    FORBIDDEN.iter().copied().filter(|name| has_word(&code, name)).collect()
}

/// Each member of each `std::{..}` group, written out.
fn groups(code: &str) -> Vec<String> {
    let mut members = Vec::new();
    for group in code.split("std::{").skip(1) {
        let mut depth = 0usize;
        let mut member = String::new();
        for character in group.chars() {
            match character {
                '}' if depth == 0 => break,
                '}' => depth = depth.saturating_sub(1),
                '{' => depth = depth.saturating_add(1),
                ',' if depth == 0 => members.push(std::mem::take(&mut member)),
                other if depth == 0 => member.push(other),
                _ => {}
            }
        }
        members.push(member);
    }
    members.iter().map(|member| format!(" std::{}", member.trim())).collect()
}

fn has_word(code: &str, word: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (code.split_at(at).0, code.split_at(at).1);
        let after = after.strip_prefix(word).unwrap_or_default();
        !before.ends_with(inside) && !after.starts_with(inside)
    })
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn protocols_name_no_socket_file_clock_or_runtime() {
    let behaviours = root().join("behaviours");
    let mut files = sources(&behaviours);
    files.retain(|path| {
        // Only the folders below count: the whole repository may lie in one named `tests`.
        let inside = path.strip_prefix(&behaviours).unwrap();
        // A protocol's tests may read its golden files.
        !inside.starts_with("shell") && !inside.components().any(|part| part.as_os_str() == "tests")
    });
    assert!(files.len() > 30, "only {} files under {}", files.len(), behaviours.display());
    let named: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let names = named(&fs::read_to_string(path).unwrap());
            names.into_iter().map(|name| format!("{} names {name}", path.display()))
        })
        .collect();
    assert_eq!(named, Vec::<String>::new());
}

#[test]
fn a_forbidden_name_is_found() {
    assert_eq!(
        named("use std::{collections::BTreeMap,\n    fs, net::{IpAddr, TcpStream}};"),
        ["std::fs", "std::net"]
    );
    assert_eq!(named("let now = std::time::Instant::now();"), ["Instant"]);
    assert_eq!(named("#[tokio::test]"), ["tokio"]);
    assert_eq!(named("// tokio and std::fs\nInstantly(fs, my_tokio, rocksdb_like)"), [""; 0]);
}
