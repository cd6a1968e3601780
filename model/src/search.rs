//! The search: all reachable worlds, breadth first, so that a trace is as short as any.
//!
//! Breaking a promise shows in the world that does it. "Can still end" does not: it is checked backwards, from the
//! worlds that are settled, over ordinary actions only. A world not reached that way is lost. (Stateright's own
//! `eventually` misses those that lie on a cycle.)

use crate::action::Action;
use crate::promise::Promise;
use crate::protocol::Protocol;
use crate::step::Step;
use crate::world::{RowState, World};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// All worlds that can be reached, and the ordinary ways between them.
pub struct Graph {
    worlds: Vec<World>,
    /// How each world was first reached; the first one has no origin.
    origins: Vec<Option<(u32, Action)>>,
    /// From, to: ordinary actions only.
    ordinary: Vec<(u32, u32)>,
    edges: usize,
    violation: Option<Violation>,
}

/// A broken promise and the shortest way there.
#[derive(Clone, Debug)]
pub struct Violation {
    pub promises: Vec<Promise>,
    pub trace: Vec<Action>,
    pub world: World,
}

impl Graph {
    /// Searches everything, or up to the first broken promise.
    pub fn search(protocol: &Protocol) -> Self {
        Self::hunt(protocol, &Promise::ALL)
    }

    /// Searches for one of these broken promises, through worlds that have broken others.
    pub fn hunt(protocol: &Protocol, prey: &[Promise]) -> Self {
        let mut graph = Self {
            worlds: vec![protocol.first()],
            origins: vec![None],
            ordinary: Vec::new(),
            edges: 0,
            violation: None,
        };
        let mut known: HashMap<World, u32, BuildHasherDefault<Mix>> = HashMap::default();
        known.insert(protocol.first(), 0);
        let mut here = 0;
        while here < graph.worlds.len() && graph.violation.is_none() {
            let world = graph.worlds[here];
            for action in protocol.actions(&world) {
                let Some(next) = protocol.next(&world, action) else {
                    continue;
                };
                let there = match known.entry(next) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        *new.insert(graph.discover(next, (index(here), action), prey))
                    }
                };
                graph.edges += 1;
                if action.is_ordinary() {
                    graph.ordinary.push((index(here), there));
                }
            }
            here += 1;
        }
        drop(known);
        if graph.violation.is_none() && prey.contains(&Promise::CanStillEnd) {
            graph.find_lost();
        }
        graph
    }

    fn discover(&mut self, world: World, origin: (u32, Action), prey: &[Promise]) -> u32 {
        let id = index(self.worlds.len());
        self.worlds.push(world);
        self.origins.push(Some(origin));
        let broken: Vec<_> = world.broken.iter().collect();
        if self.violation.is_none() && broken.iter().any(|broken| prey.contains(broken)) {
            self.violation = Some(self.violation_at(id, broken));
        }
        id
    }

    /// Walks backwards from all settled worlds; the first world not met is lost.
    fn find_lost(&mut self) {
        self.ordinary.sort_unstable_by_key(|(_, to)| *to);
        let mut can_end: Vec<bool> = self.worlds.iter().map(Protocol::is_settled).collect();
        let mut open: Vec<u32> = (0..index(can_end.len()))
            .filter(|id| can_end[*id as usize])
            .collect();
        while let Some(to) = open.pop() {
            let start = self.ordinary.partition_point(|edge| edge.1 < to);
            let arriving = self.ordinary[start..]
                .iter()
                .take_while(|edge| edge.1 == to);
            for (from, _) in arriving {
                if !can_end[*from as usize] {
                    can_end[*from as usize] = true;
                    open.push(*from);
                }
            }
        }
        if let Some(lost) = can_end.iter().position(|can| !can) {
            self.violation = Some(self.violation_at(index(lost), vec![Promise::CanStillEnd]));
        }
    }

    fn violation_at(&self, id: u32, promises: Vec<Promise>) -> Violation {
        let mut trace = Vec::new();
        let mut at = id as usize;
        while let Some((from, action)) = self.origins[at] {
            trace.push(action);
            at = from as usize;
        }
        trace.reverse();
        let world = self.worlds[id as usize];
        Violation {
            promises,
            trace,
            world,
        }
    }

    /// The shortest way to a world that looks like this.
    pub fn trace_to(&self, is_it: impl Fn(&World) -> bool) -> Option<Violation> {
        let id = self.worlds.iter().position(is_it)?;
        Some(self.violation_at(index(id), Vec::new()))
    }

    pub fn worlds(&self) -> &[World] {
        &self.worlds
    }

    pub fn edges(&self) -> usize {
        self.edges
    }

    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} after {} actions", self.promises, self.trace.len())?;
        for (number, action) in (1..).zip(&self.trace) {
            writeln!(f, "  {number:>2} {action:?}")?;
        }
        write!(f, "  => {:?}", self.world.saga)?;
        for step in Step::ALL {
            let row = self.world.row(step);
            if row.state != RowState::Absent {
                write!(f, ", {step:?} {:?} {}/{}", row.state, row.turn, row.epoch)?;
            }
        }
        Ok(())
    }
}

fn index(len: usize) -> u32 {
    u32::try_from(len).expect("fewer than four billion worlds")
}

/// A fast hash for keys that nobody chooses to our harm.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    // Discriminants of enums come this way.
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.cast_unsigned() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}
