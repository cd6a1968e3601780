//! Sagas made of random operations, for [`crate::random`].

use crate::sagas::{back, deed, far};
use proptest::prelude::*;
use saga_core::{Flow, Halt, Saga};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a random saga does next.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Op {
    Deed,
    Optional,
    Branches(u8),
    Family(Join, u8),
    Sleep,
    Pivot,
    Refuse,
}

/// How the children of a family are waited for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Join {
    All,
    Settled,
    First,
}

/// A child: what becomes of it the play says.
pub(crate) struct Child;
impl Saga for Child {
    const KIND: &'static str = "test.child";
    type Input = String;
    type Output = String;
    fn run(_: &mut Flow, name: String) -> Result<String, Halt> {
        Ok(name)
    }
}

/// Plays the operations that its input lists; each deed has its undo.
pub(crate) struct Scripted;
impl Saga for Scripted {
    const KIND: &'static str = "test.scripted";
    type Input = Vec<Op>;
    type Output = usize;
    fn run(flow: &mut Flow, ops: Vec<Op>) -> Result<usize, Halt> {
        let mut done = 0;
        for (at, op) in ops.iter().enumerate() {
            let name = |branch: u8| format!("{at}.{branch}");
            match op {
                Op::Deed => {
                    flow.undo_with(back(&name(0)));
                    flow.step(deed(&name(0)))?;
                    done += 1;
                }
                Op::Optional => {
                    flow.undo_with(back(&name(0)));
                    done += usize::from(flow.attempt(far(&name(0)))?.is_ok());
                }
                Op::Branches(count) => {
                    let mut started = vec![];
                    for branch in 0..*count {
                        flow.undo_with(back(&name(branch)));
                        started.push(flow.start(deed(&name(branch)))?);
                    }
                    for one in started {
                        flow.wait(one)?;
                        done += 1;
                    }
                }
                Op::Family(join, count) => {
                    flow.undo_with(back(&name(0)));
                    let children = flow.children::<Child>((0..*count).map(|_| name(0)))?;
                    done += match join {
                        Join::All => children.all(flow)?.len(),
                        Join::Settled => children.settled(flow, 1)?.len(),
                        Join::First => children.first(flow)?.0,
                    };
                }
                Op::Sleep => flow.sleep(Duration::from_millis(5))?,
                Op::Pivot => flow.pivot(),
                Op::Refuse => return flow.fail("refused"),
            }
        }
        Ok(done)
    }
}

/// A few operations.
pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        5 => Just(Op::Deed),
        2 => Just(Op::Optional),
        3 => (2u8..4).prop_map(Op::Branches),
        3 => (prop_oneof![Just(Join::All), Just(Join::Settled), Just(Join::First)], 1u8..4)
            .prop_map(|(join, count)| Op::Family(join, count)),
        1 => Just(Op::Sleep),
        1 => Just(Op::Pivot),
        1 => Just(Op::Refuse),
    ];
    prop::collection::vec(op, 1..6)
}
