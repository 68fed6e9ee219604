use covey_kernel::{Frames, Machine, NetworkId};

/// What a [`Shell`](crate::Shell) must know of the machine it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// The machine's name.
    pub name: &'static str,
    /// How large its frames may be.
    pub frames: Frames,
}

impl Protocol {
    /// A machine's protocol.
    #[must_use]
    pub const fn of<M: Machine>() -> Self {
        Self { name: M::NAME, frames: M::FRAMES }
    }

    /// What it is called on a network.
    #[must_use]
    pub fn on(&self, network: &NetworkId) -> String {
        format!("/covey/{}/{}/1", network.short(), self.name)
    }
}
