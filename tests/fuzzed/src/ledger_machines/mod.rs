//! Sequences of operations on validators and wallets, with a network and disks that the input controls.

mod book;

use covey_kernel::{Bounded, Hash, Peer, PublicKey, Text};
use covey_ledger::{
    Amount, Asset, Configuration, Decimals, Outpoint, Proposal, Spend,
    validator::{Command, Reply},
    wallet::{self, Order},
    wire::ToValidator,
};

use crate::ledger_net::{Coin, Disk, Net};
use book::Book;

/// Operations of one run.
const OPERATIONS: usize = 64;
/// Bytes that decide on an operation.
const OPERATION: usize = 3;
/// Nodes that can validate; the last one does not at first.
const VALIDATORS: usize = 5;
/// The nodes with wallets.
const WALLETS: [usize; 2] = [5, 6];
const NODES: usize = 7;
/// Only of this one's disk an older copy may come back: one is as many as may be faulty.
const OLD: usize = 3;
/// Coins of the genesis with which somebody tries to pay two at once.
const CHEATS: usize = 8;

struct Play {
    net: Net,
    /// No bit was flipped: so all that wallets pay must become final.
    fair: bool,
    /// An older copy of a disk.
    copy: Option<Disk>,
    /// What a cheat has signed, two of each coin.
    rivals: Vec<[Spend; 2]>,
    notes: u16,
}

/// Each three bytes are an operation and its arguments. Whatever happens: no node halts, no outpoint is certified for
/// two transactions, money is conserved, and what a wallet has is certified and nobody else's. If no bit was flipped,
/// then in the end all payments are final, and each coin is where it belongs.
pub fn ledger_machines(bytes: &[u8]) {
    let mut play = Play::of(bytes);
    let mut book = Book::of(&mut play.net);
    book.nothing_is_certified_twice();
    book.money_is_conserved();
    for wallet in WALLETS {
        book.coins_are_certified(&mut play.net, wallet);
        if play.fair {
            book.all_has_arrived(&mut play.net, wallet);
        }
    }
}

impl Play {
    fn of(bytes: &[u8]) -> Self {
        let mut play = Self::begin();
        for step in bytes.as_chunks::<OPERATION>().0.iter().take(OPERATIONS) {
            play.operate(*step);
        }
        play.heal();
        play
    }

    fn begin() -> Self {
        let mut net = Net::started(1, 4, VALIDATORS);
        net.said = Some(Vec::new());
        for wallet in WALLETS {
            assert_eq!(net.add_wallet(), wallet);
        }
        net.run(100);
        for (at, coin) in net.coins.split_off(CHEATS).into_iter().take(5).enumerate() {
            net.fund(WALLETS[usize::from(at == 0)], &coin, &[0, 1, 2, 3]);
        }
        let rivals = net.coins.clone().iter().map(|coin| rivals(&mut net, coin)).collect();
        Self { net, fair: true, copy: None, rivals, notes: 0 }
    }

    fn operate(&mut self, [operation, one, other]: [u8; OPERATION]) {
        let (node, wallet) = (usize::from(one) % NODES, WALLETS[usize::from(one & 1)]);
        let validator = usize::from(one) % VALIDATORS;
        match operation % 32 {
            0..=5 => self.pay(wallet, one, other),
            6 | 7 => self.pay_node(wallet, other),
            8 => self.order(wallet, wallet::Command::Consolidate(Asset::COIN)),
            9 => self.issue(wallet, other),
            10..=12 => self.net.run(u64::from(other) * 4),
            13 => self.net.run(u64::from(other) * 500),
            14..=16 => self.crash_soon(node, other),
            17 | 18 => self.restart(node),
            19 => self.net.stop(node),
            20 => self.net.loss = (other & 1 == 0).then_some(2 + u64::from(other >> 4)),
            21 => self.cut_or_mend(node, usize::from(other) % NODES),
            22 => self.flip(one, other),
            23..=25 => self.cheat(usize::from(one) % CHEATS, other),
            26 => self.copy = self.net.nodes[OLD].validator.as_ref().map(|run| run.disk.clone()),
            27 => self.bring_back_copy(),
            28 => self.replace(if other & 1 == 0 { [0, 1, 2, 4] } else { [0, 1, 2, 3] }),
            29 => self.look(wallet, validator),
            30 => self.order(wallet, wallet::Command::Resume),
            _ => self.start_all(),
        }
    }

    fn order(&mut self, wallet: usize, command: wallet::Command) {
        // It may be refused.
        drop(self.net.try_order(wallet, command));
    }

    fn order_of(&mut self, from: usize, address: PublicKey, units: u8) -> Order {
        self.notes += 1;
        Order {
            to: vec![(address, Amount::new(u64::from(units)))],
            asset: Asset::COIN,
            note: Text::new(self.notes.to_string()).unwrap(),
            payee: Some(self.net.peer(other_than(from))),
            twice: false,
        }
    }

    fn pay(&mut self, from: usize, one: u8, units: u8) {
        let to = if one & 4 == 0 { other_than(from) } else { from };
        let ask = wallet::Command::Address(Text::default());
        let Some(Ok(wallet::Reply::Address(address))) = self.net.try_order(to, ask) else { return };
        let mut order = self.order_of(from, address, units);
        if let Some(asset) = self.token(from).filter(|_| one & 8 == 8) {
            order.asset = asset;
        }
        self.order(from, wallet::Command::Send(order));
    }

    /// A token that a wallet has, if any.
    fn token(&mut self, wallet: usize) -> Option<Asset> {
        match self.net.try_order(wallet, wallet::Command::Balance) {
            Some(Ok(wallet::Reply::Balances(all))) => all.last().map(|(asset, _)| *asset),
            _ => None,
        }
    }

    fn pay_node(&mut self, from: usize, units: u8) {
        let to: Peer = self.net.peer(other_than(from));
        let order = self.order_of(from, to, units);
        self.order(from, wallet::Command::SendTo(to, order));
    }

    fn issue(&mut self, wallet: usize, amount: u8) {
        let name = Text::new(format!("token {amount}")).unwrap();
        let amount = Amount::new(u64::from(amount));
        self.order(wallet, wallet::Command::Issue { name, amount, decimals: Decimals::NONE });
    }

    fn crash_soon(&mut self, node: usize, turns: u8) {
        let turns = 1 + usize::from(turns % 16);
        let node = &mut self.net.nodes[node];
        if let Some(run) = &mut node.validator {
            run.crash_at = Some(run.turns + turns);
        }
        if let Some(run) = &mut node.wallet {
            run.crash_at = Some(run.turns + turns);
        }
    }

    fn restart(&mut self, node: usize) {
        if self.net.nodes[node].up {
            self.net.stop(node);
        }
        let one = &mut self.net.nodes[node];
        one.validator.iter_mut().for_each(|run| run.crash_at = None);
        one.wallet.iter_mut().for_each(|run| run.crash_at = None);
        self.net.start(node);
    }

    fn start_all(&mut self) {
        (0..NODES)
            .filter(|node| !self.net.nodes[*node].up)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|node| self.restart(node));
    }

    fn cut_or_mend(&mut self, one: usize, other: usize) {
        if !self.net.cut.remove(&(one, other)) {
            self.net.cut.insert((one, other));
        }
    }

    /// What was said may then have been refused, and payments be given up.
    fn flip(&mut self, one: u8, other: u8) {
        self.fair = false;
        self.net.flip = Some(usize::from(one) * 256 + usize::from(other));
    }

    /// Shows each validator one of two payments of one coin, or both.
    fn cheat(&mut self, coin: usize, whom: u8) {
        for node in 0..VALIDATORS {
            let run = self.net.nodes[node].validator.as_ref().unwrap();
            // Whoever is about to crash would not answer.
            if !self.net.nodes[node].up || run.crash_at.is_some() {
                continue;
            }
            let first = usize::from(whom >> node & 1);
            let again = usize::from(whom & 0x80 != 0);
            for which in [first, first ^ again] {
                let spend = self.rivals[coin][which].clone();
                self.net.ask(node, ToValidator::Spend(Box::new(spend)));
            }
        }
    }

    fn bring_back_copy(&mut self) {
        let Some(disk) = self.copy.clone() else { return };
        if self.net.nodes[OLD].up {
            self.net.stop(OLD);
        }
        self.net.nodes[OLD].validator.as_mut().unwrap().disk = disk;
        self.restart(OLD);
    }

    /// Proposes members of the next epoch, with whoever takes part, and lets all operators agree.
    fn replace(&mut self, members: [usize; 4]) {
        let Some(proposal) = self.proposal(members) else { return };
        let id: Hash = proposal.id(&self.net.network.id);
        self.net.order_validator(0, Command::Propose(Box::new(proposal)));
        self.net.run(400);
        for node in 0..VALIDATORS {
            self.net.order_validator(node, Command::Approve(id));
        }
    }

    fn proposal(&mut self, members: [usize; 4]) -> Option<Proposal> {
        let mut entries = Vec::new();
        for node in members {
            let name = Text::new(format!("v{node}")).unwrap();
            let join = Command::Join { name, addresses: Bounded::default() };
            match self.net.order_validator(node, join) {
                Some(Ok(Reply::Member(member))) => entries.push(*member),
                _ => return None,
            }
        }
        let newest = match self.net.order_validator(0, Command::Configuration) {
            Some(Ok(Reply::Configuration(configuration))) => *configuration,
            _ => return None,
        };
        let network = self.net.network.id;
        let mut proposal = Proposal::new(Configuration {
            epoch: newest.epoch + 1,
            members: Bounded::first(entries),
            governance: newest.governance.clone(),
            previous: newest.id(&network),
        });
        self.net.governance.iter().take(2).for_each(|key| {
            proposal.approve(&network, &newest, key);
        });
        Some(proposal)
    }

    /// Looking changes nothing, and works.
    fn look(&mut self, wallet: usize, validator: usize) {
        for command in [
            wallet::Command::Status,
            wallet::Command::Addresses,
            wallet::Command::Balance,
            wallet::Command::Tokens,
            wallet::Command::Pending,
            wallet::Command::Requests,
            wallet::Command::History { limit: 100, before: None },
        ] {
            let reply = self.net.try_order(wallet, command);
            assert!(reply.is_none_or(|reply| reply.is_ok()));
        }
        for command in [
            Command::Status,
            Command::Locks { limit: 100, before: None },
            Command::Evidence { limit: 100, after: None::<Outpoint> },
            Command::Proposals,
        ] {
            let reply = self.net.order_validator(validator, command);
            assert!(reply.is_none_or(|reply| reply.is_ok()));
        }
    }

    /// Whatever was wrong is over, for long enough that nobody waits because of what came before.
    fn heal(&mut self) {
        (self.net.loss, self.net.flip) = (None, None);
        self.net.cut.clear();
        (0..NODES).for_each(|node| self.restart(node));
        self.net.run(90_000);
        self.net.run(90_000);
    }
}

fn other_than(wallet: usize) -> usize {
    if wallet == WALLETS[0] { WALLETS[1] } else { WALLETS[0] }
}

fn rivals(net: &mut Net, coin: &Coin) -> [Spend; 2] {
    [net.pay(coin).0, net.pay(coin).0]
}

#[cfg(test)]
mod tests {
    use covey_ledger::wire::NotReady;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Runs are worth something: much becomes final, also of what cheats sign; epochs pass, and an old copy is noticed.
    #[test]
    fn runs_have_payments_cheats_epochs_and_old_copies() {
        let (mut certified, mut contested, mut epochs, mut behind) = (0, 0, 0, 0);
        for seed in 0..12 {
            let mut bytes = [0; OPERATIONS * OPERATION];
            rand_chacha::ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
            let mut play = Play::of(&bytes);
            behind += usize::from(play.net.status(OLD).not_ready == Some(NotReady::Behind(())));
            let book = Book::of(&mut play.net);
            certified += book.certified().len();
            contested += book.contested();
            epochs += book.epochs();
        }
        let all = [certified, contested, epochs, behind];
        assert!(certified > 150 && contested > 10 && epochs > 3 && behind > 0, "{all:?}");
    }
}
