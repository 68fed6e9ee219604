use covey_kernel::{CommandId, Peer, PublicKey, Span, Text};
use covey_ledger::{
    Amount, Asset, Decimals, Phrase, TxId,
    wallet::{Command as Ask, LineView, Order, Progress, Reply as Told, Restored},
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    Deeds,
    cast::{Cast, entropy},
    check::{checkers, settled},
    look::{self, told},
    machine::{Command, LedgerNode, Reply},
    seen::look_at_disks,
};
use crate::sim::{Config, Outcome, Report, World};

/// Longest time in which a calm world has to settle.
const SETTLES: Span = Span::secs(20 * 60);

/// How often it is looked whether it has.
const LOOKS: Span = Span::secs(5);

/// How often somebody asks for something before that is a failure.
pub(super) const INSISTS: usize = 300;

/// Addresses that a new wallet begins with, and what it is given at each.
const ADDRESSES: usize = 3;
const GIFT: u64 = 500;

/// Somebody with money.
pub(super) struct Person {
    /// Where their wallet is.
    pub(super) node: usize,
    /// The phrase that they take at the beginning; else their wallet is new.
    pub(super) phrase: Option<u8>,
    /// Where they may be paid.
    pub(super) addresses: Vec<PublicKey>,
    /// Whether they have their phrase on another node too.
    pub(super) twin: bool,
}

/// People, and the world they pay in.
pub(super) struct Market {
    pub(super) world: World<LedgerNode>,
    pub(super) rng: ChaCha8Rng,
    pub(super) people: Vec<Person>,
    orders: u32,
    tokens: u32,
}

impl Market {
    pub(super) fn open(seed: u64, config: Config, cast: &Cast, rng: ChaCha8Rng) -> Self {
        let world = cast.world(seed, config);
        Self { world, rng, people: cast.people(), orders: 0, tokens: 0 }
    }

    /// All that people do in a run; then why what they owe is not done.
    pub(super) fn trade(&mut self, steps: usize) -> Result<(), String> {
        self.begin()?;
        (0..steps).for_each(|_| self.step());
        self.world.calm();
        let settled = self.settle();
        self.stop_cheating();
        let settled = settled.and_then(|()| self.settle());
        self.show_all();
        settled
    }

    /// What came of it.
    pub(super) fn report(&self, settled: Result<(), String>) -> (Report, Deeds) {
        let mut report = Report::of(&self.world, &checkers());
        report.violations.extend(settled.err().map(|why| format!("not in time: {why}")));
        (report, look::deeds(&self.world))
    }

    /// Whoever has a phrase takes it, finds what the genesis gives them, and says that they are alone; the
    /// others make addresses, and are paid there.
    pub(super) fn begin(&mut self) -> Result<(), String> {
        for _ in 0..INSISTS {
            let ready = (0..self.people.len()).map(|who| self.is_ready(who));
            if ready.fold(true, |all, one| all & one) {
                self.endow();
                return Ok(());
            }
            self.world.run_for(Span::secs(2));
        }
        Err("somebody never finds their money".to_owned())
    }

    /// Whether somebody has what they need to be paid; else they do something for it.
    fn is_ready(&mut self, who: usize) -> bool {
        let node = self.people[who].node;
        if let Some(phrase) = self.people[who].phrase {
            return self.takes_phrase(node, phrase);
        }
        let addresses = look::addresses(&self.world, node);
        if addresses.len() < ADDRESSES {
            self.command(node, Ask::Address(Text::default()));
            return false;
        }
        self.people[who].addresses = addresses.into_iter().collect();
        true
    }

    /// The first one pays all who have nothing.
    fn endow(&mut self) {
        for who in 0..self.people.len() {
            if self.people[who].phrase.is_none() {
                let addresses = self.people[who].addresses.clone();
                let amount = || Amount::new(GIFT);
                let to = addresses.into_iter().map(|address| (address, amount())).collect();
                let order = Order { payee: Some(self.peer(who)), ..self.order(Asset::COIN, to) };
                self.command(self.people[0].node, Ask::Send(order));
            }
        }
    }

    /// Whether a wallet has taken a phrase and may spend what it found; else it is told to.
    pub(super) fn takes_phrase(&mut self, node: usize, phrase: u8) -> bool {
        let Some(Told::Status(status)) = told(&self.world, node, Ask::Status) else { return false };
        match status.restored {
            Restored::No(()) => {
                let phrase = Phrase::from_entropy(&entropy(phrase)).unwrap();
                self.command(node, Ask::Restore(Box::new(phrase)));
            }
            Restored::Searching(()) => {}
            Restored::Held(()) => {
                self.command(node, Ask::Alone);
            }
            Restored::Alone(()) => return true,
        }
        false
    }

    pub(super) fn command(&mut self, node: usize, ask: Ask) -> CommandId {
        self.world.command(node, Command::Wallet(ask))
    }

    /// Asks until there is a reply, of whatever kind.
    fn insist(&mut self, node: usize, ask: impl Fn() -> Ask) {
        for _ in 0..INSISTS {
            let id = self.command(node, ask());
            let answered = |world: &World<LedgerNode>| {
                !matches!(world.outcome(id), None | Some(Outcome::Waiting))
            };
            self.world.run_until(Span::secs(60), answered);
            if matches!(self.world.outcome(id), Some(Outcome::Done(_))) {
                return;
            }
            self.world.run_for(Span::secs(5));
        }
        panic!("seed {}: node {node} never replies", self.world.seed())
    }

    /// Somebody does something.
    pub(super) fn step(&mut self) {
        let who = self.rng.random_range(0..self.people.len());
        match self.rng.random_range(0..20) {
            0..9 => self.pay(who),
            9..12 => self.pay_node(who),
            12..14 => {
                let (asset, _) = self.any_asset(who);
                self.command(self.people[who].node, Ask::Consolidate(asset));
            }
            14 => self.issue(who),
            15..17 => {
                self.command(self.people[who].node, Ask::Resume);
            }
            17..19 => self.new_address(who),
            _ => self.show_again(),
        }
        if self.rng.random_ratio(1, 4) {
            self.cheat();
        }
        let pause = Span::millis(self.rng.random_range(0..8_000));
        self.world.run_for(pause);
        look_at_disks(&self.world);
    }

    /// An asset that somebody has, and how much of it may be spent.
    fn any_asset(&mut self, who: usize) -> (Asset, u64) {
        let Some(Told::Balances(balances)) = told(&self.world, self.people[who].node, Ask::Balance)
        else {
            return (Asset::COIN, 0);
        };
        // Mostly the coin.
        let at = match self.rng.random_bool(0.7) {
            true => 0,
            false => self.rng.random_range(0..balances.len()),
        };
        (balances[at].0, balances[at].1.free.units())
    }

    /// Who is paid by somebody: anybody else, and not the same person on another node.
    fn payee(&mut self, who: usize) -> usize {
        let twin = self.people[who].twin;
        let is_other = |at: &usize| *at != who && !(twin && self.people[*at].twin);
        let others: Vec<usize> = (0..self.people.len()).filter(is_other).collect();
        others[self.rng.random_range(0..others.len())]
    }

    fn order(&mut self, asset: Asset, to: Vec<(PublicKey, Amount)>) -> Order {
        self.orders += 1;
        let note = Text::new(format!("order {}", self.orders)).unwrap();
        Order { to, asset, note, payee: None, twice: false }
    }

    fn any_amount(&mut self, free: u64) -> Amount {
        let most = if self.rng.random_ratio(1, 8) { free } else { free / 3 };
        Amount::new(self.rng.random_range(1..=most.max(1)))
    }

    /// To one or several addresses of one payee, whose node is told, or not.
    pub(super) fn pay(&mut self, who: usize) {
        let payee = self.payee(who);
        let (asset, free) = self.any_asset(who);
        let lines = if self.rng.random_ratio(1, 4) { 3 } else { 1 };
        let mut to = Vec::new();
        for _ in 0..lines {
            let addresses = &self.people[payee].addresses;
            let address = addresses[self.rng.random_range(0..addresses.len())];
            to.push((address, self.any_amount(free / lines)));
        }
        let mut order = self.order(asset, to);
        if self.rng.random_bool(0.7) {
            order.payee = Some(self.peer(payee));
        }
        self.command(self.people[who].node, Ask::Send(order));
    }

    fn peer(&self, who: usize) -> Peer {
        self.world.nodes()[self.people[who].node].peer()
    }

    /// Whoever is at a node.
    fn pay_node(&mut self, who: usize) {
        let payee = self.payee(who);
        let (asset, free) = self.any_asset(who);
        // The address is asked for.
        let address = self.people[payee].addresses[0];
        let to = vec![(address, self.any_amount(free))];
        let mut order = self.order(asset, to);
        order.note = Text::new(format!("ask for {}", &*order.note)).unwrap();
        let peer = self.peer(payee);
        self.command(self.people[who].node, Ask::SendTo(peer, order));
    }

    fn issue(&mut self, who: usize) {
        self.tokens += 1;
        let name = Text::new(format!("token {}", self.tokens)).unwrap();
        let amount = Amount::new(self.rng.random_range(1..1000));
        let issue = Ask::Issue { name, amount, decimals: Decimals::NONE };
        self.command(self.people[who].node, issue);
    }

    /// Somebody makes an address, and may be paid there.
    fn new_address(&mut self, who: usize) {
        let label = Text::default();
        let ask = match self.rng.random_bool(0.5) {
            true => Ask::Address(label),
            false => Ask::Ask { amount: None, asset: Asset::COIN, label },
        };
        let id = self.command(self.people[who].node, ask);
        self.world.run_for(Span::secs(1));
        if let Some(Outcome::Done(Ok(Reply::Wallet(Told::Address(address))))) =
            self.world.outcome(id)
        {
            let address = *address;
            self.people[who].addresses.push(address);
        }
    }

    /// The same phrase on two nodes pays the same coins to two people at once, each from the half of the
    /// validators that the other does not reach.
    pub(super) fn cheat(&mut self) {
        let twins: Vec<usize> = (0..self.people.len()).filter(|at| self.people[*at].twin).collect();
        let [one, two] = twins[..] else { return };
        let free = self.any_asset(one).1.min(self.any_asset(two).1);
        let amount = self.any_amount(free);
        let nodes = self.world.nodes();
        let validators: Vec<usize> = (0..nodes.len())
            .filter(|at| {
                let rules = nodes[*at].rules();
                rules.validator.is_some() && rules.vice.is_none()
            })
            .collect();
        let shift = self.rng.random_range(0..2);
        for (turn, who) in [one, two].into_iter().enumerate() {
            let node = self.people[who].node;
            let half = validators.iter().skip((turn + shift) % 2).step_by(2).copied();
            let cut = half.flat_map(|at| [(at, node), (node, at)]);
            self.world.cut_links(cut.collect::<Vec<_>>());
            let payee = self.payee(who);
            let to = vec![(self.people[payee].addresses[0], amount)];
            let order = Order { payee: Some(self.peer(payee)), ..self.order(Asset::COIN, to) };
            self.command(node, Ask::Send(order));
        }
        let apart = Span::millis(self.rng.random_range(100..3000));
        self.world.run_for(apart);
        self.world.heal();
        for who in [one, two] {
            self.command(self.people[who].node, Ask::Resume);
        }
    }

    /// Somebody shows a payment to its payee by hand who may know it, and may have spent it.
    fn show_again(&mut self) {
        let shown = self.payments();
        if !shown.is_empty() {
            let (payer, payee, tx, index) = shown[self.rng.random_range(0..shown.len())];
            self.show(payer, payee, tx, index);
        }
    }

    /// All payments from one person to another: their nodes, and the output.
    fn payments(&self) -> Vec<(usize, usize, TxId, u16)> {
        let mut all = Vec::new();
        for payer in &self.people {
            for (_, line) in look::history(&self.world, payer.node) {
                let LineView::Paid(view) = line else { continue };
                if !matches!(view.progress, Progress::Certified(_)) {
                    continue;
                }
                for line in &view.lines {
                    let owners = self.people.iter().filter(|one| {
                        one.node != payer.node
                            && !(one.twin && payer.twin)
                            && look::addresses(&self.world, one.node).contains(&line.to)
                    });
                    all.extend(owners.map(|one| (payer.node, one.node, view.tx, line.index)));
                }
            }
        }
        all
    }

    /// As with a file.
    fn show(&mut self, payer: usize, payee: usize, tx: TxId, index: u16) {
        let proof = || told(&self.world, payer, Ask::Proof(tx, index));
        if let Some(Told::Proof(paid)) = proof() {
            self.insist(payee, || Ask::Receive(paid.clone()));
        }
    }

    /// No more faults, until nothing more is owed; why it is not so in time.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        let end = self.world.now().plus(SETTLES);
        loop {
            let done = settled(&self.world);
            look_at_disks(&self.world);
            if done.is_ok() || self.world.now() >= end {
                return done;
            }
            self.world.run_for(LOOKS);
        }
    }

    /// Whoever pays twice reaches no validator any more: else one of their payments might become final while
    /// it is looked at what is.
    pub(super) fn stop_cheating(&mut self) {
        let nodes = self.world.nodes();
        let validators = (0..nodes.len()).filter(|at| nodes[*at].rules().validator.is_some());
        let validators: Vec<usize> = validators.collect();
        let twins = self.people.iter().filter(|one| one.twin).map(|one| one.node);
        let cut =
            twins.flat_map(|node| validators.iter().flat_map(move |at| [(*at, node), (node, *at)]));
        let cut: Vec<_> = cut.collect();
        self.world.cut_links(cut);
        self.world.run_for(Span::secs(20));
    }

    /// What payees' nodes were not told is shown to them, and some of what they were told once more.
    pub(super) fn show_all(&mut self) {
        for (payer, payee, tx, index) in self.payments() {
            let known = look::has_come(&self.world, payee, tx, index);
            if !known || self.rng.random_ratio(1, 3) {
                self.show(payer, payee, tx, index);
            }
        }
    }
}
