//! Judges a run by what it left behind: the rows, the provider's book, the clients' answers.

use crate::ground::Ground;
use crate::plan::{Course, DEEDS, Plan, key};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use uuid::Uuid;

/// What is wrong, by promise. All empty: the promises hold.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Sagas that were looked at.
    pub sagas: usize,
    /// Rows of effects that were looked at.
    pub effects: usize,
    /// Paid calls that were made.
    pub calls: usize,
    /// How many ended how.
    pub ended: BTreeMap<String, usize>,
    /// Accepted and gone, or there twice.
    pub lost: Vec<String>,
    /// Steps whose effect is there twice.
    pub doubled: Vec<String>,
    /// Calls made although their answer was stored.
    pub paid_again: Vec<String>,
    /// Undos in another order than newest first.
    pub out_of_order: Vec<String>,
    /// Deeds or undos that should not be there, or are missing.
    pub wrong_set: Vec<String>,
    /// Neither ended nor visibly parked.
    pub unfinished: Vec<String>,
    /// Ended otherwise than they should.
    pub wrong_ending: Vec<String>,
}

impl Verdict {
    fn wrongs(&self) -> [(&'static str, &Vec<String>); 7] {
        [
            ("accepted lost", &self.lost),
            ("steps settled twice", &self.doubled),
            ("stored answers paid again", &self.paid_again),
            ("undos out of order", &self.out_of_order),
            ("wrong sets of effects", &self.wrong_set),
            ("unfinished", &self.unfinished),
            ("wrong endings", &self.wrong_ending),
        ]
    }
    /// Whether every promise holds.
    pub fn is_clean(&self) -> bool {
        self.wrongs().iter().all(|(_, found)| found.is_empty())
    }
    /// The promises that are broken, in a few words.
    pub fn broken(&self) -> String {
        let broken = self
            .wrongs()
            .into_iter()
            .filter(|(_, found)| !found.is_empty());
        broken
            .map(|(name, found)| format!("{} {name}", found.len()))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {} sagas {:?}, {} effects, {} paid calls",
            self.sagas, self.ended, self.effects, self.calls
        )?;
        for (name, found) in self.wrongs() {
            writeln!(f, "  {:>6} {name}", found.len())?;
            for one in found.iter().take(8) {
                writeln!(f, "           {one}")?;
            }
        }
        Ok(())
    }
}

/// What one saga left behind.
#[derive(Default)]
struct Traces {
    state: String,
    degraded: bool,
    pivoted: bool,
    open_letters: i64,
    /// Deeds and undos in the order in which they became true.
    effects: Vec<String>,
    /// Steps that a worker ever took.
    taken: BTreeSet<String>,
}

type Paid = (Uuid, String, i64, DateTime<Utc>, Option<DateTime<Utc>>);

/// Commands without an idempotency key, by the id of their requests: what they ask for, and how often
/// nobody answered.
pub type Unanswered = BTreeMap<String, (Plan, usize)>;

/// Finds what tries that nobody answered have left. Each may have begun a saga, and not more than one,
/// which is held to the same promises as those that were acknowledged. Says how many there are.
pub async fn adopt(
    ground: &Ground,
    plans: &mut BTreeMap<Uuid, Plan>,
    mut unanswered: Unanswered,
) -> anyhow::Result<usize> {
    let sql = "SELECT id, request_id FROM sagas WHERE kind = 'demo.drill' ORDER BY id";
    let sagas: Vec<(Uuid, String)> = ground.db.query(sql).all().await?;
    let known = plans.len();
    for (id, request) in sagas {
        if let (false, Some((plan, tries @ 1..))) =
            (plans.contains_key(&id), unanswered.get_mut(&request))
        {
            *tries -= 1;
            plans.insert(id, plan.clone());
        }
    }
    Ok(plans.len() - known)
}

/// Judges the sagas that were accepted. `slept` are processes that had been paused: what they had
/// decided before they slept they may still do.
pub async fn judge(
    ground: &Ground,
    plans: &BTreeMap<Uuid, Plan>,
    slept: &BTreeSet<u32>,
) -> anyhow::Result<Verdict> {
    let traces = traces(ground).await?;
    let mut verdict = Verdict {
        sagas: plans.len(),
        ..Verdict::default()
    };
    for id in traces.keys().filter(|id| !plans.contains_key(id)) {
        verdict.lost.push(format!(
            "{id} was never acknowledged, and stands beside its command's saga"
        ));
    }
    for (id, plan) in plans {
        match traces.get(id) {
            None => verdict.lost.push(format!("{id} {:?}", plan.course)),
            Some(left) => one(&mut verdict, *id, plan, left),
        }
    }
    paid(&mut verdict, ground, slept).await?;
    if !verdict.unfinished.is_empty() {
        verdict.unfinished.extend(what_they_wait_for(ground).await?);
    }
    Ok(verdict)
}

/// For whoever has to find out why sagas stand still.
async fn what_they_wait_for(ground: &Ground) -> anyhow::Result<Vec<String>> {
    type Row = (
        Uuid,
        String,
        String,
        i64,
        i64,
        i64,
        i64,
        Option<DateTime<Utc>>,
    );
    let rows: Vec<Row> = ground
        .db
        .query(
            "SELECT t.saga_id, t.key, t.state, t.turn, t.epoch, t.tickets, t.crashes, t.wake_at FROM steps t JOIN sagas s ON s.id = t.saga_id
              WHERE s.finished_at IS NULL AND t.state IN ('ready', 'leased', 'retrying', 'failed')",
        )
        .all()
        .await?;
    let now = Utc::now();
    let row = |(saga, key, state, turn, epoch, tickets, crashes, wake): Row| {
        let due = wake.map_or(0, |wake| (wake - now).num_milliseconds());
        format!(
            "{saga} waits: {key} {state}, turn {turn}, epoch {epoch}, {tickets} tickets, {crashes} crashes, due in {due} ms"
        )
    };
    Ok(rows.into_iter().map(row).collect())
}

async fn traces(ground: &Ground) -> anyhow::Result<BTreeMap<Uuid, Traces>> {
    type Saga = (Uuid, String, bool, bool);
    let sagas: Vec<Saga> = ground
        .db
        .query("SELECT id, state, degraded, pivoted FROM sagas WHERE kind = 'demo.drill'")
        .all()
        .await?;
    let mut all = BTreeMap::new();
    for (id, state, degraded, pivoted) in sagas {
        all.insert(
            id,
            Traces {
                state,
                degraded,
                pivoted,
                ..Traces::default()
            },
        );
    }
    let steps: Vec<(Uuid, String)> = ground
        .db
        .query("SELECT saga_id, key FROM steps WHERE epoch > 0")
        .all()
        .await?;
    for (id, key) in steps {
        all.entry(id).or_default().taken.insert(key);
    }
    let effects: Vec<(Uuid, String)> = ground
        .db
        .query("SELECT saga_id, name FROM drill_effects ORDER BY n")
        .all()
        .await?;
    for (id, name) in effects {
        all.entry(id).or_default().effects.push(name);
    }
    let letters: Vec<(Uuid, i64)> = ground
        .db
        .query("SELECT saga_id, count(*) FROM letters WHERE state = 'open' AND saga_id IS NOT NULL GROUP BY saga_id")
        .all()
        .await?;
    for (id, open) in letters {
        all.entry(id).or_default().open_letters = open;
    }
    Ok(all)
}

fn one(verdict: &mut Verdict, id: Uuid, plan: &Plan, left: &Traces) {
    let say = |what: String| {
        format!(
            "{id} {:?} ({}): {what}; effects {:?}",
            plan.course, left.state, left.effects
        )
    };
    *verdict.ended.entry(left.state.clone()).or_default() += 1;
    verdict.effects += left.effects.len();
    let distinct: BTreeSet<&String> = left.effects.iter().collect();
    if distinct.len() < left.effects.len() {
        verdict
            .doubled
            .push(say("an effect is there twice".to_owned()));
    }
    let undos: Vec<&str> = left
        .effects
        .iter()
        .filter_map(|name| name.strip_prefix("undo "))
        .collect();
    let deeds: Vec<&str> = left
        .effects
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with("undo "))
        .collect();
    let mixed = left
        .effects
        .iter()
        .skip_while(|name| !name.starts_with("undo "))
        .any(|name| !name.starts_with("undo "));
    if mixed
        || !undos.is_sorted_by(|a, b| a > b)
            && undos.iter().collect::<BTreeSet<_>>().len() == undos.len()
    {
        verdict.out_of_order.push(say(format!("undone {undos:?}")));
    }
    match left.state.as_str() {
        "succeeded" => succeeded(verdict, plan, left, (&deeds, &undos), &say),
        "undone" => undone(verdict, plan, left, (&deeds, &undos), &say),
        "parked" | "stuck" if left.open_letters > 0 => {}
        _ => verdict
            .unfinished
            .push(say("it stands still and nobody is told".to_owned())),
    }
}

fn succeeded(
    verdict: &mut Verdict,
    plan: &Plan,
    left: &Traces,
    (deeds, undos): (&[&str], &[&str]),
    say: &dyn Fn(String) -> String,
) {
    let without = if left.degraded { "e" } else { "" };
    let wanted: BTreeSet<&str> = DEEDS.into_iter().filter(|deed| *deed != without).collect();
    if deeds.iter().copied().collect::<BTreeSet<_>>() != wanted || !undos.is_empty() {
        let what = "it succeeded without having done everything once";
        verdict.wrong_set.push(say(what.to_owned()));
    }
    if left.degraded && !plan.trip.optional
        || plan.course == Course::Discard
        || plan.course == Course::Stick
    {
        let what = "it should not have come to this end";
        verdict.wrong_ending.push(say(what.to_owned()));
    }
}

fn undone(
    verdict: &mut Verdict,
    plan: &Plan,
    left: &Traces,
    (deeds, undos): (&[&str], &[&str]),
    say: &dyn Fn(String) -> String,
) {
    let may = |deed: &&str| left.taken.contains(key(deed)) && !left.pivoted;
    let wanted: BTreeSet<&str> = DEEDS.into_iter().filter(may).collect();
    let undone: BTreeSet<&str> = undos.iter().copied().collect();
    if undone != wanted || deeds.iter().any(|deed| !left.taken.contains(key(deed))) {
        let what = format!("to undo were {wanted:?}, undone are {undone:?}");
        verdict.wrong_set.push(say(what));
    }
    if matches!(
        plan.course,
        Course::Succeed | Course::Degrade | Course::Mend
    ) {
        verdict
            .wrong_ending
            .push(say("nobody wanted it undone".to_owned()));
    }
}

/// Every call was written down before it was made, and none after its answer was.
async fn paid(verdict: &mut Verdict, ground: &Ground, slept: &BTreeSet<u32>) -> anyhow::Result<()> {
    let rows: Vec<Paid> = ground
        .db
        .query("SELECT saga_id, idempotency_key, calls, dispatched_at, answered_at FROM effects")
        .all()
        .await?;
    let rows: BTreeMap<String, Paid> = rows.into_iter().map(|row| (row.1.clone(), row)).collect();
    let calls = ground.provider.calls();
    verdict.calls = calls.len();
    let mut made: BTreeMap<&str, i64> = BTreeMap::new();
    for call in &calls {
        *made.entry(&call.key).or_default() += 1;
        match rows.get(&call.key) {
            None => verdict.paid_again.push(format!(
                "{}: a call that is written down nowhere",
                call.saga
            )),
            Some((_, _, _, _, Some(answered)))
                if call.decided > answered.timestamp_micros() && !slept.contains(&call.process) =>
            {
                verdict
                    .paid_again
                    .push(format!("{}: called after its answer was stored", call.saga));
            }
            Some(_) => {}
        }
    }
    for (key, (saga, _, calls, dispatched, answered)) in &rows {
        let made = made.get(key.as_str()).copied().unwrap_or(0);
        if made > *calls {
            verdict
                .paid_again
                .push(format!("{saga}: {made} calls, {calls} written down"));
        }
        if answered.is_some_and(|answered| *dispatched > answered) {
            verdict.paid_again.push(format!(
                "{saga}: dispatched again after its answer was stored"
            ));
        }
    }
    Ok(())
}
