//! A validator whose disk fills up under load.

use covey::bench::ledger::Forge;
use covey_tests::process::{
    Disk,
    town::{Town, votes},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::kills::{Account, book, feeder, rivals};

#[tokio::test]
async fn a_full_disk_signs_nothing_and_forgets_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new(parent.path(), 64) else {
        println!("skipped: no right to mount a small file system");
        return;
    };
    let town = Town::found(4).await;
    let mut others = Vec::new();
    for number in 2..=4 {
        others.push(town.validator(number).await.start().await);
    }
    let node = town.validator_in(1, disk.path()).await.start().await;
    votes(&node).await;
    let (network, keys) = (town.network(), town.voting_keys());
    let forge = Forge { network: &network, keys: &keys };
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut account = Account::default();
    let asked = rivals(&forge, &forge.coins(50).unwrap(), &mut rng);
    book(&mut feeder(&node, &network), &asked, &mut account).await;
    let before = account.0.len();
    assert!(before > 0);
    disk.fill();
    // What still fits into what the files have is signed, and then nothing more.
    let mut rounds = 0;
    loop {
        let asked = rivals(&forge, &forge.coins(100).unwrap(), &mut rng);
        if book(&mut feeder(&node, &network), &asked, &mut account).await == 0 {
            break;
        }
        rounds += 1;
        assert!(rounds < 1000, "a full disk takes everything");
    }
    let (home, code) = node.ended().await;
    assert_eq!(code, Some(1));
    disk.free();
    let node = home.start().await;
    votes(&node).await;
    account.is_remembered(&mut feeder(&node, &network)).await;
}
