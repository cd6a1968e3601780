//! The rows of personas: one draft at most for each account, and every version that was finished.

use crate::mirror::archetype::{Archetype, Mode};
use crate::mirror::persona_text::PersonaText;
use crate::mirror::rarity::Rarity;
use crate::mirror::standing::PersonaStatus;
use crate::mirror::statistics::Stats;
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who may look at a persona.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Its owner.
    Private,
    /// Everybody.
    Public,
}

/// A character, or a draft of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// Never changes.
    pub id: Uuid,
    /// Whose it is.
    pub owner_id: Uuid,
    /// What it was made of; practice needs no survey.
    pub survey_id: Option<Uuid>,
    /// The forge that made it.
    pub saga_id: Uuid,
    /// Counts an owner's personas from 1.
    pub version: i64,
    /// Whether it is the one that the owner is met as.
    pub is_current: bool,
    /// `synthesizing`, `generating_image` or `ready`.
    pub status: PersonaStatus,
    /// How its archetype was found.
    pub mode: Mode,
    /// How many answers it was made of.
    pub responses: i64,
    /// The four stats.
    pub stats: Stats,
    /// Which of the eight characters it is.
    pub archetype: Archetype,
    /// How unusual it is.
    pub rarity: Rarity,
    /// Its words; none before they are written.
    pub text: Option<PersonaText>,
    /// Who wrote them.
    pub provider: Option<String>,
    /// Its portrait.
    pub illustration_media_id: Option<Uuid>,
    /// The card to share.
    pub card_media_id: Option<Uuid>,
    /// How well it knows its owner.
    pub bond_level: i64,
    /// Who may look at it.
    pub visibility: Visibility,
    /// Its public name.
    pub slug: Option<String>,
    /// Whether a picture is missing.
    pub degraded: bool,
    /// When its draft was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What the answers add up to, before anything is written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) survey: Uuid,
    pub(crate) saga: Uuid,
    pub(crate) mode: Mode,
    pub(crate) responses: i64,
    pub(crate) stats: Stats,
    pub(crate) archetype: Archetype,
    pub(crate) rarity: Rarity,
}

const FIND: &str = "-- personas.find
    SELECT * FROM personas WHERE id = $1";
const OWN: &str = "-- personas.own
    SELECT * FROM personas WHERE id = $1 AND owner_id = $2";
const CURRENT: &str = "-- personas.current
    SELECT * FROM personas WHERE owner_id = $1 AND is_current";
const VERSIONS: &str = "-- personas.versions
    SELECT * FROM personas WHERE owner_id = $1 AND status = 'ready' AND ($2 IS NULL OR version < $2)
     ORDER BY version DESC LIMIT $3";
const DROP_OTHER_DRAFTS: &str = "-- personas.drop_other_drafts
    DELETE FROM personas WHERE owner_id = $1 AND status <> 'ready' AND id <> $2";
const DRAFT: &str = "-- personas.draft
    INSERT INTO personas (id, owner_id, survey_id, saga_id, version, is_current, status, mode, responses, charisma,
                          intellect, kindness, energy, archetype, rarity, bond_level, visibility, degraded, created_at, updated_at)
    VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(version), 0) + 1 FROM personas WHERE owner_id = $2), FALSE, 'synthesizing',
            $5, $6, $7, $8, $9, $10, $11, $12, 0, 'private', FALSE, $13, $13)
    ON CONFLICT (id) DO NOTHING";
const WRITE: &str = "-- personas.write
    UPDATE personas SET status = 'generating_image', name = $2, title = $3, traits = $4, persona_prompt = $5, greeting = $6,
           provider = $7, updated_at = $8
     WHERE id = $1 AND status <> 'ready'";
const STEP_BACK: &str = "-- personas.step_back
    UPDATE personas SET is_current = FALSE, updated_at = $2
     WHERE owner_id = (SELECT owner_id FROM personas WHERE id = $1) AND is_current AND id <> $1";
const ACTIVATE: &str = "-- personas.activate
    UPDATE personas SET status = 'ready', is_current = TRUE, illustration_media_id = $2, card_media_id = $3, degraded = $4,
           updated_at = $5
     WHERE id = $1";
const DISCARD: &str = "-- personas.discard
    DELETE FROM personas WHERE id = $1 AND status <> 'ready'";

/// Finds a persona, or a draft.
pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Persona>> {
    let row: Option<Row> = db.query(FIND).bind(id).optional().await?;
    row.map(Persona::try_from).transpose()
}

/// Finds a persona, or a draft, of this owner's; another owner's is none.
pub async fn find_own(db: &Db, id: Uuid, owner: Uuid) -> sqlx::Result<Option<Persona>> {
    let row: Option<Row> = db.query(OWN).bind(id).bind(owner).optional().await?;
    row.map(Persona::try_from).transpose()
}

/// The persona that an owner is met as.
pub async fn current(db: &Db, owner: Uuid) -> sqlx::Result<Option<Persona>> {
    let row: Option<Row> = db.query(CURRENT).bind(owner).optional().await?;
    row.map(Persona::try_from).transpose()
}

/// An owner's finished personas, newest first; `before` is the last version of the page before.
pub async fn versions(
    db: &Db,
    owner: Uuid,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Persona>> {
    let rows: Vec<Row> = db
        .query(VERSIONS)
        .bind(owner)
        .bind(before)
        .bind(limit)
        .all()
        .await?;
    rows.into_iter().map(Persona::try_from).collect()
}

/// Makes a draft; one that is there already stays. Another draft of the owner can only be the
/// leftover of a forge that ended, so it makes room.
pub(crate) async fn draft(tx: &mut Tx, draft: &Draft) -> sqlx::Result<()> {
    let now = tx.now().await?;
    tx.query(DROP_OTHER_DRAFTS)
        .bind(draft.owner)
        .bind(draft.id)
        .execute()
        .await?;
    tx.query(DRAFT)
        .bind(draft.id)
        .bind(draft.owner)
        .bind(draft.survey)
        .bind(draft.saga)
        .bind(draft.mode.as_str())
        .bind(draft.responses)
        .bind(i64::from(draft.stats.charisma))
        .bind(i64::from(draft.stats.intellect))
        .bind(i64::from(draft.stats.kindness))
        .bind(i64::from(draft.stats.energy))
        .bind(draft.archetype.as_str())
        .bind(draft.rarity.as_str())
        .bind(now)
        .execute()
        .await
        .map(drop)
}

/// Gives a draft its words.
pub(crate) async fn write(
    tx: &mut Tx,
    id: Uuid,
    text: &PersonaText,
    provider: &str,
) -> sqlx::Result<()> {
    let now = tx.now().await?;
    let traits =
        serde_json::to_string(&text.traits).map_err(|error| sqlx::Error::Encode(error.into()))?;
    tx.query(WRITE)
        .bind(id)
        .bind(text.name.clone())
        .bind(text.title.clone())
        .bind(traits)
        .bind(text.persona_prompt.clone())
        .bind(text.greeting.clone())
        .bind(provider.to_owned())
        .bind(now)
        .execute()
        .await
        .and_then(one)
}

/// The pictures that a persona is shown with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pictures {
    pub(crate) illustration: Option<Uuid>,
    pub(crate) card: Option<Uuid>,
}

/// Makes a draft the one that its owner is met as; the version before is kept.
pub(crate) async fn activate(
    tx: &mut Tx,
    id: Uuid,
    pictures: Pictures,
    degraded: bool,
) -> sqlx::Result<()> {
    let now = tx.now().await?;
    tx.query(STEP_BACK).bind(id).bind(now).execute().await?;
    tx.query(ACTIVATE)
        .bind(id)
        .bind(pictures.illustration)
        .bind(pictures.card)
        .bind(degraded)
        .bind(now)
        .execute()
        .await
        .and_then(one)
}

/// A forge that lost its draft must not end as if it had one.
fn one(touched: u64) -> sqlx::Result<()> {
    if touched == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// Takes a draft back; a finished persona stays.
pub(crate) async fn discard(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    tx.query(DISCARD).bind(id).execute().await.map(drop)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    owner_id: Uuid,
    survey_id: Option<Uuid>,
    saga_id: Uuid,
    version: i64,
    is_current: bool,
    status: String,
    mode: String,
    responses: i64,
    charisma: i64,
    intellect: i64,
    kindness: i64,
    energy: i64,
    archetype: String,
    rarity: String,
    name: Option<String>,
    title: Option<String>,
    traits: Option<String>,
    persona_prompt: Option<String>,
    greeting: Option<String>,
    provider: Option<String>,
    illustration_media_id: Option<Uuid>,
    card_media_id: Option<Uuid>,
    bond_level: i64,
    visibility: String,
    slug: Option<String>,
    degraded: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Row {
    fn text(&mut self) -> sqlx::Result<Option<PersonaText>> {
        let words = (
            self.name.take(),
            self.title.take(),
            self.traits.take(),
            self.persona_prompt.take(),
            self.greeting.take(),
        );
        let (Some(name), Some(title), Some(traits), Some(persona_prompt), Some(greeting)) = words
        else {
            return Ok(None);
        };
        let traits =
            serde_json::from_str(&traits).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Some(PersonaText {
            name,
            title,
            traits,
            persona_prompt,
            greeting,
        }))
    }

    fn stats(&self) -> sqlx::Result<Stats> {
        let stat =
            |value: i64| u8::try_from(value).map_err(|error| sqlx::Error::Decode(error.into()));
        Ok(Stats {
            charisma: stat(self.charisma)?,
            intellect: stat(self.intellect)?,
            kindness: stat(self.kindness)?,
            energy: stat(self.energy)?,
        })
    }
}

impl TryFrom<Row> for Persona {
    type Error = sqlx::Error;
    fn try_from(mut row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            text: row.text()?,
            stats: row.stats()?,
            status: crate::word(&row.status)?,
            mode: crate::word(&row.mode)?,
            archetype: crate::word(&row.archetype)?,
            rarity: crate::word(&row.rarity)?,
            visibility: crate::word(&row.visibility)?,
            id: row.id,
            owner_id: row.owner_id,
            survey_id: row.survey_id,
            saga_id: row.saga_id,
            version: row.version,
            is_current: row.is_current,
            responses: row.responses,
            provider: row.provider,
            illustration_media_id: row.illustration_media_id,
            card_media_id: row.card_media_id,
            bond_level: row.bond_level,
            slug: row.slug,
            degraded: row.degraded,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
