use covey_kernel::{Peer, PublicKey};
use libp2p::{PeerId, identity};

/// What stands before the 32 bytes of a key in a peer id: field 1, Ed25519; field 2, 32 bytes.
const KEY_HEADER: [u8; 4] = [0x08, 0x01, 0x12, 0x20];

/// The multihash code of bytes that are not hashed.
const IDENTITY_HASH: u64 = 0;

/// The connection is refused because the peer's key is not an Ed25519 key that Covey accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer id {0} is not a valid Ed25519 key")]
pub struct NotEd25519(pub PeerId);

/// The libp2p name of a peer.
#[must_use]
#[expect(clippy::expect_used, reason = "a kernel key has been checked by the same library")]
pub fn peer_id(peer: &Peer) -> PeerId {
    let key = identity::ed25519::PublicKey::try_from_bytes(peer.as_bytes())
        .expect("a kernel key is a valid Ed25519 key");
    identity::PublicKey::from(key).to_peer_id()
}

/// The peer with this libp2p name, if it is a canonical name of a valid Ed25519 key.
#[must_use]
pub fn peer(id: &PeerId) -> Option<Peer> {
    let hash = id.as_ref();
    if hash.code() != IDENTITY_HASH {
        return None;
    }
    let key = hash.digest().strip_prefix(&KEY_HEADER)?;
    PublicKey::from_bytes(key.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use covey_kernel::Keypair;

    use super::*;

    #[test]
    fn a_peer_and_its_id_name_each_other() {
        let key = Keypair::from_secret(&[7; 32]);
        let id = peer_id(&key.public());
        assert_eq!(peer(&id), Some(key.public()));
        let own = identity::Keypair::ed25519_from_bytes([7; 32]).unwrap();
        assert_eq!(own.public().to_peer_id(), id);
    }

    #[test]
    fn other_kinds_of_ids_are_no_peers() {
        let hashed = identity::Keypair::generate_ed25519().public().encode_protobuf();
        let mut digest = vec![0x12, 0x20];
        digest.extend_from_slice(covey_kernel::Hash::of(&hashed).as_bytes());
        assert_eq!(peer(&PeerId::from_bytes(&digest).unwrap()), None);
        // A small-order point: no kernel key.
        let mut weak = vec![0x00, 0x24];
        weak.extend_from_slice(&KEY_HEADER);
        weak.extend_from_slice(&[0; 32]);
        assert_eq!(PeerId::from_bytes(&weak).ok().and_then(|id| peer(&id)), None);
    }
}
