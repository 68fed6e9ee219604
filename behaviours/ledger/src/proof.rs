//! What proves that an output exists: a place in the genesis, a manifest, or a certificate.

use covey_kernel::{Bounded, Hash, merkle, record, tagged};

use crate::{
    chain::Network,
    limits::OUTPUT_PATH,
    output::{Outpoint, Output, Salted, TxId},
    reason::Reason,
    token::Manifest,
    transaction::Body,
    vote::{Certificate, Signed},
};

record! {
    /// An output of a transaction, and that the transaction is final. Whoever has the network's
    /// genesis, and the configuration of the certificate's epoch, can check it without asking
    /// anybody. It shows nothing of the transaction's other outputs.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Paid {
        /// The transaction.
        pub body: Body,
        /// Which of its outputs.
        pub index: u16,
        /// The output.
        pub salted: Salted,
        /// From the output up to the body's root.
        pub path: Bounded<Hash, OUTPUT_PATH>,
        /// That the transaction is final.
        pub certificate: Certificate,
    }
}

tagged! {
    /// Why an output exists.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Proof {
        /// It stands in the genesis.
        0 => Genesis(()),
        /// A certified transaction made it.
        1 => Paid(Box<Paid>),
        /// It is the whole of a token, before it is issued.
        2 => Issue(Box<Manifest>),
    }
}

impl Paid {
    /// The output's name, if it stands at its place; not whether the transaction is certified.
    pub fn outpoint(&self, network: &Network) -> Result<Outpoint, Reason> {
        let Self { body, index, salted, path, .. } = self;
        let leaf = salted.leaf(*index);
        if !merkle::verify(&body.root, usize::from(body.count), usize::from(*index), leaf, path) {
            return Err(Reason::ProofPath);
        }
        Ok(Outpoint { tx: body.id(&network.id), index: *index })
    }

    /// What is to be verified for the transaction to be certified.
    pub fn signed(&self, network: &Network, tx: &TxId) -> Result<Vec<Signed>, Reason> {
        let epoch = self.certificate.epoch;
        let configuration = network.configuration(epoch).ok_or(Reason::CertificateEpoch)?;
        self.certificate.signed(&network.id, tx, configuration)
    }
}

impl Proof {
    /// The epoch of its certificate; 0 if it needs none.
    pub(crate) fn epoch(&self) -> u64 {
        match self {
            Self::Paid(paid) => paid.certificate.epoch,
            Self::Genesis(()) | Self::Issue(_) => 0,
        }
    }

    /// The output that it proves to exist under a name, if the signatures that it adds to `votes`
    /// turn out right.
    pub fn resolve(
        &self,
        network: &Network,
        outpoint: &Outpoint,
        votes: &mut Vec<Signed>,
    ) -> Result<Output, Reason> {
        match self {
            Self::Genesis(()) => {
                if outpoint.tx.0 != network.id.hash() {
                    return Err(Reason::ProofOutpoint);
                }
                let output = network.genesis.outputs.get(usize::from(outpoint.index));
                output.cloned().ok_or(Reason::UnknownOutpoint)
            }
            Self::Paid(paid) => {
                if paid.outpoint(network)? != *outpoint {
                    return Err(Reason::ProofOutpoint);
                }
                votes.extend(paid.signed(network, &outpoint.tx)?);
                Ok(paid.salted.output.clone())
            }
            Self::Issue(manifest) => {
                let (issued, output) = manifest.issue(&network.id);
                if issued != *outpoint {
                    return Err(Reason::ProofOutpoint);
                }
                Ok(output)
            }
        }
    }
}
