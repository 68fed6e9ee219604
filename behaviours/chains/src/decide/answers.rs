//! What comes of own requests.

use covey_kernel::{AskFailure, AskId, CommandId, Effect, Peer};

use super::{desk::Desk, pulling::refused};
use crate::{
    command::Reply,
    error::Error,
    memory::{Chain, Errand},
    wire::{Request, Response},
};

impl<'d> Desk<'d, '_, '_> {
    pub(super) fn answered(
        &mut self,
        from: Peer,
        ask: AskId,
        answer: Result<Response, AskFailure>,
    ) -> Result<(), Error> {
        let known = {
            let mut live = self.memory().live.borrow_mut();
            let ours = live.asks.get(&ask).is_some_and(|ask| ask.to == from);
            ours.then(|| live.asks.remove(&ask)).flatten()
        };
        // A page before it may still be laid aside.
        self.take_laid()?;
        // It came twice, or was asked before a restart.
        let Some(known) = known else { return Ok(()) };
        if matches!(answer, Err(AskFailure::Broken)) {
            self.effect(Effect::Strike(from));
        }
        match known.errand {
            Errand::Pull { chain, flight } => match self.followed(chain) {
                Some(chain) if self.is_flying(chain, from, flight) => {
                    self.take_page(from, chain, answer)
                }
                _ => Ok(()),
            },
            Errand::Want { chain, block, first } => match self.followed(chain) {
                Some(chain) => self.take_chunks(from, chain, (block, first), answer),
                None => Ok(()),
            },
            Errand::Held { chain, flight } => match self.followed(chain) {
                Some(chain) if self.is_flying(chain, from, flight) => {
                    self.take_held(from, chain, answer)
                }
                _ => Ok(()),
            },
            Errand::Tell => Ok(()),
            Errand::Nudge { waiter } => {
                let reply = outcome(answer).and_then(|answer| match answer {
                    Response::Tally(tally) => Ok(Reply::Synced(tally)),
                    _ => Err(Error::Peer("it broke the protocol".into())),
                });
                self.effect(Effect::Reply { to: waiter, reply });
                Ok(())
            }
            Errand::Names { waiter } => {
                let reply = outcome(answer).and_then(|answer| match answer {
                    Response::Names(names) => {
                        Ok(Reply::Names(names.iter().map(|name| name.to_string()).collect()))
                    }
                    _ => Err(Error::Peer("it broke the protocol".into())),
                });
                self.effect(Effect::Reply { to: waiter, reply });
                Ok(())
            }
        }
    }

    fn followed(&self, no: crate::layout::ChainNo) -> Option<&'d Chain> {
        self.memory().chains.get(&no)
    }

    pub(super) fn ask_names(&mut self, waiter: CommandId, peer: Peer) {
        self.ask(peer, Errand::Names { waiter }, &Request::Names(()));
    }
}

/// An answer, or why there is none in words for the user.
fn outcome(answer: Result<Response, AskFailure>) -> Result<Response, Error> {
    match answer {
        Ok(Response::Refused(why)) => Err(refused(why)),
        Ok(answer) => Ok(answer),
        Err(why) => Err(Error::Peer(why.to_string())),
    }
}
