use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
};

use super::super::{BindError, bind::bind};

#[tokio::test]
async fn a_socket_that_nobody_serves_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("covey.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    drop(bind(&path, 0o660).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o660);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_socket_that_somebody_serves_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("covey.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let error = bind(&path, 0o600).unwrap_err();
    assert!(matches!(error, BindError::InUse { .. }), "{error}");
    assert!(path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("covey.sock");
    fs::write(&path, "precious").unwrap();
    let error = bind(&path, 0o600).unwrap_err();
    assert!(matches!(error, BindError::NotASocket { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}
