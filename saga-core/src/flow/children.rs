//! Sagas that a saga begins and waits for.

use super::{Flow, Halt, Why, decode};
use crate::journal::{Class, Command, Failure, Key, State};
use crate::run::child_id;
use crate::saga::Saga;
use std::marker::PhantomData;
use uuid::Uuid;

/// A child that is under way; [`Flow::wait_child`] brings what it leaves behind.
#[must_use = "a child is joined by `flow.wait_child(child)?`"]
pub struct Child<C> {
    key: Key,
    id: Uuid,
    saga: PhantomData<fn() -> C>,
}

/// Like children under way, side by side; one of three joins brings what they leave behind.
#[must_use = "children are joined by `all`, `settled` or `first`"]
pub struct Children<C>(Vec<Child<C>>);

/// What became of a child so far, and when among all answers.
type Ended = Option<(i64, Result<serde_json::Value, Failure>)>;

impl<C> Child<C> {
    /// Its id, which is the same on every replay.
    pub fn id(&self) -> Uuid {
        self.id
    }
}

impl Flow {
    /// Runs another saga and waits for its end. If it fails, so does this one.
    ///
    /// It is a saga of its own: with its own steps, letters and undo. If this one is canceled or undone, a
    /// child that has not ended is canceled first, and its end is waited for. What a child that succeeded
    /// has done is taken back by nobody but the undo that was armed before it.
    pub fn child<C: Saga>(&mut self, input: C::Input) -> Result<C::Output, Halt> {
        let child = self.start_child::<C>(input)?;
        self.wait_child(child)
    }

    /// Runs another saga whose failure is a value: this one goes on without it, degraded.
    pub fn attempt_child<C: Saga>(
        &mut self,
        input: C::Input,
    ) -> Result<Result<C::Output, Failure>, Halt> {
        let child = self.start_child::<C>(input)?;
        self.try_wait_child(child)
    }

    /// Begins another saga without waiting, so that it runs beside other work.
    pub fn start_child<C: Saga>(&mut self, input: C::Input) -> Result<Child<C>, Halt> {
        let key = self.next(C::KIND);
        let input = serde_json::to_value(input).expect("an input is made of plain data");
        self.ask(Command::Child {
            key: key.clone(),
            kind: C::KIND,
            input,
        });
        self.open()?;
        let id = child_id(self.saga, &key);
        Ok(Child {
            key,
            id,
            saga: PhantomData,
        })
    }

    /// Waits for a child. If it failed, so does this saga.
    pub fn wait_child<C: Saga>(&mut self, child: Child<C>) -> Result<C::Output, Halt> {
        match self.try_wait_child(child)? {
            Ok(output) => Ok(output),
            Err(failure) => Err(self.fail_with(failure)),
        }
    }

    /// Waits for a child whose failure is a value.
    pub fn try_wait_child<C: Saga>(
        &mut self,
        child: Child<C>,
    ) -> Result<Result<C::Output, Failure>, Halt> {
        self.open()?;
        match self.ended(&child.key) {
            Some((_, end)) => Ok(end.map(decode)),
            None => Err(self.halt(Why::Waiting)),
        }
    }

    /// Begins like sagas side by side, one for each input.
    pub fn children<C: Saga>(
        &mut self,
        inputs: impl IntoIterator<Item = C::Input>,
    ) -> Result<Children<C>, Halt> {
        let begun = inputs.into_iter().map(|input| self.start_child::<C>(input));
        begun.collect::<Result<_, _>>().map(Children)
    }

    fn ended(&self, key: &Key) -> Ended {
        let entry = self.journal.get(key)?;
        match &entry.state {
            State::Done(output) => Some((entry.settled, Ok(output.clone()))),
            State::Failed(failure) => Some((entry.settled, Err(failure.clone()))),
            State::Pending => None,
        }
    }

    /// An operator has had the time to see to the child: there is nothing to park for, as long as this saga
    /// can go back.
    fn fail_with(&mut self, failure: Failure) -> Halt {
        self.halt(Why::Failed(Failure {
            class: Class::Verdict,
            ..failure
        }))
    }
}

impl<C: Saga> Children<C> {
    /// Their ids, in the order of their inputs.
    pub fn ids(&self) -> Vec<Uuid> {
        self.0.iter().map(Child::id).collect()
    }

    /// Waits until all have succeeded. As soon as one fails, so does this saga, and the others are
    /// canceled.
    pub fn all(self, flow: &mut Flow) -> Result<Vec<C::Output>, Halt> {
        flow.open()?;
        let ends: Vec<Ended> = self.ends(flow);
        let failed = ends.iter().flatten().filter_map(|(settled, end)| {
            let failure = end.as_ref().err()?;
            Some((settled, failure.clone()))
        });
        if let Some((_, failure)) = failed.min_by_key(|(settled, _)| **settled) {
            return Err(flow.fail_with(failure));
        }
        let outputs = ends.into_iter().map(|end| end?.1.ok().map(decode));
        let outputs: Option<Vec<_>> = outputs.collect();
        match outputs {
            Some(outputs) => Ok(outputs),
            None => Err(flow.halt(Why::Waiting)),
        }
    }

    /// Waits until all have ended, well or not, in the order of their inputs. This saga fails if fewer than
    /// `least` have succeeded by then.
    pub fn settled(
        self,
        flow: &mut Flow,
        least: usize,
    ) -> Result<Vec<Result<C::Output, Failure>>, Halt> {
        flow.open()?;
        let ends: Option<Vec<_>> = self.ends(flow).into_iter().collect();
        let Some(ends) = ends else {
            return Err(flow.halt(Why::Waiting));
        };
        let well = ends.iter().filter(|(_, end)| end.is_ok()).count();
        if well < least {
            let all = ends.len();
            let why = format!("too_few_children: {well} of {all} succeeded, {least} are needed");
            return self.too_few(flow, why);
        }
        let decoded = ends.into_iter().map(|(_, end)| end.map(decode));
        Ok(decoded.collect())
    }

    /// Waits for the first that succeeds and says which of the inputs it had; the others are canceled. This
    /// saga fails when none is left that could.
    pub fn first(self, flow: &mut Flow) -> Result<(usize, C::Output), Halt> {
        flow.open()?;
        let ends = self.ends(flow);
        let well = ends.iter().enumerate().filter_map(|(at, end)| {
            let (settled, output) = end.as_ref()?;
            Some((at, settled, output.as_ref().ok()?))
        });
        if let Some((at, _, output)) = well.min_by_key(|(_, settled, _)| **settled) {
            let others = self.0.iter().enumerate().filter(|(other, _)| *other != at);
            flow.released
                .extend(others.map(|(_, child)| child.key.clone()));
            return Ok((at, decode(output.clone())));
        }
        if ends.iter().any(Option::is_none) {
            return Err(flow.halt(Why::Waiting));
        }
        let all = ends.len();
        self.too_few(flow, format!("too_few_children: none of {all} succeeded"))
    }

    /// Fails for one that failed: past its pivot the saga parks over that one, which can be begun anew.
    fn too_few<T>(&self, flow: &mut Flow, why: String) -> Result<T, Halt> {
        let failed =
            |child: &&Child<C>| flow.ended(&child.key).is_some_and(|(_, end)| end.is_err());
        match self.0.iter().find(failed).map(|child| child.key.clone()) {
            Some(step) => Err(flow.fail_with(Failure {
                step,
                class: Class::Verdict,
                message: why,
            })),
            None => flow.fail(why),
        }
    }

    fn ends(&self, flow: &Flow) -> Vec<Ended> {
        self.0.iter().map(|child| flow.ended(&child.key)).collect()
    }
}
