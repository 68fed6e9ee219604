//! Own addresses. A search by the phrase ends after [`GAP`] addresses at which nothing ever was, so no
//! address further on than that is ever given away.

use covey_kernel::{Fault, Keypair, Peer, PublicKey, RequestId, Scan};

use super::{
    command::{AddressView, Reply},
    desk::Desk,
    layout,
    records::{self, Label, Me, Own, Restored, Used},
};
use crate::{
    error::Error,
    limits::{GAP, HANDED},
    phrase::Branch,
    wire::FromWallet,
};

impl Me {
    pub(super) fn used(&mut self, branch: Branch) -> &mut Used {
        match branch {
            Branch::Own => &mut self.own,
            Branch::Handed => &mut self.handed,
        }
    }
}

impl Desk<'_, '_, '_> {
    /// What is known of an address, if it is ours.
    pub(super) fn own(&self, address: &PublicKey) -> Result<Option<Own>, Fault> {
        records::read(self.store(), &layout::own(address))
    }

    /// The secret of an own address.
    pub(super) fn key(&self, own: &Own) -> Result<Keypair, Fault> {
        let key = self.memory().tree.key(own.branch, own.index);
        key.ok_or_else(|| Fault::Corrupt("an address's place".into()))
    }

    /// An address that nobody was told of, unless so many were that a search would not find it.
    pub(super) fn fresh(
        &mut self,
        branch: Branch,
        label: Label,
        change: bool,
    ) -> Result<Option<PublicKey>, Fault> {
        let mut me = self.me()?;
        let used = me.used(branch);
        if used.next >= used.paid.saturating_add(GAP) {
            return Ok(None);
        }
        let index = used.next;
        used.next = used.next.saturating_add(1);
        self.write_me(&me);
        self.make(branch, index, label, change).map(Some)
    }

    /// Notes the address at a place.
    pub(super) fn make(
        &mut self,
        branch: Branch,
        index: u32,
        label: Label,
        change: bool,
    ) -> Result<PublicKey, Fault> {
        let own = Own { branch, index, label, made: self.now(), paid: false, change };
        let address = self.key(&own)?.public();
        records::write(self.view(), layout::own(&address), &own);
        records::write(self.view(), layout::address(branch, index), &address);
        Ok(address)
    }

    /// An address for change. When too many wait for their first coin, one of those serves again.
    pub(super) fn for_change(&mut self) -> Result<PublicKey, Fault> {
        if let Some(address) = self.fresh(Branch::Own, Label::default(), true)? {
            return Ok(address);
        }
        let used = self.me()?.own;
        let waiting = used.next.saturating_sub(used.paid).max(1);
        let any = u32::try_from(self.rng().next_u64() >> 40).unwrap_or_default();
        let index = used.paid.saturating_add(any.checked_rem(waiting).unwrap_or_default());
        records::must(self.store(), &layout::address(Branch::Own, index))
    }

    /// An address for the owner to give away.
    pub(super) fn new_address(&mut self, label: Label) -> Result<PublicKey, Error> {
        self.fresh(Branch::Own, label, false)?.ok_or(Error::TooManyUnpaid)
    }

    /// An address was paid to.
    pub(super) fn paid_to(&mut self, address: &PublicKey) -> Result<(), Fault> {
        let Some(own) = self.own(address)?.filter(|own| !own.paid) else { return Ok(()) };
        let mut me = self.me()?;
        let used = me.used(own.branch);
        used.paid = used.paid.max(own.index.saturating_add(1));
        used.next = used.next.max(used.paid);
        self.write_me(&me);
        records::write(self.view(), layout::own(address), &Own { paid: true, ..own });
        Ok(())
    }

    /// Tells a peer where to pay: always the same address until something has come there.
    pub(super) fn hand_address(&mut self, from: Peer, id: RequestId) -> Result<(), Error> {
        // A wallet that nobody uses yet gives nothing away: its phrase may still be replaced.
        let me = self.me()?;
        let in_use = me.own.next > 0 || me.restored != Restored::No(());
        let address = if in_use { self.handed(from)? } else { None };
        self.answer(id, &address.map_or(FromWallet::None(()), FromWallet::Address));
        Ok(())
    }

    fn handed(&mut self, peer: Peer) -> Result<Option<PublicKey>, Fault> {
        let key = layout::handed(&peer);
        let known = records::read::<PublicKey>(self.store(), &key)?;
        if let Some(address) = known
            && self.own(&address)?.is_some_and(|own| !own.paid)
        {
            return Ok(Some(address));
        }
        let peers = self.store().scan(&Scan::prefix(layout::HANDED).limit(HANDED))?.len();
        if known.is_none() && peers >= HANDED {
            return self.last_handed();
        }
        match self.fresh(Branch::Handed, Label::default(), false)? {
            Some(address) => {
                records::write(self.view(), key, &address);
                Ok(Some(address))
            }
            None => self.last_handed(),
        }
    }

    /// Whoever asks when too many have asked shares the last address.
    fn last_handed(&self) -> Result<Option<PublicKey>, Fault> {
        let last = self.me_handed()?.checked_sub(1);
        last.map(|index| records::must(self.store(), &layout::address(Branch::Handed, index)))
            .transpose()
    }

    fn me_handed(&self) -> Result<u32, Fault> {
        Ok(self.me()?.handed.next)
    }

    pub(super) fn addresses(&self) -> Result<Vec<AddressView>, Fault> {
        let mut views = Vec::new();
        for key in records::keys(self.store(), layout::ADDRESSES)? {
            let address: PublicKey = records::must(self.store(), &key)?;
            let Some(Own { label, paid, change, .. }) = self.own(&address)? else { continue };
            views.push(AddressView { address, label, paid, change });
        }
        Ok(views)
    }

    pub(super) fn label(&mut self, address: &PublicKey, label: Label) -> Result<Reply, Error> {
        let own = self.own(address)?.ok_or(Error::NotMine)?;
        records::write(self.view(), layout::own(address), &Own { label, ..own });
        Ok(Reply::Done)
    }
}
