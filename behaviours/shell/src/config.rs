use std::time::Duration;

/// How long things may take. The bounds in items and bytes are constants, see
/// [`crate::limits`].
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// From opening a substream to having read the answers. The peer counts the same time.
    pub timeout: Duration,
    /// After this time a frame is answered with what is there. Well below `timeout`, so that
    /// one slow request does not cost the answers to the others.
    pub answer_within: Duration,
    /// How long an own request waits to be sent before it fails as busy.
    pub send_within: Duration,
    /// How long connecting may take on top of `timeout`.
    pub dial_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            answer_within: Duration::from_secs(7),
            send_within: Duration::from_secs(10),
            dial_within: Duration::from_secs(20),
        }
    }
}
