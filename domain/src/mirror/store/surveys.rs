//! The rows of surveys.

use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::{Db, Sql, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long a survey takes answers, unless its owner says otherwise.
pub const OPEN_FOR: TimeDelta = TimeDelta::days(30);
/// The fewest answers a persona is made of.
pub const MIN_RESPONSES_MIN: i64 = 3;
/// The most answers an owner may ask for.
pub const MIN_RESPONSES_MAX: i64 = 50;

/// Where a survey is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurveyStatus {
    /// Below its minimum.
    Collecting,
    /// Enough answers; more are taken.
    Ready,
    /// A persona was made of it.
    Completed,
    /// Closed for good.
    Archived,
}

impl SurveyStatus {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collecting => "collecting",
            Self::Ready => "ready",
            Self::Completed => "completed",
            Self::Archived => "archived",
        }
    }
}

impl TryFrom<String> for SurveyStatus {
    type Error = sqlx::Error;
    fn try_from(word: String) -> sqlx::Result<Self> {
        crate::word(&word)
    }
}

/// Something friends answer.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Survey {
    /// Never changes.
    pub id: Uuid,
    /// Who asks.
    pub owner_id: Uuid,
    /// Ten characters in the link; knowing them is the permission to answer.
    pub slug: String,
    /// What the owner called it.
    pub title: Option<String>,
    /// Its questions.
    pub question_set_id: String,
    /// Where it is.
    #[sqlx(try_from = "String")]
    pub status: SurveyStatus,
    /// How many answers start the forge.
    pub min_responses: i64,
    /// How many there are.
    pub response_count: i64,
    /// When it stops taking answers.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Why a survey takes no answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpen {
    /// It is completed or archived.
    Closed,
    /// Its time is over.
    Expired,
}

impl Survey {
    /// Whether it takes answers now.
    pub fn open(&self, now: DateTime<Utc>) -> Result<(), NotOpen> {
        match self.status {
            SurveyStatus::Completed | SurveyStatus::Archived => Err(NotOpen::Closed),
            SurveyStatus::Collecting | SurveyStatus::Ready if now >= self.expires_at => {
                Err(NotOpen::Expired)
            }
            SurveyStatus::Collecting | SurveyStatus::Ready => Ok(()),
        }
    }

    /// Whether it has the answers that a persona needs.
    pub fn is_sufficient(&self) -> bool {
        self.response_count >= self.min_responses
    }
}

/// A survey about to be made.
#[derive(Debug, Clone)]
pub struct NewSurvey {
    /// Chosen by the caller.
    pub id: Uuid,
    /// Who asks.
    pub owner_id: Uuid,
    /// From [`slug`].
    pub slug: String,
    /// What the owner calls it: 1 to 120 characters.
    pub title: Option<String>,
    /// Its questions.
    pub question_set_id: String,
    /// 3 to 50.
    pub min_responses: i64,
}

/// Letters and digits that are not taken for one another, 32 of them.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Spells the ten characters of a link: 50 bits, so give it the operating system's randomness.
pub fn slug(random: [u8; 10]) -> String {
    random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

const INSERT: &str = "-- surveys.insert
    INSERT INTO surveys (id, owner_id, slug, title, question_set_id, status, min_responses, response_count, expires_at, created_at)
    VALUES ($1, $2, $3, $4, $5, 'collecting', $6, 0, $7, $8)";
const BY_ID: &str = "-- surveys.by_id
    SELECT * FROM surveys WHERE id = $1";
const LOCK: Sql = Sql {
    postgres: "-- surveys.lock
        SELECT * FROM surveys WHERE id = $1 FOR UPDATE",
    sqlite: "-- surveys.lock
        SELECT * FROM surveys WHERE id = $1",
};
const PUBLIC: &str = "-- surveys.public
    SELECT s.*, a.display_name AS owner_name FROM surveys s JOIN accounts a ON a.id = s.owner_id
     WHERE s.id = $1 OR s.slug = $2";
const OWN: &str = "-- surveys.own
    SELECT * FROM surveys WHERE owner_id = $3 AND (id = $1 OR slug = $2)";
const LIST: &str = "-- surveys.list
    SELECT * FROM surveys WHERE owner_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
const CLOSE: &str = "-- surveys.close
    UPDATE surveys SET status = 'archived' WHERE id = $1 AND owner_id = $2 RETURNING *";
const MARK: &str = "-- surveys.mark
    UPDATE surveys SET status = $2 WHERE id = $1 AND status <> 'archived'";
const REOPEN: &str = "-- surveys.reopen
    UPDATE surveys SET status = CASE WHEN response_count >= min_responses THEN 'ready' ELSE 'collecting' END
     WHERE id = $1 AND status <> 'archived'";
const COUNT: &str = "-- surveys.count
    UPDATE surveys SET response_count = response_count + 1, status = $2 WHERE id = $1";

/// Makes a survey. A slug that is taken is a unique violation: try another.
pub async fn create(tx: &mut Tx, new: NewSurvey) -> sqlx::Result<Survey> {
    let now = tx.now().await?;
    let survey = Survey {
        id: new.id,
        owner_id: new.owner_id,
        slug: new.slug,
        title: new.title,
        question_set_id: new.question_set_id,
        status: SurveyStatus::Collecting,
        min_responses: new.min_responses,
        response_count: 0,
        expires_at: now + OPEN_FOR,
        created_at: now,
    };
    tx.query(INSERT)
        .bind(survey.id)
        .bind(survey.owner_id)
        .bind(survey.slug.clone())
        .bind(survey.title.clone())
        .bind(survey.question_set_id.clone())
        .bind(survey.min_responses)
        .bind(survey.expires_at)
        .bind(survey.created_at)
        .execute()
        .await?;
    Ok(survey)
}

/// Finds a survey.
pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Survey>> {
    db.query(BY_ID).bind(id).optional().await
}

/// What a friend with the link may see.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Shared {
    /// The survey.
    #[sqlx(flatten)]
    pub survey: Survey,
    /// Whom it is about.
    pub owner_name: String,
}

/// Finds a survey by its id or its slug, whichever `name` is.
pub async fn find_shared(db: &Db, name: &str) -> sqlx::Result<Option<Shared>> {
    let id = Uuid::try_parse(name).ok();
    db.query(PUBLIC)
        .bind(id)
        .bind(name.to_owned())
        .optional()
        .await
}

/// Finds a survey of this owner's by its id or its slug; another owner's is none.
pub async fn find_own(db: &Db, name: &str, owner: Uuid) -> sqlx::Result<Option<Survey>> {
    let find = db.query(OWN).bind(Uuid::try_parse(name).ok());
    find.bind(name.to_owned()).bind(owner).optional().await
}

/// The surveys of an owner, newest first; `before` is the last id of the page before.
pub async fn list(
    db: &Db,
    owner: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Survey>> {
    db.query(LIST)
        .bind(owner)
        .bind(before)
        .bind(limit)
        .all()
        .await
}

/// Closes a survey for good; `None` when the owner has no such survey. Closing twice is fine.
pub async fn close(tx: &mut Tx, owner: Uuid, id: Uuid) -> sqlx::Result<Option<Survey>> {
    tx.query(CLOSE).bind(id).bind(owner).optional().await
}

/// Finds a survey and keeps everybody else from changing it until the transaction ends.
pub async fn lock(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Survey>> {
    tx.query(LOCK).bind(id).optional().await
}

/// Moves a survey on, unless its owner has closed it.
pub(crate) async fn mark(tx: &mut Tx, id: Uuid, status: SurveyStatus) -> sqlx::Result<()> {
    tx.query(MARK)
        .bind(id)
        .bind(status.as_str())
        .execute()
        .await
        .map(drop)
}

/// Moves a survey back to where another forge may start, unless its owner has closed it.
pub(crate) async fn reopen(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    tx.query(REOPEN).bind(id).execute().await.map(drop)
}

/// Counts one more answer; the survey is locked.
pub(crate) async fn count(tx: &mut Tx, id: Uuid, status: SurveyStatus) -> sqlx::Result<()> {
    tx.query(COUNT)
        .bind(id)
        .bind(status.as_str())
        .execute()
        .await
        .map(drop)
}
