use covey_kernel::{
    Address, AskId, Context, Effect, Fault, Peer, PublicKey, Span, Store, Time, View,
};

use crate::{
    Messaging, Rules,
    command::Event,
    decide::codec,
    layout::{self, ContactId},
    limits::{ASK_LIFE, RETRY_LAST},
    machine::Delta,
    memory::{Change, Errand, Flight, Memory, Retry, Subject},
    ratchet::Ratchet,
    records::{self, Contact, Conversation, Me, OpenInvite},
    wire::Request,
};

/// What one decision works with: memory as it stands, the view, and the changes it makes.
/// Everything it changes in memory it also sees changed.
pub(crate) struct Desk<'d, 'a, 'v, R: Ratchet> {
    machine: &'d Messaging<R>,
    cx: &'d mut Context<'a, 'v, Messaging<R>>,
    changes: Vec<Change>,
}

impl<'d, 'a, 'v, R: Ratchet> Desk<'d, 'a, 'v, R> {
    pub(crate) fn new(
        machine: &'d Messaging<R>,
        cx: &'d mut Context<'a, 'v, Messaging<R>>,
    ) -> Self {
        Self { machine, cx, changes: Vec::new() }
    }

    pub(crate) fn into_delta(self) -> Delta {
        Delta(self.changes)
    }

    pub(crate) fn rules(&self) -> &'d Rules {
        &self.machine.rules
    }

    pub(crate) fn memory(&self) -> &'d Memory {
        &self.machine.memory
    }

    pub(crate) fn now(&self) -> Time {
        self.cx.now
    }

    pub(crate) fn rng(&mut self) -> &mut dyn covey_kernel::CryptoRng {
        self.cx.rng
    }

    pub(crate) fn view(&mut self) -> &mut View<'v> {
        self.cx.view
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.cx.view
    }

    /// A random number.
    pub(crate) fn random(&mut self) -> u64 {
        self.cx.rng.next_u64()
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn effect(&mut self, effect: Effect<Messaging<R>>) {
        self.cx.effects.push(effect);
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.effect(Effect::Tell(event));
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    // --- what is known -------------------------------------------------------------------

    pub(crate) fn me(&self) -> Me {
        let changed = self.changes.iter().rev().find_map(|change| match change {
            Change::Me(me) => Some(me.as_ref()),
            _ => None,
        });
        changed.unwrap_or(&self.memory().me).clone()
    }

    pub(crate) fn put_me(&mut self, me: Me) {
        records::write(self.cx.view, layout::ME.to_vec(), &me);
        self.change(Change::Me(Box::new(me)));
    }

    /// A number that no contact, open invite or code has had.
    pub(crate) fn fresh_number(&mut self) -> u32 {
        let mut me = self.me();
        let number = me.next;
        me.next = me.next.saturating_add(1);
        self.put_me(me);
        number
    }

    pub(crate) fn contact(&self, id: ContactId) -> Option<Contact> {
        let changed = self.changes.iter().rev().find_map(|change| match change {
            Change::Contact(other, contact) if *other == id => Some(contact.as_deref()),
            _ => None,
        });
        changed.unwrap_or_else(|| self.memory().contacts.get(&id)).cloned()
    }

    pub(crate) fn by_identity(&self, identity: &PublicKey) -> Option<(ContactId, Contact)> {
        let id = *self.memory().by_identity.get(identity)?;
        Some((id, self.contact(id)?))
    }

    pub(crate) fn put_contact(&mut self, id: ContactId, contact: Contact) {
        records::write(self.cx.view, layout::contact(id), &contact);
        self.change(Change::Contact(id, Some(Box::new(contact))));
    }

    pub(crate) fn put_open(&mut self, number: u32, invite: OpenInvite) {
        records::write(self.cx.view, layout::open(number), &invite);
        self.change(Change::Open(number, Some(Box::new(invite))));
    }

    pub(crate) fn drop_open(&mut self, number: u32) {
        self.cx.view.delete(layout::open(number));
        self.change(Change::Open(number, None));
    }

    pub(crate) fn conversation(&self, id: ContactId) -> Result<Conversation, Fault> {
        records::conversation(self.cx.view, id)
    }

    pub(crate) fn put_conversation(&mut self, id: ContactId, conversation: &Conversation) {
        records::write(self.cx.view, layout::conversation(id), conversation);
    }

    pub(crate) fn online(&self, peer: &Peer) -> bool {
        self.memory().online.contains(peer)
    }

    // --- requests under way --------------------------------------------------------------

    pub(crate) fn flying(&self, subject: Subject) -> bool {
        let changed = self.changes.iter().rev().find_map(|change| match change {
            Change::Fly(other, _) if *other == subject => Some(true),
            Change::Land(other) if *other == subject => Some(false),
            _ => None,
        });
        changed.unwrap_or_else(|| self.memory().flights.contains_key(&subject))
    }

    /// Whether a failed request to this subject is not yet to be tried again.
    pub(crate) fn waiting(&self, subject: Subject) -> bool {
        let changed = self.changes.iter().rev().find_map(|change| match change {
            Change::Wait(other, retry) if *other == subject => Some(Some(*retry)),
            Change::Soon(other) if *other == subject => Some(None),
            _ => None,
        });
        let retry = changed.unwrap_or_else(|| self.memory().retries.get(&subject).copied());
        retry.is_some_and(|retry| retry.at > self.now())
    }

    /// When the next request counts as lost, or is to be tried again.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let memory = self.memory();
        let changed = self.changes.iter().filter_map(|change| match change {
            Change::Fly(_, flight) => Some(flight.until),
            Change::Wait(_, retry) => Some(retry.at),
            _ => None,
        });
        let flights = memory.flights.values().map(|flight| flight.until);
        let retries = memory.retries.values().map(|retry| retry.at);
        changed.chain(flights).chain(retries).filter(|at| *at > self.now()).min()
    }

    pub(crate) fn ask(&mut self, subject: Subject, to: Peer, errand: Errand, request: &Request) {
        let ask = AskId(self.cx.rng.next_u64());
        let until = self.now().plus(ASK_LIFE);
        self.change(Change::Fly(subject, Flight { ask, errand, until }));
        self.effect(Effect::Ask { to, ask, bytes: codec::request(request) });
        self.effect(Effect::Wake(until));
    }

    /// Tries again at once.
    pub(crate) fn soon(&mut self, subject: Subject) {
        self.change(Change::Soon(subject));
    }

    /// Tries again later, each time after a longer wait.
    pub(crate) fn back_off(&mut self, subject: Subject) {
        let mut retry = self.memory().next_retry(subject, self.now());
        // Up to a quarter more, so that nodes do not knock in step.
        let spread = retry.wait.as_millis() / 4;
        let extra = self.random().checked_rem(spread.max(1)).unwrap_or(0);
        retry.at = retry.at.plus(Span::millis(extra));
        self.wait_until(subject, retry);
    }

    /// Tries again only after the longest wait.
    pub(crate) fn back_off_far(&mut self, subject: Subject) {
        let retry = Retry { at: self.now().plus(RETRY_LAST), wait: RETRY_LAST };
        self.wait_until(subject, retry);
    }

    fn wait_until(&mut self, subject: Subject, retry: Retry) {
        self.change(Change::Wait(subject, retry));
        self.effect(Effect::Wake(retry.at));
    }

    pub(crate) fn seek(&mut self, peer: Peer, addresses: &[Address]) {
        self.effect(Effect::Seek { peer, addresses: addresses.to_vec() });
    }
}
