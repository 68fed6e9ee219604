//! What can be seen on a block alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use covey_chains::{
    Block, BlockId, Invalid, Payload, SignedBlock, Vote,
    genesis::{Genesis, Group, Owner, Rules},
    limits::{BACKS, BLOCK_BYTES, PAYLOAD_BYTES, TRUSTED_PAYLOAD_BYTES},
};
use covey_kernel::{Bounded, Hash, Keypair, NetworkId, Text, Time, cbor, verify_batch};

fn key(seed: u8) -> Keypair {
    Keypair::from_secret(&[seed; 32])
}

fn network() -> NetworkId {
    NetworkId::open()
}

fn forum() -> Genesis {
    Genesis::forum(network(), Text::new("chat").unwrap(), Rules::Paper(()))
}

fn id(height: u64, seed: u8) -> BlockId {
    BlockId { height, hash: Hash::of(&[seed]) }
}

fn block(backs: &[BlockId]) -> Block {
    Block {
        time: Time::from_millis(1_800_000_000_000),
        payload: Payload { hash: Hash::of(b"Bom dia!"), size: 8, sealed: false },
        vote: None,
        backs: Bounded::new(backs.to_vec()).unwrap(),
        author: Some(key(1).public()),
    }
}

fn signed(block: Block) -> SignedBlock {
    block.sign(&network(), Some(&key(1)))
}

#[test]
fn a_block_that_is_right_is_taken() {
    let genesis = forum();
    let first = signed(block(&[genesis.id()]));
    assert_eq!(first.check(&genesis), Ok(()));
    assert_eq!(first.block.id().height, 1);
    let unsigned = Block { author: None, ..block(&[first.block.id()]) }.sign(&network(), None);
    assert_eq!(unsigned.check(&genesis), Ok(()));
    assert_eq!(unsigned.block.id().height, 2);
    assert_eq!(unsigned.signed(&network()), None);
}

#[test]
fn the_signature_covers_the_id_and_the_network() {
    let block = signed(block(&[forum().id()]));
    let mut other = block.clone();
    other.block.time = Time::from_millis(1);
    let items = [&block, &other].map(|block| block.signed(&network()).unwrap());
    let answers = verify_batch(&mut rand::rng(), &items);
    assert!(answers[0].is_ok() && answers[1].is_err());
    let elsewhere = [block.signed(&NetworkId::named("other")).unwrap()];
    assert!(verify_batch(&mut rand::rng(), &elsewhere)[0].is_err());
}

#[test]
fn another_signature_does_not_change_the_id() {
    let one = signed(block(&[forum().id()]));
    let other = block(&[forum().id()]).sign(&NetworkId::named("other"), Some(&key(1)));
    assert_ne!(one.signature, other.signature);
    assert_eq!(one.block.id(), other.block.id());
}

#[test]
fn backs_are_named_once_and_in_order() {
    let genesis = forum();
    assert_eq!(signed(block(&[])).check(&genesis), Err(Invalid::NoBacks));
    let mut two = [id(1, 1), id(1, 2)];
    two.sort_unstable();
    assert_eq!(signed(block(&two)).check(&genesis), Ok(()));
    two.reverse();
    assert_eq!(signed(block(&two)).check(&genesis), Err(Invalid::BacksOrder));
    assert_eq!(signed(block(&[two[0], two[0]])).check(&genesis), Err(Invalid::BacksOrder));
    assert_eq!(signed(block(&[id(2, 1), id(1, 2)])).check(&genesis), Err(Invalid::BacksOrder));
    assert_eq!(signed(block(&[id(u64::MAX, 1)])).check(&genesis), Err(Invalid::Height));
}

#[test]
fn a_block_with_more_backs_does_not_decode() {
    let backs: Vec<BlockId> = (0..=BACKS).map(|at| id(1, u8::try_from(at).unwrap())).collect();
    let most = signed(block(&backs[..BACKS]));
    let bytes = cbor::encode(&most);
    assert!(bytes.len() <= BLOCK_BYTES, "{} bytes", bytes.len());
    assert_eq!(cbor::decode::<SignedBlock>(&bytes, BLOCK_BYTES), Ok(most.clone()));
    // One more, by hand: the list says 65 instead of 64, and goes on.
    let list = cbor::encode(&most.block.backs);
    let at = bytes.windows(list.len()).position(|part| part == list).unwrap();
    let mut longer = bytes[..at].to_vec();
    longer.extend([0x98, 65]);
    longer.extend(&list[2..]);
    longer.extend(cbor::encode(&backs[BACKS]));
    longer.extend(&bytes[at + list.len()..]);
    let error = cbor::decode::<SignedBlock>(&longer, BLOCK_BYTES).unwrap_err();
    assert!(error.to_string().contains("65 is over the limit of 64"), "{error}");
}

#[test]
fn author_and_signature_go_together() {
    let genesis = forum();
    let mut block = signed(block(&[genesis.id()]));
    let signature = block.signature.take();
    assert_eq!(block.check(&genesis), Err(Invalid::Unsigned));
    block.block.author = None;
    assert_eq!(block.check(&genesis), Ok(()));
    block.signature = signature;
    assert_eq!(block.check(&genesis), Err(Invalid::Unsigned));
}

#[test]
fn nobody_signs_for_another() {
    let genesis = forum();
    let block = block(&[genesis.id()]).sign(&network(), Some(&key(2)));
    assert_eq!(block.check(&genesis), Err(Invalid::Unsigned));
}

#[test]
fn votes_are_signed_and_on_earlier_blocks() {
    let genesis = forum();
    let vote = |target| Some(Vote { like: true, target });
    let like = |target| Block { vote: vote(target), ..block(&[id(3, 1)]) };
    assert_eq!(signed(like(id(3, 1))).check(&genesis), Ok(()));
    assert_eq!(signed(like(id(1, 9))).check(&genesis), Ok(()));
    assert_eq!(signed(like(id(4, 1))).check(&genesis), Err(Invalid::VoteTarget));
    assert_eq!(signed(like(genesis.id())).check(&genesis), Err(Invalid::VoteTarget));
    let unsigned = Block { author: None, ..like(id(3, 1)) }.sign(&network(), None);
    assert_eq!(unsigned.check(&genesis), Err(Invalid::UnsignedVote));
}

#[test]
fn a_payload_one_byte_over_the_limit_is_refused() {
    let sized = |genesis: &Genesis, seed: u8, size| {
        let payload = Payload { hash: Hash::of(b""), size, sealed: true };
        let author = Some(key(seed).public());
        let block = Block { payload, author, ..block(&[genesis.id()]) };
        block.sign(&network(), Some(&key(seed))).check(genesis)
    };
    let over = |limit| Err(Invalid::PayloadSize { size: limit + 1, limit });
    let forum = forum();
    assert_eq!(sized(&forum, 1, PAYLOAD_BYTES), Ok(()));
    assert_eq!(sized(&forum, 1, PAYLOAD_BYTES + 1), over(PAYLOAD_BYTES));
    let owner = Owner { key: key(1).public(), only: false };
    let identity = Genesis::identity(network(), owner);
    assert_eq!(sized(&identity, 1, TRUSTED_PAYLOAD_BYTES), Ok(()));
    assert_eq!(sized(&identity, 1, TRUSTED_PAYLOAD_BYTES + 1), over(TRUSTED_PAYLOAD_BYTES));
    assert_eq!(sized(&identity, 2, PAYLOAD_BYTES + 1), over(PAYLOAD_BYTES));
}

#[test]
fn groups_are_sealed_and_some_identities_are_alone() {
    let group = Group { name: Text::new("family").unwrap(), stretched: Hash::of(b"key") };
    let group = Genesis::group(network(), group);
    let open = signed(block(&[group.id()]));
    assert_eq!(open.check(&group), Err(Invalid::NotSealed));
    let mut sealed = block(&[group.id()]);
    sealed.payload.sealed = true;
    let mut sealed = signed(sealed);
    assert_eq!(sealed.check(&group), Err(Invalid::Mark));
    sealed.mark = Some(Hash::of(b"mark"));
    assert_eq!(sealed.check(&group), Ok(()));
    let marked = SignedBlock { mark: sealed.mark, ..signed(block(&[forum().id()])) };
    assert_eq!(marked.check(&forum()), Err(Invalid::Mark));
    let alone = Genesis::identity(network(), Owner { key: key(2).public(), only: true });
    let by_another = signed(block(&[alone.id()]));
    assert_eq!(by_another.check(&alone), Err(Invalid::NotOwner));
}
