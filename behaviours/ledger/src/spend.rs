//! What a wallet sends to validators: a transaction with all that is needed to judge it.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{Bounded, PublicKey, merkle, record};

use crate::{
    amount::Amount,
    chain::Network,
    limits::{INPUTS, OUTPUTS},
    output::{Asset, Output, Salted, TxId, leaves},
    proof::Proof,
    reason::Reason,
    transaction::{Body, Witnesses},
    vote::Signed,
};

record! {
    /// A request to vote for a transaction. Only validators see all of a transaction's outputs.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Spend {
        /// The transaction.
        pub body: Body,
        /// All its outputs, in order.
        pub outputs: Bounded<Salted, OUTPUTS>,
        /// One signature of each owner.
        pub witnesses: Witnesses,
        /// For each input, in order, that it exists.
        pub proofs: Bounded<Proof, INPUTS>,
    }
}

/// A request that is in order, if these signatures are right.
#[derive(Debug)]
pub struct Judged {
    /// The transaction's id.
    pub tx: TxId,
    /// What the inputs are, in order.
    pub inputs: Vec<Output>,
    /// Validators' votes under the inputs' certificates.
    pub votes: Vec<Signed>,
    /// The owners' signatures.
    pub owners: Vec<Signed>,
}

impl Spend {
    /// Everything that can be checked without a signature: the counts, the order, the commitment to the
    /// outputs, the amounts, and that each input is what its proof says.
    pub fn judge(&self, network: &Network) -> Result<Judged, Reason> {
        self.check_shape()?;
        let mut votes = Vec::new();
        let mut inputs = Vec::with_capacity(self.proofs.len());
        for (outpoint, proof) in self.body.inputs.iter().zip(self.proofs.iter()) {
            inputs.push(proof.resolve(network, outpoint, &mut votes)?);
        }
        self.check_amounts(network, &inputs)?;
        self.check_owners(&inputs)?;
        let message = self.body.signing_bytes(&network.id);
        let owners = self.witnesses.iter().map(|witness| witness.signed(&message)).collect();
        Ok(Judged { tx: self.body.id(&network.id), inputs, votes, owners })
    }

    fn check_shape(&self) -> Result<(), Reason> {
        let Self { body, outputs, proofs, .. } = self;
        if body.inputs.is_empty() {
            return Err(Reason::NoInputs);
        }
        if !body.inputs.is_sorted_by(|a, b| a < b) {
            return Err(Reason::InputOrder);
        }
        if proofs.len() != body.inputs.len() {
            return Err(Reason::ProofCount);
        }
        if outputs.is_empty() || outputs.len() != usize::from(body.count) {
            return Err(Reason::OutputCount);
        }
        if merkle::root(&leaves(outputs)) != body.root {
            return Err(Reason::OutputRoot);
        }
        Ok(())
    }

    /// Of each asset as much comes out as goes in; of the coin less the fee.
    fn check_amounts(&self, network: &Network, inputs: &[Output]) -> Result<(), Reason> {
        let currency = &network.genesis.currency;
        for Salted { output, .. } in self.outputs.iter() {
            if output.amount.is_zero() {
                return Err(Reason::ZeroAmount);
            }
            if output.asset == Asset::COIN && output.amount < currency.minimum {
                return Err(Reason::BelowMinimum);
            }
        }
        let coming = sums(inputs.iter())?;
        let mut going = sums(self.outputs.iter().map(|salted| &salted.output))?;
        if !currency.fee.is_zero() {
            let coin = going.entry(Asset::COIN).or_insert(Amount::ZERO);
            *coin = coin.checked_add(currency.fee).ok_or(Reason::Overflow)?;
            if coming.get(&Asset::COIN) != going.get(&Asset::COIN) {
                return Err(Reason::Fee);
            }
        }
        if coming == going { Ok(()) } else { Err(Reason::Sums) }
    }

    /// One witness of each owner, in ascending order, and nobody else's.
    fn check_owners(&self, inputs: &[Output]) -> Result<(), Reason> {
        let owners: BTreeSet<&PublicKey> = inputs.iter().map(|input| &input.address).collect();
        if owners.into_iter().eq(self.witnesses.iter().map(|witness| &witness.address)) {
            Ok(())
        } else {
            Err(Reason::Witnesses)
        }
    }
}

fn sums<'o>(outputs: impl Iterator<Item = &'o Output>) -> Result<BTreeMap<Asset, Amount>, Reason> {
    let mut sums: BTreeMap<Asset, Amount> = BTreeMap::new();
    for output in outputs {
        let sum = sums.entry(output.asset).or_insert(Amount::ZERO);
        *sum = sum.checked_add(output.amount).ok_or(Reason::Overflow)?;
    }
    Ok(sums)
}
