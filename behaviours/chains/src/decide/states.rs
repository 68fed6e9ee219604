//! Where blocks stand.

use crate::{
    command::State,
    graph::{Ix, Verdict},
    loaded::Loaded,
};

/// Where a block of the graph stands now.
pub(super) fn state(loaded: &mut Loaded, ix: Ix) -> State {
    if loaded.graph.is_aside(ix) {
        let is_held = loaded.graph.id(ix).is_some_and(|id| loaded.held.contains_key(&id.hash));
        return if is_held { State::Held } else { State::Forked };
    }
    match loaded.graph.verdict(ix) {
        Some(Verdict::Held) | None => State::Held,
        Some(Verdict::Never(why)) => State::Never(why),
        Some(Verdict::Admitted | Verdict::Liked) => match loaded.graph.place(ix) {
            Some(place) => State::Placed(place as u64),
            None => State::Blocked,
        },
    }
}
