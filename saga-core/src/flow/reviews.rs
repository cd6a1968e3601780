//! Points where a saga goes on only if people say so.

use super::{Flow, Halt, Why, decode};
use crate::journal::{Command, State};
use crate::review::{Asked, Decision, OnExpiry, REVISIONS_MAX, Review, Said};

impl Flow {
    /// Asks people whether this may go on, and waits until they say, without a worker. An error in the
    /// answer is their refusal. `point` names it among the saga's requests.
    ///
    /// The time that it waits does not count towards the saga's deadline.
    pub fn review(
        &mut self,
        point: &'static str,
        review: Review,
    ) -> Result<Result<Said, Said>, Halt> {
        let asked = Asked {
            revision: 0,
            rounds_left: 0,
            review,
        };
        let said = self.ask_people(point, asked)?;
        Ok(match said.decision {
            Decision::Approved => Ok(said),
            Decision::ChangesRequested | Decision::Rejected | Decision::Expired => Err(said),
        })
    }

    /// Makes something and asks people about it. If they want it changed the saga comes back to this point:
    /// `make` is run again with their notes, at most [`REVISIONS_MAX`] times. What was approved is answered;
    /// an error in the answer is their refusal.
    pub fn reviewed<T>(
        &mut self,
        point: &'static str,
        mut make: impl FnMut(&mut Self, Option<&str>) -> Result<(T, Review), Halt>,
    ) -> Result<Result<T, Said>, Halt> {
        let (mut notes, mut revision) = (None, 0);
        loop {
            let (work, review) = make(self, notes.as_deref())?;
            let asked = Asked {
                revision,
                rounds_left: REVISIONS_MAX - revision,
                review,
            };
            let said = self.ask_people(point, asked)?;
            match said.decision {
                Decision::Approved => return Ok(Ok(work)),
                Decision::ChangesRequested if revision < REVISIONS_MAX => {
                    notes = Some(said.notes.unwrap_or_default());
                    revision += 1;
                }
                Decision::ChangesRequested | Decision::Rejected | Decision::Expired => {
                    return Ok(Err(said));
                }
            }
        }
    }

    fn ask_people(&mut self, point: &'static str, asked: Asked) -> Result<Said, Halt> {
        let key = self.next(point);
        let on_expiry = asked.review.on_expiry;
        let input = serde_json::to_value(asked).expect("a review is made of plain data");
        self.ask(Command::Review {
            key: key.clone(),
            point,
            input,
        });
        self.open()?;
        let state = self.journal.get(&key).map(|entry| entry.state.clone());
        let said: Said = match state {
            Some(State::Done(said)) => decode(said),
            Some(State::Pending | State::Failed(_)) | None => {
                return Err(self.halt(Why::Waiting));
            }
        };
        match (said.decision, on_expiry) {
            (Decision::Expired, OnExpiry::Approve) => Ok(Said {
                decision: Decision::Approved,
                ..said
            }),
            (Decision::Expired, OnExpiry::Fail) => {
                self.fail(format!("review_expired: nobody decided {key} in time"))
            }
            (Decision::Expired, OnExpiry::Reject)
            | (Decision::Approved | Decision::ChangesRequested | Decision::Rejected, _) => Ok(said),
        }
    }
}
