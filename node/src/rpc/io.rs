//! A stream that tells its [`Pulse`](super::pulse::Pulse) what happens on it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Place;

/// Which bytes count as a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// The reader tells where lines begin and end.
    Lines,
    /// HTTP and WebSocket are read elsewhere: bytes count as arriving until a call begins or an
    /// answer is written.
    Http,
}

/// A stream under watch. Gives back first the byte that was read to tell the framing.
///
/// It keeps the connection's place, because after an upgrade to WebSocket nobody else holds the
/// stream; and for the same reason it is here that HTTP ends when its pulse says so.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    first: Option<u8>,
    framing: Framing,
    place: Place,
}

impl<T> Watched<T> {
    pub(super) fn new(stream: T, first: Option<u8>, framing: Framing, place: Place) -> Self {
        if first.is_some() && framing == Framing::Http {
            place.pulse.arriving();
        }
        Self { stream, first, framing, place }
    }

    fn note<R>(&self, outcome: &Poll<io::Result<R>>) {
        match outcome {
            Poll::Ready(_) => self.place.pulse.wrote(),
            Poll::Pending => self.place.pulse.stalled(),
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.place.pulse.ending() {
            Some(reason) if self.framing == Framing::Http => {
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, reason.meaning))
            }
            _ => Ok(()),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(first) = self.first.take() {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        if self.framing == Framing::Http {
            self.place.pulse.reads(cx);
            self.check()?;
            ready!(self.place.pulse.poll_may_read());
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if self.framing == Framing::Http && buffer.filled().len() > before {
            self.place.pulse.arriving();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.place.pulse.writes(cx);
        self.check()?;
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.place.pulse.writes(cx);
        self.check()?;
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
