//! The rows of media. A row comes after its files, so whoever finds a row finds the files.

use chrono::{DateTime, Utc};
use saga_core::db::{Db, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One file of a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// `original`, `1024`, `512`, `256`, `1080`; the file is `{storage_key}/{name}.png`.
    pub name: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hex; files never change under their name.
    pub etag: String,
}

/// A picture with all its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// Also the folder of its files.
    pub id: Uuid,
    /// Whose it is; a cover is nobody's.
    pub owner_id: Option<Uuid>,
    /// What kind of thing it belongs to: `persona` or `topic`.
    pub entity: String,
    /// Which one.
    pub entity_id: Uuid,
    /// What it shows.
    pub kind: MediumKind,
    /// The folder of its files in the blob store.
    pub storage_key: String,
    /// What the files are.
    pub mime: String,
    /// Largest first; never empty.
    pub variants: Vec<Variant>,
    /// Who drew it.
    pub provider: String,
    /// Whether all its variants are there.
    pub state: MediumState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediumKind {
    /// The character's face.
    Portrait,
    /// The card to share.
    Card,
    /// What stands above a topic.
    Cover,
}

/// How far a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediumState {
    /// As it was drawn.
    Original,
    /// Cleaned, in every size.
    Ready,
}

impl MediumKind {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portrait => "portrait",
            Self::Card => "card",
            Self::Cover => "cover",
        }
    }
}

impl MediumState {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Ready => "ready",
        }
    }
}

impl Medium {
    /// The variant of this name, or the largest.
    pub fn variant(&self, name: Option<&str>) -> Option<&Variant> {
        match name {
            Some(name) => self.variants.iter().find(|variant| variant.name == name),
            None => self.variants.first(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    owner_id: Option<Uuid>,
    entity: String,
    entity_id: Uuid,
    kind: String,
    storage_key: String,
    mime: String,
    variants: String,
    provider: String,
    state: String,
    created_at: DateTime<Utc>,
}

const PUT: &str = "-- media.put
    INSERT INTO media (id, owner_id, entity, entity_id, kind, storage_key, mime, bytes, width, height, variants, etag,
                       provider, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes, width = excluded.width, height = excluded.height,
        variants = excluded.variants, etag = excluded.etag, provider = excluded.provider, state = excluded.state";
const FIND: &str = "-- media.find
    SELECT id, owner_id, entity, entity_id, kind, storage_key, mime, variants, provider, state, created_at
      FROM media WHERE id = $1";
const OF: &str = "-- media.of
    SELECT id, owner_id, entity, entity_id, kind, storage_key, mime, variants, provider, state, created_at
      FROM media WHERE id = $1 AND ($2 IS NULL OR owner_id = $2)";
const REMOVE: &str = "-- media.remove
    DELETE FROM media WHERE id = $1";

/// Writes a medium; one that is there already gets the new files.
pub async fn put(tx: &mut Tx, medium: &Medium) -> sqlx::Result<()> {
    let first = medium
        .variants
        .first()
        .ok_or_else(|| sqlx::Error::Encode("a medium has a file".into()))?;
    let variants = serde_json::to_string(&medium.variants)
        .map_err(|error| sqlx::Error::Encode(error.into()))?;
    tx.query(PUT)
        .bind(medium.id)
        .bind(medium.owner_id)
        .bind(medium.entity.clone())
        .bind(medium.entity_id)
        .bind(medium.kind.as_str())
        .bind(medium.storage_key.clone())
        .bind(medium.mime.clone())
        .bind(i64::try_from(first.bytes).unwrap_or(i64::MAX))
        .bind(i64::from(first.width))
        .bind(i64::from(first.height))
        .bind(variants)
        .bind(first.etag.clone())
        .bind(medium.provider.clone())
        .bind(medium.state.as_str())
        .bind(medium.created_at)
        .execute()
        .await
        .map(drop)
}

/// Finds a medium.
pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Medium>> {
    let row: Option<Row> = db.query(FIND).bind(id).optional().await?;
    row.map(Medium::try_from).transpose()
}

/// Finds a medium of this owner's, or with none anybody's; another owner's is none.
pub async fn find_of(db: &Db, id: Uuid, owner: Option<Uuid>) -> sqlx::Result<Option<Medium>> {
    let row: Option<Row> = db.query(OF).bind(id).bind(owner).optional().await?;
    row.map(Medium::try_from).transpose()
}

/// Removes a medium's row; what is not there is gone already.
pub async fn remove(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    tx.query(REMOVE).bind(id).execute().await.map(drop)
}

impl TryFrom<Row> for Medium {
    type Error = sqlx::Error;
    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.id,
            owner_id: row.owner_id,
            entity: row.entity,
            entity_id: row.entity_id,
            kind: crate::word(&row.kind)?,
            storage_key: row.storage_key,
            mime: row.mime,
            variants: serde_json::from_str(&row.variants)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            provider: row.provider,
            state: crate::word(&row.state)?,
            created_at: row.created_at,
        })
    }
}
