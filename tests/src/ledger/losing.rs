//! People who lose all but their phrase.

use covey_kernel::Span;
use covey_ledger::{
    Outpoint,
    wallet::{Command as Ask, Reply as Told},
};

use super::{
    act::{INSISTS, Market},
    look::{self, told},
};

impl Market {
    /// A wallet that nobody used takes a phrase, and its owner says that they are alone.
    fn search(&mut self, node: usize, phrase: u8) {
        for _ in 0..INSISTS {
            if self.takes_phrase(node, phrase) {
                return;
            }
            self.world.run_for(Span::secs(2));
        }
    }

    /// Somebody's node is gone. They take their phrase on one that was never used, and have what they had.
    pub(super) fn lose_all_but_phrase(&mut self) -> Result<(), String> {
        let node = self.people[0].node;
        let phrase = self.people[0].phrase.expect("the first one has a phrase");
        let before = look::free(&self.world, node);
        let spare = self.world.nodes().len() - 1;
        self.world.take_down(node);
        self.search(spare, phrase);
        let after = look::free(&self.world, spare);
        self.world.bring_up(node);
        self.world.run_for(Span::secs(1));
        let names = |coins: Vec<&Outpoint>| -> Vec<String> {
            let inside = self.world.nodes()[0].rules().seen.look();
            let votes = |tx| inside.votes.get(tx).map(|votes| votes.iter().collect::<Vec<_>>());
            coins.iter().map(|one| format!("{one:?} of {:?}", votes(&one.tx))).collect()
        };
        let lost = names(before.keys().filter(|coin| !after.contains_key(coin)).collect());
        let more = names(after.keys().filter(|coin| !before.contains_key(coin)).collect());
        // Whoever looks may also find enough votes for a payment of which nobody else knows that it is final.
        let twins = self.people.iter().any(|one| one.twin);
        if lost.is_empty() && (more.is_empty() || twins) {
            return Ok(());
        }
        let all = before.len();
        Err(format!("of {all} coins are not found again {lost:?}, and are too many {more:?}"))
    }

    /// Somebody's node is gone when two of four validators have voted for a payment of theirs. All they had
    /// must be found again, or have been paid.
    pub(super) fn break_off(&mut self) -> Result<(), String> {
        let node = self.people[0].node;
        let phrase = self.people[0].phrase.expect("the first one has a phrase");
        let spare = self.world.nodes().len() - 1;
        let before = look::free(&self.world, node);
        self.world.cut_links([(node, 2), (2, node), (node, 3), (3, node)]);
        self.pay(0);
        self.world.run_for(Span::secs(2));
        // With the fee of each.
        let paid = match told(&self.world, node, Ask::Pending) {
            Some(Told::Payments(pending)) => {
                let lines = pending.iter().flat_map(|view| &view.lines);
                lines.map(|line| line.amount.units()).sum::<u64>() + pending.len() as u64
            }
            _ => 0,
        };
        self.world.take_down(node);
        self.world.heal();
        self.search(spare, phrase);
        self.world.run_for(Span::secs(600));
        let sum = |node| -> u64 {
            look::free(&self.world, node).values().map(|output| output.amount.units()).sum()
        };
        let before: u64 = before.values().map(|output| output.amount.units()).sum();
        let found = sum(spare);
        // All of it, or what the payment has left.
        if found == before || found + paid == before {
            return Ok(());
        }
        Err(format!("of {before} only {found} is found again, and {paid} was paid"))
    }
}
