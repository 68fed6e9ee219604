//! What is known of one connection while it lives: how busy it is, how long it has been silent,
//! and whether it must end.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::task::AtomicWaker;
use tokio::sync::Notify;

use super::{Code, Limits, codes, limits};

/// No moment; moments count from 1.
const NEVER: u64 = 0;

#[derive(Debug)]
pub(super) struct Pulse {
    opened: Instant,
    last_active: AtomicU64,
    /// Since when an HTTP request or a WebSocket message has been arriving.
    arriving_since: AtomicU64,
    /// Since when a line has been arriving.
    line_since: AtomicU64,
    /// Since when the client has not taken what is sent.
    stalled_since: AtomicU64,
    calls: AtomicUsize,
    reader: AtomicWaker,
    writer: AtomicWaker,
    ending: OnceLock<Code>,
    ended: Notify,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            last_active: AtomicU64::new(1),
            arriving_since: AtomicU64::new(NEVER),
            line_since: AtomicU64::new(NEVER),
            stalled_since: AtomicU64::new(NEVER),
            calls: AtomicUsize::new(0),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            ending: OnceLock::new(),
            ended: Notify::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Part of a line has come.
    pub(super) fn line_begins(&self) {
        begin(&self.line_since, self.now());
        self.last_active.store(self.now(), Relaxed);
    }

    /// The line feed has come.
    pub(super) fn line_ends(&self) {
        self.line_since.store(NEVER, SeqCst);
    }

    /// Part of an HTTP request or a WebSocket message has come.
    pub(super) fn arriving(&self) {
        begin(&self.arriving_since, self.now());
        self.last_active.store(self.now(), Relaxed);
    }

    /// It has come whole.
    fn arrived(&self) {
        self.last_active.store(self.now(), Relaxed);
        self.arriving_since.store(NEVER, SeqCst);
    }

    /// The client took some of what is sent.
    pub(super) fn wrote(&self) {
        self.arrived();
        self.stalled_since.store(NEVER, SeqCst);
        self.reader.wake();
    }

    /// The client does not take what is sent.
    pub(super) fn stalled(&self) {
        begin(&self.stalled_since, self.now());
    }

    /// A call has begun; it ends when the guard is dropped.
    pub(super) fn call(&self) -> Call<'_> {
        self.arrived();
        self.calls.fetch_add(1, SeqCst);
        Call(self)
    }

    fn must_wait(&self) -> bool {
        self.calls.load(SeqCst) >= limits::CALLS_IN_FLIGHT
            || self.stalled_since.load(SeqCst) != NEVER
    }

    /// This task reads; it is woken when it may read again or must end.
    pub(super) fn reads(&self, cx: &Context<'_>) {
        self.reader.register(cx.waker());
    }

    /// This task writes; it is woken when it must end.
    pub(super) fn writes(&self, cx: &Context<'_>) {
        self.writer.register(cx.waker());
    }

    /// Whether more may be read now. Reading waits for a client that has asked for much or does
    /// not take its answers.
    pub(super) fn poll_may_read(&self) -> Poll<()> {
        if self.must_wait() { Poll::Pending } else { Poll::Ready(()) }
    }

    /// How long nothing has happened; none while a call runs.
    pub(super) fn idle(&self) -> Option<Duration> {
        let busy = self.calls.load(SeqCst) > 0;
        let idle = self.now().saturating_sub(self.last_active.load(Relaxed));
        (!busy).then_some(Duration::from_millis(idle))
    }

    /// Ends the connection if its client is too slow.
    pub(super) fn check(&self, limits: &Limits) {
        let since = |moment: &AtomicU64| match moment.load(SeqCst) {
            NEVER => Duration::ZERO,
            moment => Duration::from_millis(self.now().saturating_sub(moment)),
        };
        let arriving = since(&self.arriving_since).max(since(&self.line_since));
        if arriving > limits.half_sent {
            self.end(codes::HALF_SENT);
        } else if since(&self.stalled_since) > limits.slow_reader {
            self.end(codes::SLOW_READER);
        }
    }

    /// Asks the connection to end, for this reason.
    pub(super) fn end(&self, reason: Code) {
        if self.ending.set(reason).is_ok() {
            self.ended.notify_one();
            self.reader.wake();
            self.writer.wake();
        }
    }

    /// Why the connection must end, if it must.
    pub(super) fn ending(&self) -> Option<Code> {
        self.ending.get().copied()
    }

    /// Waits until the connection must end. For one task.
    pub(super) async fn ended(&self) -> Code {
        loop {
            if let Some(reason) = self.ending() {
                return reason;
            }
            self.ended.notified().await;
        }
    }
}

/// Only the first moment counts: a client that sends a byte a second is slow too.
fn begin(moment: &AtomicU64, now: u64) {
    moment.compare_exchange(NEVER, now, SeqCst, SeqCst).ok();
}

/// A call that runs.
pub(super) struct Call<'p>(&'p Pulse);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, SeqCst);
        self.0.last_active.store(self.0.now(), Relaxed);
        self.0.reader.wake();
    }
}
