//! How people, invites and messages look on a terminal.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::{Failure, print};
use crate::api::msg::types::{
    ContactInfo, InviteInfo, MessageInfo, ProgressInfo, RelationInfo, Safety,
};

/// Digits of keys and ids that are shown where the whole is not needed.
const SHORT: usize = 16;

fn short(text: &str) -> String {
    text.chars().take(SHORT).collect()
}

pub(super) fn progress(progress: ProgressInfo) -> &'static str {
    match progress {
        ProgressInfo::Queued => "queued",
        ProgressInfo::Sent => "sent",
        ProgressInfo::Delivered => "delivered",
        ProgressInfo::Read => "read",
        ProgressInfo::Refused => "refused by their node",
        ProgressInfo::Received => "received",
    }
}

pub(super) fn contacts(contacts: &[ContactInfo]) -> String {
    if contacts.is_empty() {
        return "nobody yet; invite somebody with: covey msg invite CODE".into();
    }
    contacts.iter().map(contact).collect::<Vec<_>>().join("\n")
}

fn contact(contact: &ContactInfo) -> String {
    let relation = match contact.relation {
        RelationInfo::Invited => "invited",
        RelationInfo::Inviting => "invites you",
        RelationInfo::Accepted => "contact",
        RelationInfo::Blocked => "blocked",
    };
    let mut notes = vec![relation.to_owned()];
    if contact.online {
        notes.push("online".into());
    }
    if contact.keys_changed {
        notes.push("KEYS CHANGED".into());
    } else if contact.verified {
        notes.push("verified".into());
    }
    if contact.unread > 0 {
        notes.push(format!("{} unread", contact.unread));
    }
    if contact.waiting > 0 {
        notes.push(format!("{} waiting", contact.waiting));
    }
    format!(
        "{:<20} {}  {}",
        print::one_line(&contact.name),
        short(&contact.identity),
        notes.join(", ")
    )
}

pub(super) fn invites(invites: &[InviteInfo]) -> String {
    if invites.is_empty() {
        return "no invites".into();
    }
    invites.iter().map(invite).collect::<Vec<_>>().join("\n")
}

pub(super) fn invite(invite: &InviteInfo) -> String {
    let name = print::one_line(&invite.name);
    let key = invite.identity.as_deref().map(short).unwrap_or_default();
    if !invite.incoming {
        let state = match (&invite.failed, invite.delivered) {
            (Some(why), _) => format!("failed: {}", print::one_line(why)),
            (None, true) => "delivered, not answered yet".into(),
            (None, false) => "on its way".into(),
        };
        return format!("to   {name:<20} {key}  {state}");
    }
    let how = if invite.by_code { "by your contact code" } else { "without a contact code" };
    let text = match invite.text.is_empty() {
        true => String::new(),
        false => format!(": {}", print::one_line(&invite.text)),
    };
    format!("from {name:<20} {key}  {how}{text}")
}

pub(super) fn safety(safety: &Safety) -> String {
    let name = print::one_line(&safety.name);
    let lines: Vec<&str> = safety.number.split(' ').collect();
    let grid: Vec<String> = lines.chunks(4).map(|row| format!("    {}", row.join(" "))).collect();
    let state = match (safety.keys_changed, safety.verified) {
        (true, _) => format!(
            "WARNING: {name}'s keys have changed. If the numbers are the same on both sides:\n\
             covey msg verify {name} --confirm"
        ),
        (false, true) => format!("{name} is verified"),
        (false, false) => {
            format!("If {name} sees the same number: covey msg verify {name} --confirm")
        }
    };
    format!("Safety number with {name}\n{}\n{state}", grid.join("\n"))
}

/// A message on one line; long ones keep their own lines, indented.
pub(super) fn message(message: &MessageInfo, ids: bool) -> String {
    let who = if message.mine { "me".to_owned() } else { print::one_line(&message.who) };
    let text = match message.deleted {
        true => "(deleted)".to_owned(),
        false => print::safe(&message.text).replace('\n', "\n    "),
    };
    let mut notes = Vec::new();
    if message.edited && !message.deleted {
        notes.push("edited".to_owned());
    }
    if let Some(reply) = &message.reply {
        notes.push(format!("answers {}", short(reply)));
    }
    let reactions = [&message.my_reaction, &message.their_reaction];
    notes.extend(reactions.into_iter().flatten().map(|emoji| print::one_line(emoji)));
    if message.mine {
        notes.push(progress(message.progress).to_owned());
    }
    let notes = match notes.is_empty() {
        true => String::new(),
        false => format!("  [{}]", notes.join(", ")),
    };
    let id = if ids { format!("{}  ", message.id) } else { String::new() };
    format!("{id}{}  {who}: {text}{notes}", print::time(message.time))
}

/// A point in time: `30m`, `12h`, `7d` ago, or a date.
pub(super) fn since(text: &str) -> Result<u64, Failure> {
    let wrong = || {
        Failure::Usage(format!(
            "\"{text}\" is no time: write 30m, 12h or 7d (ago), or a date such as 2026-05-01"
        ))
    };
    if let Some(date) = date(text) {
        return Ok(date);
    }
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u64 = text.strip_suffix(unit).ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    let millis = match unit {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return Err(wrong()),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    Ok(now.saturating_sub(number.saturating_mul(millis)))
}

/// Milliseconds at the beginning of a day, UTC.
fn date(text: &str) -> Option<u64> {
    let mut parts = text.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let valid =
        (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || parts.next().is_some() {
        return None;
    }
    // Days from 1970, by Howard Hinnant's `days_from_civil`.
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let shifted = (month.checked_add(9)?) % 12;
    let day_of_year =
        (shifted.checked_mul(153)?.checked_add(2)? / 5).checked_add(day)?.checked_sub(1)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era / 4)?
        .checked_sub(year_of_era / 100)?
        .checked_add(day_of_year)?;
    let days = era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)?;
    days.checked_mul(86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970() {
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("2024-02-29"), Some(1_709_164_800_000));
        assert_eq!(date("2024-13-01"), None);
        assert_eq!(date("1969-12-31"), None);
    }

    #[test]
    fn a_time_that_is_none_says_how_to_write_one() {
        assert!(since("yesterday").unwrap_err().to_string().contains("30m, 12h or 7d"));
        assert!(since("").is_err());
        assert!(since("1d").unwrap() < since("1h").unwrap());
    }
}
