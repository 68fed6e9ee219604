use std::io;

use covey_kernel::Frames;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response as rr};

use crate::{
    budget::{Budget, Pool, Share},
    frame::{self, Malformed, Reply},
    limits::FIRST_BYTES,
};

/// What one substream carries in one direction. It is decoded and encoded here, in the
/// connection's own task, so that the swarm's loop does not pay for it.
///
/// A malformed frame is a value, not an error: request-response reports no read errors of
/// inbound streams, and we want to know who sent it.
#[derive(Debug)]
pub struct Parcel<T> {
    pub(crate) content: Result<T, Malformed>,
    /// None for what we send: that is bounded where it is queued.
    pub(crate) share: Option<Share>,
}

pub(crate) type Requests = Parcel<Vec<Vec<u8>>>;
pub(crate) type Answers = Parcel<Vec<Reply>>;

impl<T> Parcel<T> {
    pub(crate) fn outgoing(content: T) -> Self {
        Self { content: Ok(content), share: None }
    }
}

/// Reads and writes frames behind a length prefix (u32, big endian).
///
/// It never reads to the end: a peer that drops a request closes its stream cleanly, and that
/// must not look like an empty answer.
#[derive(Clone)]
pub struct Codec {
    frames: Frames,
    budget: Budget,
}

impl Codec {
    pub(crate) fn new(frames: Frames, budget: Budget) -> Self {
        Self { frames, budget }
    }
}

async fn read<T, F>(io: &mut T, limit: usize, pool: &Pool, decode: F) -> io::Result<Parcel<F::Out>>
where
    T: AsyncRead + Unpin + Send,
    F: Decode,
{
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let length = usize::try_from(u32::from_be_bytes(prefix)).unwrap_or(usize::MAX);
    if length > limit {
        return Ok(Parcel { content: Err(Malformed::Oversize { length, limit }), share: None });
    }
    let mut share = pool.take(length.min(FIRST_BYTES)).await?;
    let mut bytes = Vec::new();
    // Announcing costs a peer nothing: memory is taken as bytes arrive, at most twice as much.
    loop {
        let room = if share.is_all_of(pool) { length } else { share.bytes() };
        let so_far = bytes.len();
        bytes.resize(length.min(room), 0);
        io.read_exact(bytes.get_mut(so_far..).unwrap_or_default()).await?;
        if bytes.len() >= length {
            break;
        }
        let more = length.saturating_sub(bytes.len()).min(bytes.len());
        share.grow(pool, more).await?;
    }
    Ok(Parcel { content: decode.decode(&bytes), share: Some(share) })
}

/// A decoder of frames; a trait, since closures that borrow make the future's bounds unwieldy.
trait Decode: Send {
    type Out: Send;
    fn decode(&self, bytes: &[u8]) -> Result<Self::Out, Malformed>;
}

struct RequestsUpTo(usize);
struct AnswersUpTo(usize);

impl Decode for RequestsUpTo {
    type Out = Vec<Vec<u8>>;

    fn decode(&self, bytes: &[u8]) -> Result<Self::Out, Malformed> {
        frame::decode_requests(bytes, self.0)
    }
}

impl Decode for AnswersUpTo {
    type Out = Vec<Reply>;

    fn decode(&self, bytes: &[u8]) -> Result<Self::Out, Malformed> {
        frame::decode_answers(bytes, self.0)
    }
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(bytes).await
}

impl rr::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Requests;
    type Response = Answers;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Requests>
    where
        T: AsyncRead + Unpin + Send,
    {
        let limit = frame::request_limit(self.frames);
        read(io, limit, self.budget.requests(), RequestsUpTo(self.frames.request)).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answers>
    where
        T: AsyncRead + Unpin + Send,
    {
        let limit = frame::answer_limit(self.frames);
        read(io, limit, self.budget.answers(), AnswersUpTo(self.frames.response)).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        requests: Requests,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &frame::encode_requests(&requests.content.map_err(io::Error::other)?)).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answers: Answers,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &frame::encode_answers(&answers.content.map_err(io::Error::other)?)).await
    }
}
