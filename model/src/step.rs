//! The seven steps of the saga, and small sets of them.

/// Four deeds and three undos. The order of the deeds is the order in which their undos are armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Step {
    A,
    B,
    C,
    D,
    UndoA,
    UndoB,
    UndoC,
}

/// A worker pool. A worker may run on only within its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    Synthesis,
    Image,
}

impl Step {
    pub const ALL: [Self; 7] = [
        Self::A,
        Self::B,
        Self::C,
        Self::D,
        Self::UndoA,
        Self::UndoB,
        Self::UndoC,
    ];
    pub const WORK: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];
    /// Newest first: the order in which undos run.
    pub const UNDO: [Self; 3] = [Self::UndoC, Self::UndoB, Self::UndoA];
    /// The one step that pays a provider.
    pub const PAID: Self = Self::B;

    pub fn index(self) -> usize {
        self as usize
    }

    pub fn queue(self) -> Queue {
        match self {
            Self::C | Self::UndoC => Queue::Image,
            Self::A | Self::B | Self::D | Self::UndoA | Self::UndoB => Queue::Synthesis,
        }
    }

    /// Whether a worker may do it without a lease: one beside a sibling, one at the end, one undo.
    pub fn reaches_only_the_store(self) -> bool {
        matches!(self, Self::C | Self::D | Self::UndoA)
    }

    /// The undo that was armed before this deed.
    pub fn undo(self) -> Option<Self> {
        match self {
            Self::A => Some(Self::UndoA),
            Self::B => Some(Self::UndoB),
            Self::C => Some(Self::UndoC),
            Self::D | Self::UndoA | Self::UndoB | Self::UndoC => None,
        }
    }

    /// The deed that this undo takes back.
    pub fn deed(self) -> Option<Self> {
        match self {
            Self::UndoA => Some(Self::A),
            Self::UndoB => Some(Self::B),
            Self::UndoC => Some(Self::C),
            Self::A | Self::B | Self::C | Self::D => None,
        }
    }

    pub fn is_undo(self) -> bool {
        self.deed().is_some()
    }
}

/// A set of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps(u8);

impl Steps {
    pub const NONE: Self = Self(0);

    pub fn one(step: Step) -> Self {
        Self(1 << step.index())
    }

    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub fn insert(&mut self, step: Step) {
        self.0 |= 1 << step.index();
    }

    pub fn remove(&mut self, step: Step) {
        self.0 &= !(1 << step.index());
    }

    pub fn contains(self, step: Step) -> bool {
        self.0 & (1 << step.index()) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Step> {
        Step::ALL
            .into_iter()
            .filter(move |step| self.contains(*step))
    }
}
