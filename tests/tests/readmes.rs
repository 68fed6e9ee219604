//! Keeps the READMEs true where a program can tell: tables of bounds, and links.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from("..")
}

/// `NAME = value` of each public constant in a file of Rust.
fn constants(source: &str) -> BTreeSet<String> {
    let parts = |line: &str| {
        let (name, rest) = line.strip_prefix("pub const ")?.split_once(':')?;
        let (_, value) = rest.split_once('=')?;
        Some(format!("{name} = {}", value.trim().trim_end_matches(';')))
    };
    source.lines().filter_map(parts).collect()
}

/// `NAME = value` of each row of a table of bounds.
fn rows(page: &str) -> BTreeSet<String> {
    let parts = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        let upper = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        upper.then(|| format!("{name} = {}", cells.next().unwrap_or_default()))
    };
    page.lines().filter_map(parts).collect()
}

/// Targets of the links that lead to files.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')).collect()
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn tables_of_bounds_have_the_constants() {
    for (protocol, at_least) in [("messaging", 30), ("chains", 8), ("ledger", 30)] {
        let crate_ = root().join("behaviours").join(protocol);
        let source = fs::read_to_string(crate_.join("src/limits.rs")).unwrap();
        let page = fs::read_to_string(crate_.join("README.md")).unwrap();
        assert!(constants(&source).len() > at_least, "{protocol}'s constants are found");
        assert_eq!(rows(&page), constants(&source));
    }
}

#[test]
fn links_lead_to_files() {
    let mut found = Vec::new();
    pages(&root(), &mut found);
    let mut seen = 0;
    for page in found {
        let text = fs::read_to_string(&page).unwrap();
        for target in links(&text) {
            let file = target.split('#').next().unwrap();
            let there = page.parent().unwrap().join(file);
            assert!(there.exists(), "{} links to {target}, which is not there", page.display());
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen} links are found");
}
