//! What one decision works with: memory as it stands, the view, and the changes it makes.

use covey_kernel::{
    AskFailure, AskId, CommandId, CryptoRng, Effect, Fault, Peer, RequestId, Store, Time, View,
};

use super::{
    Change, Checked, Command, Cx, Delta, Event, Memory, Reply, Rules, Wallet, layout,
    memory::{ASK_STEP, Errand, Flight},
    records::{self, Me},
};
use crate::{
    configuration::{Configuration, Member},
    error::Error,
    limits::{WANTED, WANTED_OF_ONE},
    output::TxId,
    wire::{FromValidator, FromWallet, NotReady, Request, ToValidator, ToWallet},
};

pub(super) struct Desk<'d, 'a, 'v> {
    wallet: &'d Wallet,
    cx: &'d mut Cx<'a, 'v>,
    changes: Vec<Change>,
    asked: u64,
}

impl<'d, 'a, 'v> Desk<'d, 'a, 'v> {
    pub(super) fn new(wallet: &'d Wallet, cx: &'d mut Cx<'a, 'v>) -> Self {
        Self { wallet, cx, changes: Vec::new(), asked: 0 }
    }

    pub(super) fn into_delta(self) -> Delta {
        Delta(self.changes)
    }

    pub(super) fn rules(&self) -> &'d Rules {
        &self.wallet.rules
    }

    pub(super) fn memory(&self) -> &'d Memory {
        &self.wallet.memory
    }

    /// The validators of the newest epoch that is known.
    pub(super) fn configuration(&self) -> &'d Configuration {
        self.wallet.memory.network.newest()
    }

    /// The validators, with their places.
    pub(super) fn members(&self) -> impl Iterator<Item = (u8, &'d Member)> + use<'d> {
        (0u8..).zip(self.configuration().members.iter())
    }

    pub(super) fn now(&self) -> Time {
        self.cx.now
    }

    pub(super) fn rng(&mut self) -> &mut dyn CryptoRng {
        self.cx.rng
    }

    pub(super) fn view(&mut self) -> &mut View<'v> {
        self.cx.view
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.cx.view
    }

    pub(super) fn me(&self) -> Result<Me, Fault> {
        records::must(self.cx.view, layout::ME)
    }

    pub(super) fn write_me(&mut self, me: &Me) {
        records::write(self.cx.view, layout::ME.to_vec(), me);
    }

    pub(super) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(super) fn effect(&mut self, effect: Effect<Wallet>) {
        self.cx.effects.push(effect);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.effect(Effect::Tell(event));
    }

    pub(super) fn wake_at(&mut self, at: Time) {
        self.effect(Effect::Wake(at));
    }

    pub(super) fn reply(&mut self, to: CommandId, reply: Reply) {
        self.effect(Effect::Reply { to, reply: Ok(reply) });
    }

    pub(super) fn answer(&mut self, to: RequestId, answer: &FromWallet) {
        self.effect(Effect::Answer { to, bytes: answer.encode() });
    }

    /// A payment on its way, as this decision sees it.
    pub(super) fn flight(&self, tx: &TxId) -> Option<Flight> {
        for change in self.changes.iter().rev() {
            match change {
                Change::Flight(of, flight) if of == tx => return Some(*flight.clone()),
                Change::Landed(of) if of == tx => return None,
                _ => {}
            }
        }
        self.memory().flights.get(tx).cloned()
    }

    /// Whether the member at a place may be asked for another vote now.
    pub(super) fn has_room(&self, place: u8) -> bool {
        let members = self.configuration().members.len().max(1);
        let window = WANTED.checked_div(members).unwrap_or(1).min(WANTED_OF_ONE);
        let before = self.memory().wanted.get(&place).copied().unwrap_or_default();
        let of_place = |change: &&Change| matches!(change, Change::Asked(_, Errand::Vote(_, _, one)) if *one == place);
        let now = self.changes.iter().filter(of_place).count();
        before.saturating_add(now) < window
    }

    /// Whether a peer has come in this very decision.
    pub(super) fn has_come(&self, peer: &Peer) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Online(one) if one == peer))
    }

    /// What is asked in this very decision.
    pub(super) fn asked_now(&self) -> impl Iterator<Item = &Errand> {
        self.changes.iter().filter_map(|change| match change {
            Change::Asked(_, errand) => Some(errand),
            _ => None,
        })
    }

    pub(super) fn ask_validator(&mut self, to: Peer, errand: Errand, request: ToValidator) {
        self.ask(to, 0, errand, Request::Validator(request).encode());
    }

    /// Asks a validator what was encoded before.
    pub(super) fn ask_encoded(&mut self, to: Peer, errand: Errand, bytes: Vec<u8>) {
        self.ask(to, 0, errand, bytes);
    }

    pub(super) fn ask_wallet(&mut self, to: Peer, errand: Errand, request: ToWallet) {
        self.ask(to, 1, errand, Request::Wallet(request).encode());
    }

    fn ask(&mut self, to: Peer, which: u64, errand: Errand, bytes: Vec<u8>) {
        let number = self.memory().next_ask.saturating_add(self.asked) | which;
        self.asked = self.asked.saturating_add(ASK_STEP);
        let ask = AskId(number);
        self.effect(Effect::Ask { to, ask, bytes });
        self.change(Change::Asked(ask, errand));
    }

    pub(super) fn decide(&mut self, input: Checked) -> Result<(), Error> {
        match input {
            Checked::Start => self.start(),
            Checked::Wake => self.wake(),
            Checked::Command(id, command) => self.obey(id, command),
            Checked::Receive(id, outpoint, receipt) => self.receive(id, outpoint, *receipt),
            Checked::PaidAhead(from, id) => {
                self.paid_ahead(from, id);
                Ok(())
            }
            Checked::AskedLinks(id, after) => {
                self.tell_links(id, after);
                Ok(())
            }
            Checked::Links(ask, links) => {
                let errand = self.memory().asks.get(&ask).cloned();
                let Some(Errand::Links(peer)) = errand else {
                    // Not what it was asked: whatever waits for it learns so.
                    let broken = Err(AskFailure::Broken);
                    return match errand {
                        Some(Errand::Address(..) | Errand::Deliver(_)) => {
                            self.wallet_answered(ask, broken)
                        }
                        _ => self.validator_answered(ask, Err(AskFailure::Broken)),
                    };
                };
                self.change(Change::Answered(ask));
                self.told_links(peer, links);
                Ok(())
            }
            Checked::Delivered(_, id, outpoint, paid) => self.delivered(id, outpoint, *paid),
            Checked::AskedAddress(from, id) => self.hand_address(from, id),
            Checked::NoValidator(id) => {
                let refusal = FromValidator::NotReady(NotReady::NoValidator(()));
                self.effect(Effect::Answer { to: id, bytes: refusal.encode() });
                Ok(())
            }
            Checked::Validator(ask, outcome) => self.validator_answered(ask, outcome),
            Checked::Wallet(ask, outcome) => self.wallet_answered(ask, outcome),
            Checked::Connected(peer) => self.connected(peer),
            Checked::Disconnected(peer) => {
                self.change(Change::Offline(peer));
                Ok(())
            }
        }
    }

    /// Asks again for everything that is owed.
    fn start(&mut self) -> Result<(), Error> {
        self.seek();
        self.wake_at(self.now());
        self.resume_flights()?;
        self.resume_deliveries()?;
        self.resume_search()
    }

    fn wake(&mut self) -> Result<(), Error> {
        self.turn()?;
        self.look_for_links();
        self.retry_flights()?;
        self.retry_deliveries()?;
        self.retry_search()?;
        self.renew()
    }

    fn connected(&mut self, peer: Peer) -> Result<(), Error> {
        self.change(Change::Online(peer));
        self.ask_links(peer);
        self.flights_to(peer)?;
        self.deliveries_to(peer)?;
        self.search_at(peer)
    }

    fn validator_answered(
        &mut self,
        ask: AskId,
        outcome: Result<FromValidator, covey_kernel::AskFailure>,
    ) -> Result<(), Error> {
        let Some(errand) = self.memory().asks.get(&ask).cloned() else { return Ok(()) };
        self.change(Change::Answered(ask));
        match errand {
            Errand::Vote(tx, epoch, place) => self.voted(tx, (epoch, place), outcome),
            Errand::Refresh(tx, epoch, place) => self.refreshed(tx, (epoch, place), outcome),
            Errand::Claim(index, epoch, place) if epoch == self.configuration().epoch => {
                self.claimed((index, place), outcome)
            }
            Errand::Address(..) | Errand::Deliver(_) | Errand::Links(_) | Errand::Claim(..) => {
                Ok(())
            }
        }
    }

    fn wallet_answered(
        &mut self,
        ask: AskId,
        outcome: Result<FromWallet, covey_kernel::AskFailure>,
    ) -> Result<(), Error> {
        let Some(errand) = self.memory().asks.get(&ask).cloned() else { return Ok(()) };
        self.change(Change::Answered(ask));
        match errand {
            Errand::Address(peer, command, order) => {
                self.told_address(peer, command, *order, outcome)
            }
            Errand::Deliver(outpoint) => self.told(outpoint, outcome),
            _ => Ok(()),
        }
    }

    fn obey(&mut self, id: CommandId, command: Command) -> Result<(), Error> {
        let reply = match command {
            Command::SendTo(peer, order) => return self.send_to(id, peer, order),
            // Checked with its certificate, and not as a command.
            Command::Receive(_) => return Err(Error::NoSuchPayment),
            Command::Status => self.status()?,
            Command::Address(label) => Reply::Address(self.new_address(label)?),
            Command::Addresses => Reply::Addresses(self.addresses()?),
            Command::Label(address, label) => self.label(&address, label)?,
            Command::Balance => Reply::Balances(self.balances()?),
            Command::Coins { asset, limit, after } => {
                Reply::Coins(self.coins(&asset, limit, after)?)
            }
            Command::Send(order) => Reply::Payment(Box::new(self.send(order)?)),
            Command::Consolidate(asset) => Reply::Payment(Box::new(self.consolidate(asset)?)),
            Command::Issue { name, amount, decimals } => {
                Reply::Payment(Box::new(self.issue(name, amount, decimals)?))
            }
            Command::Tokens => Reply::Tokens(self.tokens()?),
            Command::Payment(tx) => Reply::Payment(Box::new(self.payment(&tx)?)),
            Command::Pending => Reply::Payments(self.pending()?),
            Command::Resume => Reply::Resumed(self.resume_now()?),
            Command::History { limit, before } => Reply::History(self.history(limit, before)?),
            Command::Proof(tx, index) => Reply::Proof(Box::new(self.receipt(&tx, index)?)),
            Command::Ask { amount, asset, label } => {
                Reply::Address(self.ask_for(amount, asset, label)?)
            }
            Command::Requests => Reply::Requests(self.requests()?),
            Command::Phrase => Reply::Phrase(super::phrase_of(&self.me()?)?.words()),
            Command::Restore(phrase) => self.restore(*phrase)?,
            Command::Alone => self.alone()?,
        };
        self.reply(id, reply);
        Ok(())
    }
}
