//! Admission, which depends on a block's own past alone, so that all peers agree on it whatever
//! else they know.

use super::{Graph, Ix, Verdict, node::Never};

impl Graph {
    /// Whether a new block is admitted. A like that admits its back changes what is said of that.
    pub(super) fn judge(&mut self, ix: Ix) -> Verdict {
        let Some(node) = self.node(ix) else { return Verdict::Never(Never::HeldPast) };
        let (backs, vouches_for, is_vote) =
            (node.backs.to_vec(), node.vouches_for(), node.vote.is_some());
        if backs == [Ix::GENESIS] && self.params.begins_with_a_post() {
            return self.begin(ix);
        }
        if let Some(held) = vouches_for.filter(|target| self.awaits_a_like(*target)) {
            return self.judge_like(ix, held);
        }
        if backs.iter().any(|back| !self.stands_before(*back, &backs)) {
            return Verdict::Never(Never::HeldPast);
        }
        let stand = self.stand(&backs);
        if !stand.blocked.is_empty() {
            return Verdict::Never(Never::HeldPast);
        }
        if self.may_stand(ix, &stand.reputation) {
            self.keep_state(&[ix], stand.reputation);
            Verdict::Admitted
        } else if is_vote {
            Verdict::Never(Never::HeldVote)
        } else {
            Verdict::Held
        }
    }

    /// A child of the genesis alone, where the first post says which chain it is.
    pub(super) fn begin(&mut self, ix: Ix) -> Verdict {
        let Some(node) = self.node(ix) else { return Verdict::Never(Never::OtherFirst) };
        let followed = self.params.first.is_none_or(|first| first == node.id);
        let is_post = node.author.is_some() && node.vote.is_none();
        if self.first.is_some() || !followed || !is_post {
            return Verdict::Never(Never::OtherFirst);
        }
        self.first = Some(ix);
        Verdict::Admitted
    }

    fn awaits_a_like(&self, ix: Ix) -> bool {
        self.node(ix).is_some_and(|node| matches!(node.verdict, Verdict::Held | Verdict::Liked))
    }

    /// A like whose only back is a held block, by the order of that block's past.
    fn judge_like(&mut self, like: Ix, held: Ix) -> Verdict {
        let backs = self.node(held).map_or_else(Vec::new, |node| node.backs.to_vec());
        let before = self.stand(&backs);
        if !self.may_vouch(like, &before.reputation) {
            return Verdict::Never(Never::HeldVote);
        }
        if let Some(node) = self.nodes.get_mut(held.at()) {
            node.verdict = Verdict::Liked;
        }
        self.keep_state(&[held, like], before.reputation);
        Verdict::Admitted
    }

    /// Whether one of a block's backs is admitted by that block's past.
    fn stands_before(&self, back: Ix, backs: &[Ix]) -> bool {
        let Some(node) = self.node(back) else { return false };
        match node.verdict {
            Verdict::Admitted => true,
            Verdict::Held | Verdict::Never(_) => false,
            Verdict::Liked => node.children.iter().any(|child| {
                let like = self.node(*child).filter(|like| like.verdict == Verdict::Admitted);
                like.is_some_and(|like| like.vouches_for() == Some(back))
                    && self.reaches(backs, *child)
            }),
        }
    }
}
