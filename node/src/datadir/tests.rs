use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{DataDir, DataError, read_cookie, socket_path};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_new_directory_is_private() {
    let parent = temporary();
    let data = DataDir::open(&parent.path().join("a/b")).unwrap();
    assert_eq!(mode(data.path()), 0o700);
}

#[test]
fn one_process_holds_it_and_the_other_is_told_which() {
    let parent = temporary();
    let first = DataDir::open(parent.path()).unwrap();
    let error = DataDir::open(parent.path()).unwrap_err();
    let DataError::Locked { pid, .. } = &error else { panic!("{error}") };
    assert_eq!(*pid, Some(std::process::id()));
    let text = error.to_string();
    assert!(text.contains(&parent.path().canonicalize().unwrap().display().to_string()), "{text}");
    assert!(text.contains("covey stop"), "{text}");
    drop(first);
    DataDir::open(parent.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let parent = temporary();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = DataDir::open(&file.join("data")).unwrap_err();
    assert!(matches!(error, DataError::Create { .. }), "{error}");
    assert!(error.to_string().contains("--data DIR"), "{error}");
}

/// Root may write anywhere, so the refusal comes from a lock that is a directory.
#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let parent = temporary();
    fs::create_dir(parent.path().join("lock")).unwrap();
    let error = DataDir::open(parent.path()).unwrap_err();
    assert!(matches!(error, DataError::ReadOnly { .. }), "{error}");
}

#[test]
fn a_directory_open_to_all_is_refused() {
    let parent = temporary();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = DataDir::open(parent.path()).unwrap_err();
    assert!(matches!(error, DataError::TooOpen { mode: 0o777, wanted: 0o700, .. }), "{error}");
}

#[test]
fn the_key_is_made_once_and_private() {
    let parent = temporary();
    let data = DataDir::open(parent.path()).unwrap();
    let made = data.key(&mut rand::rng()).unwrap().public();
    assert_eq!(data.key(&mut rand::rng()).unwrap().public(), made);
    let path = parent.path().join("node.key");
    assert_eq!(mode(&path), 0o600);
    assert!(!path.with_extension("new").exists());

    // The raw form of the same secret is the same key.
    let text = fs::read_to_string(&path).unwrap();
    let raw = data_encoding::HEXLOWER.decode(text.trim().as_bytes()).unwrap();
    fs::write(&path, raw).unwrap();
    assert_eq!(data.key(&mut rand::rng()).unwrap().public(), made);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let parent = temporary();
    let data = DataDir::open(parent.path()).unwrap();
    data.key(&mut rand::rng()).unwrap();
    let path = parent.path().join("node.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = data.key(&mut rand::rng()).map(|_| ()).unwrap_err();
    assert!(matches!(error, DataError::TooOpen { mode: 0o640, wanted: 0o600, .. }), "{error}");
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn a_damaged_key_is_refused_and_kept() {
    let parent = temporary();
    let data = DataDir::open(parent.path()).unwrap();
    data.key(&mut rand::rng()).unwrap();
    let path = parent.path().join("node.key");
    fs::write(&path, "half a ke").unwrap();
    let error = data.key(&mut rand::rng()).map(|_| ()).unwrap_err();
    assert!(matches!(error, DataError::Damaged { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "half a ke");
}

#[test]
fn the_cookie_is_new_each_time() {
    let parent = temporary();
    let data = DataDir::open(parent.path()).unwrap();
    assert_eq!(read_cookie(parent.path()).unwrap(), None);
    let first = data.new_cookie().unwrap();
    let second = data.new_cookie().unwrap();
    assert_ne!(first, second);
    assert_eq!(read_cookie(parent.path()).unwrap(), Some(second));
    assert_eq!(mode(&parent.path().join("rpc.cookie")), 0o600);
    data.remove_cookie().unwrap();
    data.remove_cookie().unwrap();
    assert_eq!(read_cookie(parent.path()).unwrap(), None);
}

#[test]
fn a_long_path_falls_back_to_a_short_one() {
    let parent = temporary();
    let long = parent.path().join("d".repeat(90)).join("e".repeat(90));
    let data = DataDir::open(&long).unwrap();
    let path = data.socket().unwrap();
    assert!(path.as_os_str().len() <= super::SOCKET_PATH_BYTES, "{}", path.display());
    assert_eq!(path, socket_path(&long).unwrap());
    assert_eq!(mode(path.parent().unwrap()), 0o700);

    let other = parent.path().join("d".repeat(90)).join("f".repeat(90));
    assert_ne!(DataDir::open(&other).unwrap().socket().unwrap(), path);
}

#[test]
fn a_short_path_is_used_as_it_is() {
    let parent = temporary();
    let data = DataDir::open(parent.path()).unwrap();
    let expected: PathBuf = data.path().join("covey.sock");
    assert_eq!(data.socket().unwrap(), expected);
}
