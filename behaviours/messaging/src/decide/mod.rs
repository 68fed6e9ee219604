//! What the machine decides, one subject a file. Everything here reads and writes through a
//! [`desk::Desk`].

mod answers;
pub(crate) mod codec;
mod codes;
mod delivery;
pub(crate) mod desk;
mod directory;
mod history;
mod inviting;
mod keys;
mod knocks;
mod names;
pub(crate) mod prekeys;
mod receive;
mod sessions;
mod standing;
mod texts;

use covey_kernel::{CommandId, Effect, Peer};

use crate::{
    check::Checked,
    command::{Command, Reply},
    error::Error,
    memory::{Change, Subject},
    ratchet::Ratchet,
    wire::Request,
};
use desk::Desk;

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    pub(crate) fn decide(&mut self, input: Checked) -> Result<(), Error> {
        match input {
            Checked::Start => self.start(),
            Checked::Wake => self.wake(),
            Checked::Command(id, command) => self.command(id, command),
            Checked::Request(from, id, request) => match request {
                Request::Claim(()) => self.hand_out(from, id),
                Request::Knock(knock) => self.knocked(from, id, &knock),
                Request::Deliver(delivery) => self.received(from, id, &delivery),
                Request::Announce(announcement) => self.announced(id, &announcement),
            },
            Checked::Answer(from, ask, outcome) => self.answered(from, ask, outcome),
            Checked::Connected(peer) => self.connected(peer),
            Checked::Disconnected(peer) => {
                self.change(Change::Offline(peer));
                Ok(())
            }
        }
    }

    /// Asks again for everything that is owed.
    fn start(&mut self) -> Result<(), Error> {
        self.maintain_prekeys()?;
        for subject in self.subjects() {
            if let Some((peer, addresses)) = self.whereabouts(subject) {
                self.seek(peer, &addresses);
            }
            self.pump_each(subject)?;
        }
        Ok(())
    }

    fn subjects(&self) -> Vec<Subject> {
        let memory = self.memory();
        let contacts = memory.contacts.keys().map(|id| Subject::Contact(*id));
        contacts.chain(memory.open.keys().map(|number| Subject::Open(*number))).collect()
    }

    /// Where to look for somebody, if we want a connection with them.
    fn whereabouts(&self, subject: Subject) -> Option<(Peer, crate::records::Addresses)> {
        match subject {
            Subject::Open(number) => {
                let open = self.open_invite(number).filter(|open| open.failed.is_none())?;
                Some((open.peer, open.addresses))
            }
            Subject::Contact(id) => {
                let contact = self.contact(id)?;
                let wanted = matches!(
                    contact.standing,
                    crate::records::Standing::Accepted(()) | crate::records::Standing::Invited(_)
                );
                wanted.then_some((contact.keys.set.peer, contact.addresses))
            }
        }
    }

    /// Gives lost requests up, and tries again what is due.
    fn wake(&mut self) -> Result<(), Error> {
        self.maintain_prekeys()?;
        let now = self.now();
        let memory = self.memory();
        let mut lost: Vec<Subject> = memory
            .flights
            .iter()
            .filter(|(_, flight)| flight.until <= now)
            .map(|(subject, _)| *subject)
            .collect();
        // In a fixed order, so that a seed replays.
        lost.sort_unstable();
        for subject in lost {
            self.change(Change::Land(subject));
            self.back_off(subject);
        }
        let mut due: Vec<Subject> = memory
            .retries
            .iter()
            .filter(|(_, retry)| retry.at <= now)
            .map(|(subject, _)| *subject)
            .collect();
        due.sort_unstable();
        for subject in due {
            self.pump_each(subject)?;
        }
        // A driver remembers one wake-up only: this one has used it up.
        let next = self.next_due();
        next.into_iter().for_each(|at| self.effect(Effect::Wake(at)));
        Ok(())
    }

    /// Somebody is there: whatever waits for them need not wait longer.
    fn connected(&mut self, peer: Peer) -> Result<(), Error> {
        self.change(Change::Online(peer));
        let memory = self.memory();
        let contacts = memory.by_peer.get(&peer).into_iter().flatten();
        let mut subjects: Vec<Subject> = contacts.map(|id| Subject::Contact(*id)).collect();
        let open = memory.open.iter().filter(|(_, open)| open.peer == peer);
        subjects.extend(open.map(|(number, _)| Subject::Open(*number)));
        for subject in subjects {
            self.soon(subject);
            self.pump_each(subject)?;
        }
        Ok(())
    }

    fn command(&mut self, id: CommandId, command: Command) -> Result<(), Error> {
        let reply = self.obey(command)?;
        self.effect(Effect::Reply { to: id, reply: Ok(reply) });
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<Reply, Error> {
        match command {
            Command::Whoami => Ok(Reply::Identity(Box::new(self.me().set))),
            Command::Rotate { identity } => self.rotate(identity),
            Command::Code { addresses, once, reset } => self.code(addresses, once, reset),
            Command::Invite { target, name, text } => self.invite(target, name, &text),
            Command::Invites => self.invites(),
            Command::Accept { who, name } => self.accept(&who, name),
            Command::Reject(who) => self.reject(&who),
            Command::Block(who) => self.block(&who),
            Command::Unblock(who) => self.unblock(&who),
            Command::Contacts => self.contacts(),
            Command::Rename { who, name } => self.rename(&who, &name),
            Command::Verify { who, confirm } => self.verify(&who, confirm),
            Command::Send { who, text, reply } => self.send(&who, text, reply),
            Command::Edit { id, text } => self.edit(id, text),
            Command::Delete(id) => self.delete(id),
            Command::React { id, emoji } => self.react(id, &emoji),
            Command::Status(id) => self.status(&id),
            Command::History(query) => self.history(&query),
            Command::Read { who } => self.read(&who),
        }
    }
}
