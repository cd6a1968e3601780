//! The rows of erasures, and all rows that go with an account.

use super::erased_identities;
use crate::topics::store::embeddings;
use saga_core::RecordOf;
use saga_core::db::{Db, Sql, Tx};
use uuid::Uuid;

const NOTE: &str = "-- erasures.note
    INSERT INTO erasures (account_id, saga_id, asked_at) VALUES ($1, $2, $3)
    ON CONFLICT (account_id) DO UPDATE SET saga_id = excluded.saga_id WHERE erasures.erased_at IS NULL";
const FORGET: &str = "-- erasures.forget
    DELETE FROM erasures WHERE account_id = $1 AND erased_at IS NULL";
const DONE: &str = "-- erasures.done
    UPDATE erasures SET erased_at = $2 WHERE account_id = $1 AND erased_at IS NULL";
const FIND: &str = "-- erasures.find
    SELECT saga_id FROM erasures WHERE account_id = $1";
// Whoever makes something for an account shares its row until that is committed; an erasure that is asked for
// waits for them, and is known to whoever comes later.
const SHARE: Sql = Sql {
    postgres: "-- erasures.share
    SELECT id FROM accounts WHERE id = $1 FOR SHARE",
    sqlite: "-- erasures.share
    SELECT id FROM accounts WHERE id = $1",
};
const LOCK: Sql = Sql {
    postgres: "-- erasures.lock
    SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE",
    sqlite: "-- erasures.lock
    SELECT id FROM accounts WHERE id = $1",
};
const MEDIA: &str = "-- erasures.media
    SELECT id FROM media WHERE owner_id = $1 ORDER BY id";
const LEFT: &str = "-- erasures.left
    SELECT email FROM accounts WHERE id = $1";
/// Puts another name in the place of whoever signed: in person, or by a key of theirs.
macro_rules! signed {
    ($title:literal, $table:literal, $by:literal) => {
        concat!(
            "-- erasures.",
            $title,
            "
    UPDATE ",
            $table,
            " SET ",
            $by,
            " = $3 WHERE ",
            $by,
            " IN ($1, $2)
        OR substr(",
            $by,
            ", 1, length($1) + 8) = $1 || ' by key '
        OR substr(",
            $by,
            ", 1, length($2) + 8) = $2 || ' by key '"
        )
    };
}
const AUDIT: &str = signed!("audit", "audit", "actor");
/// In the order in which they refer to each other. What else names an account goes by itself.
const ROWS: [&str; 10] = [
    "-- erasures.post_counts
    UPDATE topics SET post_count = post_count -
           (SELECT COUNT(*) FROM posts p WHERE p.topic_id = topics.id AND p.author_id = $1 AND p.deleted_at IS NULL)
     WHERE id IN (SELECT topic_id FROM posts WHERE author_id = $1 AND deleted_at IS NULL)",
    "-- erasures.posts
    DELETE FROM posts WHERE author_id = $1",
    "-- erasures.submissions
    DELETE FROM submissions WHERE author_id = $1",
    "-- erasures.reviews
    UPDATE reviews SET decider_id = NULL WHERE decider_id = $1",
    "-- erasures.personas
    DELETE FROM personas WHERE owner_id = $1",
    "-- erasures.media_rows
    DELETE FROM media WHERE owner_id = $1",
    "-- erasures.forges
    DELETE FROM forges WHERE owner_id = $1",
    "-- erasures.responses
    DELETE FROM survey_responses WHERE survey_id IN (SELECT id FROM surveys WHERE owner_id = $1)",
    "-- erasures.surveys
    DELETE FROM surveys WHERE owner_id = $1",
    "-- erasures.account
    DELETE FROM accounts WHERE id = $1",
];
/// Who decided, beside what was decided.
const SIGNED: [&str; 11] = [
    signed!("reviews", "reviews", "decided_by"),
    signed!("switches", "queue_switches", "decided_by"),
    signed!("drains", "workers", "drain_by"),
    signed!("replays", "replays", "started_by"),
    signed!("letters", "letters", "resolved_by"),
    signed!("notes", "letter_notes", "noted_by"),
    signed!("kinds", "kind_switches", "decided_by"),
    signed!("limits", "kind_limits", "decided_by"),
    signed!("roles", "account_roles", "granted_by"),
    signed!("api_keys", "api_keys", "created_by"),
    signed!("caps", "caps", "decided_by"),
];
const EVENTS: &str = "-- erasures.events
    UPDATE events SET page = replace(page, $1, $2) WHERE page LIKE '%' || $1 || '%'";
const KEYS: &str = "-- erasures.keys
    DELETE FROM idempotency_keys WHERE scope >= $1 AND scope < $2";

/// The saga that erases an account, or has erased it.
pub async fn find(db: &Db, account: Uuid) -> sqlx::Result<Option<Uuid>> {
    let found: Option<(Uuid,)> = db.query(FIND).bind(account).optional().await?;
    Ok(found.map(|(saga,)| saga))
}

/// Whether nothing more may be made for an account: it is about to go, or is gone. Where it stays, no
/// erasure of it is asked for before this transaction ends.
pub(crate) async fn leaves(tx: &mut Tx, account: Uuid) -> sqlx::Result<bool> {
    tx.query(SHARE).bind(account).optional::<(Uuid,)>().await?;
    // A statement of its own, after the lock: what was committed while it waited is seen.
    let found: Option<(Uuid,)> = tx.query(FIND).bind(account).optional().await?;
    Ok(found.is_some())
}

/// An account that is about to go, by this saga: from here on nothing is made for it. What is being made
/// is waited for, so that whoever looks for it afterwards finds it.
pub async fn asked(tx: &mut Tx, saga: Uuid, account: Uuid) -> sqlx::Result<()> {
    tx.query(LOCK).bind(account).optional::<(Uuid,)>().await?;
    let now = tx.now().await?;
    let note = tx.query(NOTE).bind(account).bind(saga).bind(now);
    note.execute().await.map(drop)
}

/// An account that stays after all.
pub async fn reopened(tx: &mut Tx, account: Uuid) -> sqlx::Result<()> {
    erased_identities::stay(tx, account).await?;
    tx.query(FORGET).bind(account).execute().await.map(drop)
}

/// The pictures whose files are to go.
pub async fn media(db: &Db, account: Uuid) -> sqlx::Result<Vec<Uuid>> {
    let found: Vec<(Uuid,)> = db.query(MEDIA).bind(account).all().await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Nothing of an account, but that there was one, and what it decided under a name that leads nowhere.
pub async fn erased(tx: &mut Tx, of: &RecordOf, account: Uuid) -> sqlx::Result<()> {
    let email: Option<(String,)> = tx.query(LEFT).bind(account).optional().await?;
    if let Some((email,)) = email {
        // The saga's id is the salt, and goes with the saga.
        let hash = crate::hash::name(format!("{} {email}", of.saga).as_bytes());
        rename(tx, &email, account, &format!("erased {hash:.16}")).await?;
    }
    embeddings::drop_of(tx, account).await?;
    for sql in ROWS {
        tx.query(sql).bind(account).execute().await?;
    }
    // Every scope of the account's begins with its id and a space, after which comes `!`.
    let keys = tx.query(KEYS).bind(format!("{account} "));
    keys.bind(format!("{account}!")).execute().await?;
    erased_identities::gone(tx, account, of.now).await?;
    let done = tx.query(DONE).bind(account).bind(of.now);
    done.execute().await.map(drop)
}

/// Has what somebody decided be signed by nobody who is known. Only who has decided anything is looked for
/// in the histories of other people's sagas, all of which have to be read.
async fn rename(tx: &mut Tx, email: &str, account: Uuid, name: &str) -> sqlx::Result<()> {
    let mut decided = 0;
    for sql in [AUDIT].into_iter().chain(SIGNED) {
        let renamed = tx.query(sql).bind(email.to_owned());
        let renamed = renamed.bind(account.to_string()).bind(name.to_owned());
        decided += renamed.execute().await?;
    }
    if decided > 0 {
        let histories = tx.query(EVENTS).bind(email.to_owned());
        histories.bind(name.to_owned()).execute().await?;
    }
    Ok(())
}
