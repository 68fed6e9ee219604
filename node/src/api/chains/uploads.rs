//! What is too large for one request comes in parts, and is then posted by its upload's id.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use covey_chains::limits::ENVELOPE_BYTES;
use data_encoding::HEXLOWER;

use super::{
    contents,
    types::{UploadParams, Uploaded},
};
use crate::{
    node::State,
    rpc::{RpcError, codes},
};

/// Bytes of all uploads together: two posts of the largest kind.
const BYTES: usize = 2 * ENVELOPE_BYTES;
/// Uploads at once.
const UPLOADS: usize = 64;
/// How long an upload waits for its next part, or for being posted.
const IDLE: Duration = Duration::from_secs(60);

/// What was uploaded and is not posted yet. Only in memory.
#[derive(Default)]
pub struct Uploads(Mutex<BTreeMap<String, Upload>>);

struct Upload {
    bytes: Vec<u8>,
    touched: Instant,
}

impl Uploads {
    /// Adds a part to an upload, or begins one.
    fn add(&self, id: Option<String>, part: &[u8]) -> Result<(String, usize), RpcError> {
        let mut uploads = self.lock();
        let all: usize = uploads.values().map(|upload| upload.bytes.len()).sum();
        let is_new = id.is_none();
        if all.saturating_add(part.len()) > BYTES || (is_new && uploads.len() >= UPLOADS) {
            return Err(codes::UPLOADS_FULL.into());
        }
        let id = id.unwrap_or_else(|| HEXLOWER.encode(&rand::random::<[u8; 16]>()));
        let begun = || Upload { bytes: Vec::new(), touched: Instant::now() };
        let upload = match is_new {
            true => uploads.entry(id.clone()).or_insert_with(begun),
            false => uploads.get_mut(&id).ok_or_else(unknown)?,
        };
        let size = upload.bytes.len().saturating_add(part.len());
        if size > ENVELOPE_BYTES {
            uploads.remove(&id);
            let why = format!("{size} bytes, over the limit of {ENVELOPE_BYTES}");
            return Err(RpcError::new(codes::PAYLOAD_TOO_LARGE, why));
        }
        upload.bytes.extend_from_slice(part);
        upload.touched = Instant::now();
        Ok((id, size))
    }

    /// All of an upload, which ends with it.
    pub(super) fn take(&self, id: &str) -> Result<Vec<u8>, RpcError> {
        self.lock().remove(id).map(|upload| upload.bytes).ok_or_else(unknown)
    }

    /// Drops an upload that has waited too long. How long to wait until the next look; none if it
    /// is gone.
    fn expire(&self, id: &str, now: Instant) -> Option<Duration> {
        let mut uploads = self.lock();
        let waited = now.saturating_duration_since(uploads.get(id)?.touched);
        let left = IDLE.saturating_sub(waited);
        if left.is_zero() {
            uploads.remove(id);
            return None;
        }
        Some(left)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown() -> RpcError {
    codes::UNKNOWN_UPLOAD.into()
}

pub(super) async fn upload(state: Arc<State>, params: UploadParams) -> Result<Uploaded, RpcError> {
    let part = contents::decode(&params.base64)?;
    let is_new = params.upload.is_none();
    let (upload, size) = state.uploads.add(params.upload, &part)?;
    if is_new {
        tokio::spawn(drop_in_time(Arc::downgrade(&state), upload.clone()));
    }
    Ok(Uploaded { upload, size: size as u64 })
}

/// Keeps no node alive that has stopped.
async fn drop_in_time(state: Weak<State>, id: String) {
    let left = || state.upgrade()?.uploads.expire(&id, Instant::now());
    while let Some(wait) = left() {
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_and_an_upload_is_used_once() {
        let uploads = Uploads::default();
        let (id, size) = uploads.add(None, b"large ").unwrap();
        assert_eq!(size, 6);
        assert_eq!(uploads.add(Some(id.clone()), b"post").unwrap(), (id.clone(), 10));
        assert_eq!(uploads.take(&id).unwrap(), b"large post");
        assert_eq!(uploads.take(&id).unwrap_err().code(), codes::UNKNOWN_UPLOAD);
        assert_eq!(uploads.add(Some(id), b"x").unwrap_err().code(), codes::UNKNOWN_UPLOAD);
    }

    #[test]
    fn one_upload_and_all_together_are_bounded() {
        let uploads = Uploads::default();
        let half = vec![0; ENVELOPE_BYTES / 2];
        let (first, _) = uploads.add(None, &half).unwrap();
        uploads.add(Some(first.clone()), &half).unwrap();
        let over = uploads.add(Some(first.clone()), b"x").unwrap_err();
        assert_eq!(over.code(), codes::PAYLOAD_TOO_LARGE);
        assert_eq!(uploads.take(&first).unwrap_err().code(), codes::UNKNOWN_UPLOAD);
        let ids: Vec<String> = (0..4).map(|_| uploads.add(None, &half).unwrap().0).collect();
        assert_eq!(uploads.add(None, b"x").unwrap_err().code(), codes::UPLOADS_FULL);
        for id in &ids {
            assert_eq!(uploads.take(id).unwrap().len(), ENVELOPE_BYTES / 2);
        }
        for _ in 0..UPLOADS {
            uploads.add(None, b"").unwrap();
        }
        assert_eq!(uploads.add(None, b"").unwrap_err().code(), codes::UPLOADS_FULL);
    }

    #[test]
    fn what_nobody_posts_is_dropped() {
        let uploads = Uploads::default();
        let (id, _) = uploads.add(None, b"x").unwrap();
        let now = Instant::now();
        assert!(uploads.expire(&id, now).is_some());
        assert_eq!(uploads.expire(&id, now + IDLE), None);
        assert_eq!(uploads.take(&id).unwrap_err().code(), codes::UNKNOWN_UPLOAD);
    }
}
