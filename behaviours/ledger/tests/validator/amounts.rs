//! What comes out is what goes in: no more, no less, nothing of nothing, and every sum is counted.

use covey_kernel::Keypair;
use covey_ledger::{Amount, Genesis, Reason};

use crate::{
    money::{Coin, four, to},
    net::{Net, genesis, vote_key},
};

fn quorum() -> [(u8, Keypair); 3] {
    [0, 1, 2].map(|at| (at, vote_key(usize::from(at))))
}

/// Four validators, a smallest output of 5, and a fee of 2.
fn costly() -> Net {
    let mut costly = genesis(4, [10, 20, 30, 5].map(|amount| to(1, amount)).to_vec());
    costly.currency.minimum = Amount::new(5);
    costly.currency.fee = Amount::new(2);
    Net::of(costly)
}

#[test]
fn zero_amounts() {
    let mut net = four();
    let coin = net.coin(0);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 0)]), Reason::ZeroAmount);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 10), to(22, 0)]), Reason::ZeroAmount);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 0), to(22, 10)]), Reason::ZeroAmount);
    net.still_free(0, &[&coin]);
}

#[test]
fn overflowing_amounts() {
    let mut net = four();
    let coin = net.coin(0);
    // With sums that wrap around, all of these would make 10.
    for outputs in [
        vec![to(21, u64::MAX), to(22, 11)],
        vec![to(21, 11), to(22, u64::MAX)],
        vec![to(21, 1 << 63), to(22, 1 << 63), to(23, 10)],
        vec![to(21, u64::MAX), to(22, u64::MAX), to(23, 12)],
    ] {
        let sum = outputs.iter().fold(0u64, |sum, one| sum.wrapping_add(one.amount.units()));
        assert_eq!(sum, 10);
        net.refuses(0, &net.spend(&[&coin], &outputs), Reason::Overflow);
    }
    net.still_free(0, &[&coin]);
}

#[test]
fn overflowing_inputs() {
    let mut net = four();
    // Only f + 1 liars could certify so much.
    let much = [u64::MAX, 11].map(|amount| net.invented(to(21, amount), &quorum()));
    let spend = net.spend(&[&much[0], &much[1]], &[to(22, 10)]);
    net.refuses(0, &spend, Reason::Overflow);
    let spend = net.spend(&[&much[0], &much[1]], &[to(22, u64::MAX), to(23, 11)]);
    net.refuses(0, &spend, Reason::Overflow);
    net.still_free(0, &[&much[0], &much[1]]);
}

#[test]
fn a_fee_that_overflows() {
    let mut net = costly();
    let much = net.invented(to(21, u64::MAX), &quorum());
    net.refuses(0, &net.spend(&[&much], &[to(22, u64::MAX)]), Reason::Overflow);
    net.refuses(0, &net.spend(&[&much], &[to(22, u64::MAX - 1)]), Reason::Overflow);
    net.still_free(0, &[&much]);
}

#[test]
fn what_comes_out_is_what_goes_in() {
    let mut net = four();
    let coins = [0, 1, 2].map(|index| net.coin(index));
    let all: Vec<&Coin> = coins.iter().collect();
    for outputs in [
        vec![to(21, 61)],
        vec![to(21, 59)],
        vec![to(21, 60), to(22, 1)],
        vec![to(21, 1)],
        vec![to(21, u64::MAX)],
        vec![to(21, 30), to(21, 29)],
    ] {
        net.refuses(0, &net.spend(&all, &outputs), Reason::Sums);
    }
    net.vote(0, &net.spend(&all, &[to(21, 30), to(21, 29), to(1, 1)]));
}

#[test]
fn the_whole_supply_in_one_coin() {
    let mut net = Net::of(genesis(4, vec![to(1, u64::MAX - 7), to(2, 7)]));
    let one = net.all_to(&[&net.coin(0), &net.coin(1)], 21);
    assert_eq!(one.outputs[0].output.amount, Amount::new(u64::MAX));
    let coin = net.made(&one).remove(0);
    net.vote(3, &net.spend(&[&coin], &[to(22, u64::MAX - 1), to(22, 1)]));
    let much = genesis(4, vec![to(1, u64::MAX), to(2, 1)]);
    assert!(Genesis::decode(&much.encode()).is_err());
}

#[test]
fn below_the_smallest_output() {
    let mut net = costly();
    let coin = net.coin(0);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 4), to(22, 4)]), Reason::BelowMinimum);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 7), to(22, 1)]), Reason::BelowMinimum);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 8), to(22, 0)]), Reason::ZeroAmount);
    let other = net.coin(2);
    net.vote(0, &net.spend(&[&other], &[to(21, 5), to(22, 23)]));
    net.still_free(0, &[&coin]);
}

#[test]
fn the_fee_is_paid_exactly_and_once_a_transaction() {
    let mut net = costly();
    let [ten, twenty] = [net.coin(0), net.coin(1)];
    for out in [10, 9, 7, 5, 11] {
        net.refuses(0, &net.spend(&[&ten], &[to(21, out)]), Reason::Fee);
    }
    let both = [&ten, &twenty];
    for out in [30, 29, 27, 26] {
        net.refuses(0, &net.spend(&both, &[to(21, out)]), Reason::Fee);
    }
    net.vote(0, &net.spend(&both, &[to(21, 20), to(22, 8)]));
    // What is worth no more than the fee and the smallest output can only be joined.
    let five = net.coin(3);
    net.refuses(0, &net.spend(&[&five], &[to(21, 3)]), Reason::BelowMinimum);
    net.refuses(0, &net.spend(&[&five], &[to(21, 5)]), Reason::Fee);
    net.vote(0, &net.all_to(&[&five, &net.coin(2)], 21));
}

#[test]
fn the_fee_is_not_paid_out_of_nothing() {
    let mut net = costly();
    // 5 in, 5 out and a fee of 2: whoever adds the fee on the wrong side makes money.
    let five = net.coin(3);
    net.refuses(0, &net.spend(&[&five], &[to(21, 7)]), Reason::Fee);
    let ten = net.coin(0);
    net.refuses(0, &net.spend(&[&ten], &[to(21, 12)]), Reason::Fee);
    net.still_free(0, &[&ten]);
}

#[test]
fn a_network_without_a_fee_burns_nothing() {
    let mut net = four();
    let coin = net.coin(0);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 9)]), Reason::Sums);
    net.refuses(0, &net.spend(&[&coin], &[to(21, 8)]), Reason::Sums);
    net.still_free(0, &[&coin]);
}
