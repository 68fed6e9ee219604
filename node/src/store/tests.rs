use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use covey_kernel::{Fault, NetworkId, Scan, Store, View, Write};
use tempfile::{TempDir, tempdir};

use super::{Db, Family, Schema, StoreError};

const NOTES: Schema = Schema::first("notes");

fn open(path: &Path) -> Result<Db, StoreError> {
    Db::open(path, NetworkId::open(), &[NOTES])
}

fn place() -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("db");
    (dir, path)
}

fn put(key: &[u8], value: &[u8]) -> Write {
    Write { key: key.to_vec(), value: Some(value.to_vec()) }
}

fn delete(key: &[u8]) -> Write {
    Write { key: key.to_vec(), value: None }
}

fn keys(family: &Family, scan: &Scan) -> Vec<u8> {
    family.scan(scan).unwrap().into_iter().map(|(key, _)| key[1]).collect()
}

#[test]
fn a_batch_is_there_after_reopening() {
    let (_dir, path) = place();
    let notes = open(&path).unwrap().family("notes").unwrap();
    notes.commit(&[put(b"a", b"1"), put(b"b", b"2")]).unwrap();
    notes.commit(&[delete(b"a"), put(b"c", b"3")]).unwrap();
    drop(notes);
    let notes = open(&path).unwrap().family("notes").unwrap();
    assert_eq!(notes.get(b"a"), Ok(None));
    assert_eq!(notes.get(b"b"), Ok(Some(b"2".to_vec())));
    assert_eq!(notes.get(b"c"), Ok(Some(b"3".to_vec())));
}

/// Long values that are only added lie in files of their own, and are as safe there.
#[test]
fn long_values_survive_and_are_copied() {
    let (dir, path) = place();
    let schema = Schema { appends: true, ..NOTES };
    let long = vec![7; 5_000];
    let db = Db::open(&path, NetworkId::open(), &[schema]).unwrap();
    let notes = db.family("notes").unwrap();
    notes.commit(&[put(b"long", &long), put(b"short", b"1")]).unwrap();
    let copy = dir.path().join("copy");
    db.checkpoint(&copy).unwrap();
    drop((db, notes));
    // Also by a release that does not put them there.
    for (place, schema) in [(&path, schema), (&copy, schema), (&copy, NOTES)] {
        let notes = Db::open(place, NetworkId::open(), &[schema]).unwrap().family("notes").unwrap();
        assert_eq!(notes.get(b"long"), Ok(Some(long.clone())));
        assert_eq!(notes.get(b"short"), Ok(Some(b"1".to_vec())));
    }
    let is_blob = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "blob");
    let files = fs::read_dir(&copy).unwrap().map(|file| file.unwrap().path());
    assert_eq!(files.filter(is_blob).count(), 1);
}

/// The write-ahead log ends in the middle of a batch, as after a power cut: the whole batch is
/// gone, and everything before it is there.
#[test]
fn a_torn_batch_is_gone_as_a_whole() {
    let (_dir, path) = place();
    let db = open(&path).unwrap();
    let notes = db.family("notes").unwrap();
    notes.commit(&[put(b"kept", b"1")]).unwrap();
    notes.commit(&[put(b"torn 1", &[7; 3000]), put(b"torn 2", &[7; 3000])]).unwrap();
    let copy = copy_of(&path);
    let log = newest_log(&copy);
    let length = fs::metadata(&log).unwrap().len();
    fs::File::options().write(true).open(&log).unwrap().set_len(length - 1000).unwrap();
    let notes = open(&copy).unwrap().family("notes").unwrap();
    assert_eq!(notes.get(b"kept"), Ok(Some(b"1".to_vec())));
    assert_eq!(notes.get(b"torn 1"), Ok(None));
    assert_eq!(notes.get(b"torn 2"), Ok(None));
}

/// A byte in the middle of the log is wrong: what was acknowledged after it must not vanish in
/// silence.
#[test]
fn a_damaged_log_is_refused() {
    let (_dir, path) = place();
    let db = open(&path).unwrap();
    let notes = db.family("notes").unwrap();
    for i in 0..10 {
        notes.commit(&[put(&[i], &[7; 10_000])]).unwrap();
    }
    let copy = copy_of(&path);
    let log = newest_log(&copy);
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let error = open(&copy).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("keep a copy of it"), "{error}");
}

/// The files of an open database as they are now, as a power cut would leave them.
fn copy_of(path: &Path) -> PathBuf {
    let copy = path.with_file_name("copy");
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(path).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    copy
}

fn newest_log(path: &Path) -> PathBuf {
    let files = fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|end| end == "log")).max().unwrap()
}

#[test]
fn scans_within_bounds_in_both_directions() {
    let (_dir, path) = place();
    let notes = open(&path).unwrap().family("notes").unwrap();
    let mut writes: Vec<_> = (0..10).map(|i| put(&[1, i], &[i])).collect();
    writes.extend([put(&[0, 99], b""), put(&[2, 98], b"")]);
    notes.commit(&writes).unwrap();
    let all = Scan::prefix(&[1]);
    assert_eq!(keys(&notes, &all), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(keys(&notes, &all.clone().limit(3)), [0, 1, 2]);
    assert_eq!(keys(&notes, &all.clone().backwards().limit(3)), [9, 8, 7]);
    assert_eq!(keys(&notes, &all.clone().after(&[1, 7])), [8, 9]);
    assert_eq!(keys(&notes, &all.clone().before(&[1, 2]).backwards()), [1, 0]);
    assert_eq!(keys(&notes, &all.clone().after(&[1, 7]).before(&[1, 2])), [0u8; 0]);
    let open_end = Scan { from: vec![1, 9], to: None, reverse: true, limit: 9 };
    assert_eq!(keys(&notes, &open_end), [98, 9]);
}

#[test]
fn families_do_not_see_each_other() {
    let (_dir, path) = place();
    let db = Db::open(&path, NetworkId::open(), &[NOTES, Schema::first("other")]).unwrap();
    db.family("notes").unwrap().commit(&[put(b"a", b"1")]).unwrap();
    assert_eq!(db.family("other").unwrap().get(b"a"), Ok(None));
    assert!(db.family("meta").is_none());
}

#[test]
fn refuses_a_second_process() {
    let (_dir, path) = place();
    let _first = open(&path).unwrap();
    assert_eq!(open(&path).unwrap_err(), StoreError::InUse { path });
}

#[test]
fn refuses_another_network_and_changes_nothing() {
    let (_dir, path) = place();
    drop(open(&path).unwrap());
    let wanted = NetworkId::named("elsewhere");
    let error = Db::open(&path, wanted, &[NOTES]).unwrap_err();
    assert_eq!(error, StoreError::OtherNetwork { found: NetworkId::open(), wanted });
    open(&path).unwrap();
}

fn double(view: &mut View<'_>) -> Result<(), Fault> {
    for (key, value) in view.scan(&Scan::prefix(b""))? {
        view.put(key, [value.clone(), value].concat());
    }
    Ok(())
}

fn fail(view: &mut View<'_>) -> Result<(), Fault> {
    view.put(b"a".to_vec(), b"lost".to_vec());
    Err(Fault::Corrupt("no".to_owned()))
}

#[test]
fn migrates_forward_once_and_keeps_a_copy_of_before() {
    let (dir, path) = place();
    open(&path).unwrap().family("notes").unwrap().commit(&[put(b"a", b"1")]).unwrap();
    let newer = Schema { family: "notes", migrations: &[double, double], appends: false };
    for _ in 0..2 {
        let db = Db::open(&path, NetworkId::open(), &[newer]).unwrap();
        assert_eq!(db.family("notes").unwrap().get(b"a"), Ok(Some(b"1111".to_vec())));
    }
    let copies = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let copies: Vec<_> = copies.filter(|copy| *copy != path).collect();
    assert_eq!(copies.len(), 1, "one migration, one copy: {copies:?}");
    let before = open(&copies[0]).unwrap().family("notes").unwrap();
    assert_eq!(before.get(b"a"), Ok(Some(b"1".to_vec())));
}

#[test]
fn a_failed_migration_changes_nothing_and_goes_on_from_the_last_step() {
    let (_dir, path) = place();
    open(&path).unwrap().family("notes").unwrap().commit(&[put(b"a", b"1")]).unwrap();
    let broken = Schema { family: "notes", migrations: &[double, fail], appends: false };
    let error = Db::open(&path, NetworkId::open(), &[broken]).unwrap_err();
    let fault = Fault::Corrupt("no".to_owned());
    assert_eq!(error, StoreError::Migration { family: "notes".to_owned(), to: 3, fault });
    let fixed = Schema { family: "notes", migrations: &[double, double], appends: false };
    let db = Db::open(&path, NetworkId::open(), &[fixed]).unwrap();
    assert_eq!(db.family("notes").unwrap().get(b"a"), Ok(Some(b"1111".to_vec())));
}

#[test]
fn refuses_a_newer_format_and_names_both() {
    let (_dir, path) = place();
    let newer = Schema { family: "notes", migrations: &[double, double], appends: false };
    drop(Db::open(&path, NetworkId::open(), &[newer]).unwrap());
    let error = open(&path).unwrap_err();
    let release = env!("CARGO_PKG_VERSION").to_owned();
    let (writer, ours) = (release.clone(), release.clone());
    let family = "notes".to_owned();
    assert_eq!(error, StoreError::Newer { family, found: 3, known: 1, writer, ours });
    assert!(error.to_string().ends_with(&format!("install covey {release} or newer")));
}

#[test]
fn refuses_a_family_of_a_newer_release() {
    let (_dir, path) = place();
    drop(Db::open(&path, NetworkId::open(), &[NOTES, Schema::first("future")]).unwrap());
    let error = open(&path).unwrap_err();
    assert!(
        matches!(&error, StoreError::Newer { family, found: 1, known: 0, .. } if family == "future"),
        "{error}"
    );
}

/// A file system of eight megabytes, unmounted when dropped.
struct TinyDisk(TempDir);

impl TinyDisk {
    /// Needs the right to mount. Where `COVEY_MUST_MOUNT` is set, it is there.
    fn mount() -> Option<Self> {
        let dir = tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "covey-test"])
            .arg(dir.path())
            .output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(dir));
        }
        let must = std::env::var_os("COVEY_MUST_MOUNT").is_some();
        assert!(!must, "cannot mount a small file system, but COVEY_MUST_MOUNT is set");
        None
    }
}

#[test]
fn a_read_only_disk_says_so() {
    let Some(disk) = TinyDisk::mount() else {
        println!("skipped: mounting a small file system needs root");
        return;
    };
    let path = disk.0.path().join("db");
    drop(open(&path).unwrap());
    let remount = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.0.path()).status();
    assert!(remount.unwrap().success());
    let error = open(&path).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.path()).status().unwrap();
    }
}

#[test]
fn a_full_disk_says_so_and_loses_nothing() {
    let Some(disk) = TinyDisk::mount() else {
        println!("skipped: mounting a small file system needs root");
        return;
    };
    let path = disk.0.path().join("db");
    let filler = disk.0.path().join("filler");
    fs::write(&filler, vec![0; 4 << 20]).unwrap();
    let db = open(&path).unwrap();
    let notes = db.family("notes").unwrap();
    let mut acknowledged = 0u32;
    let error = loop {
        match notes.commit(&[put(&acknowledged.to_be_bytes(), &[7; 60_000])]) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1000, "eight megabytes do not hold this much");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    drop((notes, db));
    fs::remove_file(filler).unwrap();
    let notes = open(&path).unwrap().family("notes").unwrap();
    assert!(acknowledged > 0);
    for i in 0..acknowledged {
        assert_eq!(notes.get(&i.to_be_bytes()), Ok(Some(vec![7; 60_000])), "{i}");
    }
    notes.commit(&[put(b"after", b"1")]).unwrap();
}
