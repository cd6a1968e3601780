//! Stateright searches the same model: another program must find the same worlds and no broken promise either.

use crate::correct::mixed;
use model::{Action, Graph, Protocol, World};
use stateright::{Checker, Model, Property};

struct Stateright(Protocol);

impl Model for Stateright {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.0.first()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(self.0.actions(world));
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        self.0.next(world, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no promise is broken", |_, world: &World| {
                world.broken.is_empty()
            }),
            Property::sometimes("the saga ends", |_, world: &World| world.is_over()),
        ]
    }
}

#[test]
fn stateright_finds_the_same_worlds() {
    let protocol = Protocol::new(mixed(3));
    let checker = Stateright(protocol).checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let graph = Graph::search(&protocol);
    println!("stateright: {} worlds", checker.unique_state_count());
    assert_eq!(checker.unique_state_count(), graph.worlds().len());
}
