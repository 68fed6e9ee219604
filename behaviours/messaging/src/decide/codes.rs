//! Contact codes: given out, taken back, shown by those who invite.

use covey_kernel::{Address, Bounded, Hash, Peer, Scan, Span};

use super::desk::Desk;
use crate::{
    code::{CodeSecret, ContactCode},
    command::Reply,
    error::Error,
    layout,
    limits::{CODE_LIFE, CODES},
    ratchet::Ratchet,
    records::{self, Code},
    wire::Refusal,
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    pub(crate) fn code(
        &mut self,
        addresses: Vec<Address>,
        once: bool,
        reset: bool,
    ) -> Result<Reply, Error> {
        let mut codes = self.live_codes(reset)?;
        let fresh = self.now().plus(Span::millis(CODE_LIFE.as_millis() / 2));
        let reusable = |code: &Code| !once && !code.once && code.expires >= fresh;
        let standing = codes.iter().position(|(_, code)| reusable(code));
        let code = match standing.map(|place| codes.swap_remove(place).1) {
            Some(code) => code,
            None if codes.len() >= CODES => return Err(Error::TooManyCodes),
            None => self.new_code(once),
        };
        let me = self.me();
        Ok(Reply::Code(Box::new(ContactCode {
            network: self.rules().network,
            identity: me.set.identity,
            peer: me.set.set.peer,
            addresses: Bounded::first(addresses),
            secret: code.secret,
            expires: code.expires,
            once: code.once,
        })))
    }

    fn new_code(&mut self, once: bool) -> Code {
        let mut secret = [0; 16];
        self.rng().fill_bytes(&mut secret);
        let expires = self.now().plus(CODE_LIFE);
        let code = Code { secret: CodeSecret(secret), expires, once };
        let number = self.fresh_number();
        records::write(self.view(), layout::code(number), &code);
        code
    }

    /// The codes that are good. Expired ones are removed; with `reset`, all are.
    fn live_codes(&mut self, reset: bool) -> Result<Vec<(Vec<u8>, Code)>, Error> {
        let mut live = Vec::new();
        for (key, bytes) in self.store().scan(&Scan::prefix(layout::CODES))? {
            let code: Code = covey_kernel::cbor::decode_stored(&bytes)?;
            if reset || code.expires <= self.now() {
                self.view().delete(key);
            } else {
                live.push((key, code));
            }
        }
        Ok(live)
    }

    /// Looks for the code whose secret was shown, and uses up a single-use one.
    pub(crate) fn redeem(&mut self, proof: &Hash, inviter: &Peer) -> Result<(), Error> {
        let peer = self.rules().peer;
        let codes = self.live_codes(false)?;
        let found = codes.into_iter().find(|(_, code)| code.secret.proof(inviter, &peer) == *proof);
        let (key, code) = found.ok_or(Error::Refused(Refusal::Code(())))?;
        if code.once {
            self.view().delete(key);
        }
        Ok(())
    }
}
