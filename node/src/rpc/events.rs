use futures::{Stream, stream};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{RpcError, codes};

/// The events of a channel that `keep` keeps, as a subscription wants them: one that cannot
/// keep up is told how many events it missed, and ends.
pub fn from_broadcast<E, T>(
    events: broadcast::Receiver<E>,
    keep: impl FnMut(E) -> Option<T> + Send + 'static,
) -> impl Stream<Item = Result<T, RpcError>> + Send + 'static
where
    E: Clone + Send + 'static,
    T: Send + 'static,
{
    stream::unfold(Some((events, keep)), |state| async move {
        let (mut events, mut keep) = state?;
        loop {
            match events.recv().await {
                Ok(event) => {
                    if let Some(item) = keep(event) {
                        return Some((Ok(item), Some((events, keep))));
                    }
                }
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(missed)) => {
                    let error = RpcError::from(codes::SUBSCRIPTION_LAGGED);
                    return Some((Err(error.detail("missed", missed)), None));
                }
            }
        }
    })
}
