//! One connection, from its first byte on.

use std::sync::Arc;

use jsonrpsee::{
    core::middleware::RpcServiceBuilder,
    server::{
        BatchRequestConfig, Methods, Server, ServerConfig, StopHandle, TowerServiceBuilder,
        serve_with_graceful_shutdown,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::UnixStream,
};
use tower::layer::util::Identity;

use super::{
    Limits, RpcError,
    connections::Place,
    guard::Guard,
    io::{Framing, Watched},
    limits,
    lines::{self, Session},
    service::Layer,
};

/// What all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) methods: Methods,
    pub(super) limits: Limits,
    pub(super) stop: StopHandle,
    http: TowerServiceBuilder<Identity, Identity>,
}

impl Shared {
    pub(super) fn new(methods: Methods, limits: Limits, stop: StopHandle) -> Self {
        let small = |bound: usize| u32::try_from(bound).unwrap_or(u32::MAX);
        let config = ServerConfig::builder()
            .max_request_body_size(small(limits::REQUEST_BYTES))
            .max_response_body_size(small(limits::RESPONSE_BYTES))
            // Connections are counted here, whatever they speak.
            .max_connections(u32::MAX)
            .max_subscriptions_per_connection(small(limits::SUBSCRIPTIONS))
            .set_batch_request_config(BatchRequestConfig::Limit(small(limits::BATCH_CALLS)))
            .set_message_buffer_capacity(small(limits::MESSAGE_BUFFER))
            .build();
        let http = Server::builder().set_config(config).to_service_builder();
        Self { methods, limits, stop, http }
    }

    /// Serves a client of the Unix socket. It may stay silent before its first byte.
    pub(super) async fn unix(self, mut stream: UnixStream, place: Place) {
        let mut first = [0];
        let read = tokio::select! {
            read = stream.read(&mut first) => read,
            reason = place.pulse.ended() => {
                let line = format!("{}\n", RpcError::from(reason).to_response());
                // Its buffer is empty, so this does not wait.
                stream.try_write(line.as_bytes()).ok();
                return;
            }
            () = self.stop.clone().shutdown() => return,
        };
        let [byte] = first;
        match read {
            Ok(1) if byte.is_ascii_uppercase() => {
                self.http(stream, Some(byte), None, place).await;
            }
            Ok(1) => self.lines(stream, byte, place).await,
            _ => {}
        }
    }

    async fn lines(self, stream: UnixStream, first: u8, place: Place) {
        let session = Session {
            id: place.id,
            methods: self.methods,
            pulse: place.pulse.clone(),
            limits: self.limits,
            stop: self.stop,
        };
        let stream = Watched::new(stream, Some(first), Framing::Lines, place);
        lines::serve(stream, session).await;
    }

    /// Serves HTTP and WebSocket; guarded, if there is a token.
    pub(super) async fn http<T>(
        self,
        stream: T,
        first: Option<u8>,
        token: Option<Arc<str>>,
        place: Place,
    ) where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let layer = Layer { methods: self.methods.clone(), pulse: place.pulse.clone() };
        let service = self
            .http
            .connection_id(place.id)
            .set_rpc_middleware(RpcServiceBuilder::new().layer(layer))
            .build(self.methods, self.stop.clone());
        let service = Guard::new(service, token);
        let stream = Watched::new(stream, first, Framing::Http, place);
        let served = serve_with_graceful_shutdown(stream, service, self.stop.shutdown()).await;
        if let Err(error) = served {
            tracing::debug!(%error, "a local client's HTTP connection failed");
        }
    }
}
