//! What the thesis measured: *Asynchronous Consensus-Free Transaction Systems* (S. Mori, 2020), tables
//! 4.1 to 4.5; four servers and two clients in Go on one laptop, no disk synced.

/// Transactions a second in a scenario, from 1, with so many trials; none where it has no figure.
#[must_use]
#[allow(clippy::approx_constant)] // 3.14 is what was measured
pub fn thesis(scenario: usize, trials: usize) -> Option<f64> {
    let of = match scenario {
        1 => [5.25, 4.27, 4.43, 3.49],
        2 => [5.95, 5.00, 4.87, 3.52],
        3 => [5.17, 4.58, 4.92, 2.71],
        4 => [5.33, 5.52, 5.44, 4.54],
        5 => [5.38, 5.23, 4.29, 3.14],
        _ => return None,
    };
    let column = [10, 100, 1_000, 10_000].iter().position(|column| *column == trials)?;
    of.get(column).copied()
}
