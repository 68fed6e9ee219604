//! What people are called here: visible, and nobody like another.

use covey_kernel::{PublicKey, Text, is_hidden};

use super::desk::Desk;
use crate::{
    error::Error, identity::Name, layout::ContactId, limits::NAME_BYTES, memory::Change,
    ratchet::Ratchet,
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    fn name_taken(&self, name: &str, but: Option<ContactId>) -> bool {
        let taken = |other: &str| other.to_lowercase() == name.to_lowercase();
        let changed = self.changes().iter().any(|change| match change {
            Change::Contact(id, Some(contact)) => Some(*id) != but && taken(&contact.name),
            _ => false,
        });
        let mut known = self.memory().contacts.iter();
        // What an invite on its way is to be called is reserved for it.
        let open = self.memory().open.values().filter(|open| open.failed.is_none());
        let mut open = open.filter_map(|open| open.name.as_ref());
        changed
            || open.any(|name| taken(name))
            || known.any(|(id, contact)| Some(*id) != but && taken(&contact.name))
    }

    /// A name that the user chose: it must be valid and free.
    pub(crate) fn chosen_name(&self, name: &str, but: Option<ContactId>) -> Result<Name, Error> {
        let name = valid_name(name)?;
        if self.name_taken(&name, but) {
            return Err(Error::NameTaken(name.into_string()));
        }
        Ok(name)
    }

    /// A free name as close as possible to the one that somebody gives themselves.
    pub(crate) fn free_name(&self, wanted: &str, identity: &PublicKey) -> Name {
        let key: String = identity.to_string().chars().take(8).collect();
        let visible = visible(wanted, NAME_BYTES.saturating_sub(16));
        let wanted = if visible.is_empty() { key.clone() } else { visible };
        let candidates = [wanted.clone(), format!("{wanted}-{key}"), key];
        let free = candidates.into_iter().find(|name| !self.name_taken(name, None));
        let whole = || identity.to_string().chars().take(NAME_BYTES).collect();
        Text::new(free.unwrap_or_else(whole)).unwrap_or_default()
    }
}

/// The joiner inside emoji of several people.
const JOINER: char = '\u{200d}';

/// What of a name can be shown: no control or direction-changing characters, one line.
pub(crate) fn visible(text: &str, bytes: usize) -> String {
    keep(text, bytes, |c| !is_hidden(c))
}

/// What of a reaction can be shown: as in a name, but emoji may be joined.
pub(crate) fn visible_emoji(text: &str, bytes: usize) -> String {
    keep(text, bytes, |c| c == JOINER || !is_hidden(c))
}

fn keep(text: &str, bytes: usize, wanted: impl Fn(char) -> bool) -> String {
    let mut shown = String::new();
    for c in text.trim().chars().filter(|c| wanted(*c)) {
        if shown.len().saturating_add(c.len_utf8()) > bytes {
            break;
        }
        shown.push(c);
    }
    shown
}

/// A name as the user typed it, if it can be one.
pub(crate) fn valid_name(name: &str) -> Result<Name, Error> {
    let shown = visible(name, NAME_BYTES);
    if shown.is_empty() || shown != name.trim() {
        return Err(Error::InvalidName);
    }
    Text::new(shown).map_err(|_| Error::InvalidName)
}
