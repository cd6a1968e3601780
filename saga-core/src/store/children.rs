//! What a transaction means for other sagas: children begin by it, and whoever waits for a saga that
//! ends by it is told.

use super::rows::text;
use super::{Store, load, patience};
use crate::db::{Sql, Tx};
use crate::run::{Parent, Run, Version};
use crate::store::NewSaga;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How many generations begin in one transaction: a saga whose first deed is to begin itself has to stop
/// somewhere.
const GENERATIONS_MAX: usize = 8;
/// How many sagas begin by one transaction; the sweeper begins the others.
const BEGUN_MAX: usize = 200;

// All else follows with the rows of the transaction, over what is written here.
const INSERT: Sql = Sql {
    postgres: "-- children.insert
        INSERT INTO sagas (id, kind, state, input, owner_id, request_id, singleton, parent_id, parent_key, seq, inbox,
                           pivoted, degraded, created_at, updated_at)
        SELECT r.id, r.kind, 'queued', r.input, r.owner_id, r.request_id, r.singleton, r.parent_id, r.parent_key, 0, 0,
               FALSE, FALSE, r.now, r.now
          FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::text[],
                      $9::timestamptz[])
               AS r (id, kind, input, owner_id, request_id, singleton, parent_id, parent_key, now)
        ON CONFLICT DO NOTHING RETURNING id",
    sqlite: "-- children.insert
        INSERT INTO sagas (id, kind, state, input, owner_id, request_id, singleton, parent_id, parent_key, seq, inbox,
                           pivoted, degraded, created_at, updated_at)
        VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, 0, 0, FALSE, FALSE, $9, $9)
        ON CONFLICT DO NOTHING RETURNING id",
};

// How these have ended follows with the rows of the transaction.
const FREE_KEYS: Sql = Sql {
    postgres: "-- children.free_keys
        UPDATE sagas s SET state = 'undone', ending = 'failed', finished_at = r.now
          FROM UNNEST($1::uuid[], $2::timestamptz[]) AS r (id, now) WHERE s.id = r.id AND s.finished_at IS NULL",
    sqlite: "-- children.free_keys
        UPDATE sagas SET state = 'undone', ending = 'failed', finished_at = $2 WHERE id = $1 AND finished_at IS NULL",
};

/// Begins the children that `runs` ask for, and tells whoever waits for those of them that have ended, until
/// nobody is left. All of these sagas join `runs`. Whoever waits is locked already, by [`load::whole`].
pub(super) async fn follow(
    tx: &mut Tx,
    runs: &mut Vec<Run>,
    store: &Store,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    patience::count_anew(tx, runs, store, now).await?;
    let (mut told, mut begun) = (BTreeSet::new(), BTreeMap::new());
    loop {
        let any_new = begin(tx, runs, store, &mut begun, now).await?;
        let ended = tell(tx, runs, &mut told, store, now).await?;
        if !any_new && !ended {
            return Ok(());
        }
    }
}

/// A child that is asked for: where its parent is among the runs, and its step there.
struct Wanted {
    place: usize,
    at: usize,
    generation: usize,
    child: Run,
}

/// Begins the children that are asked for; `begun` says of those that began by this transaction in which
/// generation. False: there are none, or others will begin them.
async fn begin(
    tx: &mut Tx,
    runs: &mut Vec<Run>,
    store: &Store,
    begun: &mut BTreeMap<Uuid, usize>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let unborn = |(place, run): (usize, &Run)| -> Vec<(usize, usize)> {
        run.unborn().map(|at| (place, at)).collect()
    };
    let unborn: Vec<_> = runs.iter().enumerate().flat_map(unborn).collect();
    let room = BEGUN_MAX.saturating_sub(begun.len());
    let (now_or_never, later) = unborn.split_at(room.min(unborn.len()));
    for (place, at) in later {
        let key = runs[*place].steps[*at].key.clone();
        runs[*place].look_soon(&key, now);
    }
    let wanted = now_or_never.iter().map(|(place, at)| {
        let parent = &runs[*place];
        Wanted {
            place: *place,
            at: *at,
            generation: begun.get(&parent.saga.id).copied().unwrap_or(0) + 1,
            child: store.child(parent, *at, now),
        }
    });
    let mut wanted: Vec<Wanted> = wanted.collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    // Whoever else begins sagas with these keys meets them in the same order.
    wanted.sort_by(|a, b| in_order(&a.child).cmp(&in_order(&b.child)));
    let shallow = |wanted: &&Wanted| wanted.generation <= GENERATIONS_MAX;
    let children: Vec<&Run> = (wanted.iter().filter(shallow))
        .map(|wanted| &wanted.child)
        .collect();
    if children.iter().any(|child| child.saga.singleton.is_some()) {
        free_keys(tx, runs, now).await?;
    }
    let there = insert(tx, &children, now).await?;
    // All are noted before the first refusal, which may have its parent call the others back.
    for wanted in &wanted {
        if there.contains(&wanted.child.saga.id) {
            runs[wanted.place].child_began(wanted.at);
        }
    }
    for wanted in wanted {
        if there.contains(&wanted.child.saga.id) {
            begun.insert(wanted.child.saga.id, wanted.generation);
            runs.push(wanted.child);
        } else {
            let (key, why) = (&wanted.child.saga.parent, refusal(&wanted));
            if let Some(Parent { key, .. }) = key {
                runs[wanted.place].child_refused(key, why, &store.kinds, now);
            }
        }
    }
    Ok(true)
}

fn in_order(child: &Run) -> (&str, Option<&str>, Uuid) {
    let saga = &child.saga;
    (&saga.kind, saga.singleton.as_deref(), saga.id)
}

/// Why a child did not begin.
fn refusal(wanted: &Wanted) -> String {
    let saga = &wanted.child.saga;
    let (kind, id) = (&saga.kind, saga.id);
    if wanted.generation > GENERATIONS_MAX {
        return format!(
            "too_deep: {kind} would be the child of a child, and so on, more than {GENERATIONS_MAX} times at once"
        );
    }
    match &saga.singleton {
        Some(singleton) => {
            format!("already_open: another {kind} with the key {singleton} has not ended")
        }
        None => format!("already_there: {kind} would have the id {id}, which another saga has"),
    }
}

/// Lets go of the keys of sagas that have ended in this transaction, so that the next may have them.
async fn free_keys(tx: &mut Tx, runs: &[Run], now: DateTime<Utc>) -> sqlx::Result<()> {
    let has_key = |run: &&Run| run.saga.singleton.is_some() && run.saga.state.is_final();
    let ended = runs.iter().filter(|run| run.changed()).filter(has_key);
    let ended: Vec<Uuid> = ended.map(|run| run.saga.id).collect();
    if ended.is_empty() {
        return Ok(());
    }
    let times = ended.iter().map(|_| now).collect::<Vec<_>>();
    let freed = tx.batch(FREE_KEYS).column(ended).column(times);
    freed.execute().await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    children: &[&Run],
    now: DateTime<Utc>,
) -> sqlx::Result<BTreeSet<Uuid>> {
    let sagas = || children.iter().map(|child| &child.saga);
    let parents = || sagas().filter_map(|saga| saga.parent.as_ref());
    let inserted: Vec<(Uuid,)> = tx
        .batch(INSERT)
        .column(sagas().map(|saga| saga.id))
        .column(sagas().map(|saga| saga.kind.clone()))
        .column(sagas().map(|saga| text(&saga.input)))
        .column(sagas().map(|saga| saga.owner_id))
        .column(sagas().map(|saga| saga.request_id.clone()))
        .column(sagas().map(|saga| saga.singleton.clone()))
        .column(parents().map(|parent| parent.id))
        .column(parents().map(|parent| parent.key.as_str().to_owned()))
        .column(sagas().map(|_| now))
        .all()
        .await?;
    Ok(inserted.into_iter().map(|(id,)| id).collect())
}

/// Tells those who wait for sagas that have ended. False: nobody does.
async fn tell(
    tx: &mut Tx,
    runs: &mut Vec<Run>,
    told: &mut BTreeSet<Uuid>,
    store: &Store,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let mut ends = vec![];
    for run in runs.iter().filter(|run| run.changed()) {
        if let Some((parent, end)) = run.told_at_end()
            && told.insert(run.saga.id)
        {
            ends.push((run.saga.id, parent.clone(), end));
        }
    }
    let parents = ends.iter().map(|(_, parent, _)| parent.id).collect();
    join(tx, runs, parents, store).await?;
    let any = !ends.is_empty();
    let places = runs.iter().enumerate().map(|(at, run)| (run.saga.id, at));
    let places: BTreeMap<Uuid, usize> = places.collect();
    // However many children of a saga have ended, it goes on once.
    let mut moved = BTreeSet::new();
    for (child, Parent { id, key }, end) in ends {
        let place = places.get(&id).copied();
        let Some(place) = place.filter(|place| runs[*place].waits_for(child, &key)) else {
            continue;
        };
        let parent = &mut runs[place];
        if store.kinds.get(&parent.saga.kind).is_none() {
            // A newer program knows it, and finds the end that its child came to.
            parent.look_soon(&key, now);
        } else if parent.note_end(&key, end, now) {
            moved.insert(place);
        }
    }
    for place in moved {
        runs[place].go_on(&store.kinds, now);
    }
    Ok(any)
}

/// Has these sagas, which are locked already, be among `runs`.
pub(super) async fn join(
    tx: &mut Tx,
    runs: &mut Vec<Run>,
    mut sagas: BTreeSet<Uuid>,
    store: &Store,
) -> sqlx::Result<()> {
    for run in &*runs {
        sagas.remove(&run.saga.id);
    }
    if sagas.is_empty() {
        return Ok(());
    }
    let rules = store.rules.now();
    for mut run in load::whole(tx, sagas).await?.into_values() {
        run.kept = rules.keep(&run.saga);
        runs.push(run);
    }
    Ok(())
}

impl Store {
    /// A child as its parent asks for it: it belongs to the same owner, request and trace.
    fn child(&self, parent: &Run, at: usize, now: DateTime<Utc>) -> Run {
        let (saga, step) = (&parent.saga, &parent.steps[at]);
        let new = NewSaga {
            id: step.child(saga.id),
            kind: step.step.clone(),
            input: step.input.clone(),
            owner_id: saga.owner_id,
            request_id: saga.request_id.clone(),
            trace: saga.trace.clone(),
            singleton: None,
            replay_of: None,
        };
        let mut child = self.first(&new, now);
        child.saga.parent = Some(Parent {
            id: saga.id,
            key: step.key.clone(),
        });
        child.was = Version {
            seq: 0,
            updated_at: now,
        };
        child
    }
}
