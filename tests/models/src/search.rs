//! How models are searched.

use std::{collections::HashSet, hash::Hash};

use stateright::{Checker, HasDiscoveries, Model};

/// Visits every reachable state, on two threads. It can stop early only if there is an example of
/// every property: never while one that always holds does.
pub fn everywhere<M>(model: M) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq,
{
    model.checker().threads(2).spawn_dfs().join()
}

/// Visits states, the nearest first, until one property is broken: the example is about as short as
/// one can be.
pub fn until_broken<M>(model: M, property: &'static str) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq,
{
    let broken = HasDiscoveries::AllOf([property].into());
    model.checker().finish_when(broken).spawn_bfs().join()
}

/// How many states are reachable, counted without the checker: it keeps 64 bits of a state, this
/// keeps whole ones. The same number from both shows that the checker has left none out.
pub fn count<M>(model: &M) -> usize
where
    M: Model,
    M::State: Clone + Eq + Hash,
{
    let mut open = model.init_states();
    let mut seen: HashSet<_> = open.iter().cloned().collect();
    while let Some(state) = open.pop() {
        for next in model.next_states(&state) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen.len()
}
