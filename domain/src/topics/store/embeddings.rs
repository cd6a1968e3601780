//! The rows of vectors: a cache by what was said, so that no text is sent twice.

use chrono::TimeDelta;
use saga_core::db::{Db, Sql, Tx};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// How long a vector is kept.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// The name of a text: its SHA-256.
pub type TextHash = [u8; 32];

/// Names a text.
pub fn hash(text: &str) -> TextHash {
    Sha256::digest(text.as_bytes()).into()
}

#[derive(sqlx::FromRow)]
struct Row {
    vector: Vec<u8>,
}

const FIND: &str = "-- embeddings.find
    SELECT vector FROM embeddings WHERE text_hash = $1 AND model = $2";
const KEEP: Sql = Sql {
    postgres: "-- embeddings.keep
        INSERT INTO embeddings (text_hash, model, vector, made_at)
        SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::bytea[], $4::timestamptz[]) AS r
        ON CONFLICT (text_hash, model) DO NOTHING",
    sqlite: "-- embeddings.keep
        INSERT INTO embeddings (text_hash, model, vector, made_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (text_hash, model) DO NOTHING",
};
const TEXTS: &str = "-- embeddings.texts
    SELECT text FROM submissions WHERE author_id = $1";
const DROP: &str = "-- embeddings.drop
    DELETE FROM embeddings WHERE text_hash = $1";
const FORGET: Sql = Sql {
    postgres: "-- embeddings.forget
        DELETE FROM embeddings WHERE ctid = ANY (ARRAY(SELECT ctid FROM embeddings WHERE made_at < $1 ORDER BY made_at LIMIT $2))",
    sqlite: "-- embeddings.forget
        DELETE FROM embeddings WHERE (text_hash, model) IN
            (SELECT text_hash, model FROM embeddings WHERE made_at < $1 ORDER BY made_at LIMIT $2)",
};

/// The vectors of these texts by this model, in their order; none where there is none.
pub async fn find(db: &Db, model: &str, texts: &[TextHash]) -> sqlx::Result<Vec<Option<Vec<f32>>>> {
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        let find = db.query(FIND).bind(text.to_vec()).bind(model.to_owned());
        let row: Option<Row> = find.optional().await?;
        found.push(row.map(|row| floats(&row.vector)));
    }
    Ok(found)
}

/// Keeps vectors by this model; what is there already stays.
pub async fn keep(tx: &mut Tx, model: &str, vectors: &[(TextHash, Vec<f32>)]) -> sqlx::Result<()> {
    let now = tx.now().await?;
    // Sorted, so that two writers of the same texts wait for each other and never both at once.
    let mut vectors: Vec<&(TextHash, Vec<f32>)> = vectors.iter().collect();
    vectors.sort_by_key(|(text, _)| *text);
    vectors.dedup_by_key(|(text, _)| *text);
    tx.batch(KEEP)
        .column(vectors.iter().map(|(text, _)| text.to_vec()))
        .column(vectors.iter().map(|_| model.to_owned()))
        .column(vectors.iter().map(|(_, vector)| bytes(vector)))
        .column(vectors.iter().map(|_| now))
        .execute()
        .await
        .map(drop)
}

/// Forgets the vectors of everything that an account wrote, also where somebody else wrote the same.
pub(crate) async fn drop_of(tx: &mut Tx, author: Uuid) -> sqlx::Result<()> {
    let texts: Vec<(String,)> = tx.query(TEXTS).bind(author).all().await?;
    for (text,) in texts {
        let drop = tx.query(DROP).bind(hash(&text).to_vec());
        drop.execute().await?;
    }
    Ok(())
}

/// Forgets at most `limit` of the vectors that are older than [`KEPT_FOR`].
pub async fn forget_old(tx: &mut Tx, limit: i64) -> sqlx::Result<u64> {
    let before = tx.now().await? - KEPT_FOR;
    tx.query(FORGET).bind(before).bind(limit).execute().await
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|one| one.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (four, _) = bytes.as_chunks::<4>();
    four.iter().map(|four| f32::from_le_bytes(*four)).collect()
}
