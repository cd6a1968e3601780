//! What each step of `persona.forge` leaves behind, for the transaction that settles it. Each may
//! find its own rows, or none: a step whose worker was lost is done again.

use super::personas::{self, Draft, Pictures};
use super::surveys::{self, SurveyStatus};
use super::{forges, responses};
use crate::media::store::{self as media, Medium, MediumKind, MediumState, Variant};
use crate::mirror::answers::Answers;
use crate::mirror::forge::{
    ActivatePersona, Aggregate, Derived, DiscardDraft, DiscardPicture, Painted, Written,
};
use saga_core::RecordOf;
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// Every picture is one.
const MIME: &str = "image/png";
/// What the pictures here belong to.
const ENTITY: &str = "persona";

/// The answers that a new forge takes: all there are now, which may be too few.
pub async fn answers(
    db: &Db,
    survey: Uuid,
) -> sqlx::Result<Option<(surveys::Survey, Vec<Answers>)>> {
    let Some(survey) = surveys::find(db, survey).await? else {
        return Ok(None);
    };
    let answers = responses::up_to(db, survey.id, survey.response_count).await?;
    Ok(Some((survey, answers)))
}

/// The draft, and which saga is the owner's latest forge.
pub async fn aggregated(tx: &mut Tx, of: &RecordOf, sum: Aggregate) -> sqlx::Result<()> {
    let Some(survey) = surveys::lock(tx, sum.survey).await? else {
        return Err(sqlx::Error::RowNotFound);
    };
    surveys::mark(tx, survey.id, SurveyStatus::Ready).await?;
    forges::note(tx, survey.owner_id, survey.id, of.saga).await?;
    let draft = Draft {
        id: sum.persona,
        owner: survey.owner_id,
        survey: survey.id,
        saga: of.saga,
        mode: sum.mode,
        responses: sum.responses,
        stats: sum.stats,
        archetype: sum.archetype,
        rarity: sum.rarity,
    };
    personas::draft(tx, &draft).await
}

/// The draft's words.
pub async fn written(tx: &mut Tx, written: Written) -> sqlx::Result<()> {
    personas::write(tx, written.persona, &written.text, &written.provider).await
}

/// The portrait as it was drawn.
pub async fn painted(tx: &mut Tx, of: &RecordOf, painted: Painted) -> sqlx::Result<()> {
    let portrait = Medium {
        provider: painted.provider,
        state: MediumState::Original,
        ..medium(
            of,
            painted.owner,
            painted.persona,
            (painted.media, MediumKind::Portrait),
            vec![painted.original],
        )
    };
    media::put(tx, &portrait).await
}

/// The portrait in every size, and the card.
pub async fn derived(tx: &mut Tx, of: &RecordOf, derived: Derived) -> sqlx::Result<()> {
    let (owner, persona) = (derived.owner, derived.persona);
    let portrait = Medium {
        provider: derived.painter,
        ..medium(
            of,
            owner,
            persona,
            (derived.portrait, MediumKind::Portrait),
            derived.portrait_variants,
        )
    };
    media::put(tx, &portrait).await?;
    media::put(
        tx,
        &medium(
            of,
            owner,
            persona,
            (derived.card, MediumKind::Card),
            vec![derived.card_variant],
        ),
    )
    .await
}

/// The persona that its owner is met as.
pub async fn activated(tx: &mut Tx, done: ActivatePersona) -> sqlx::Result<()> {
    surveys::mark(tx, done.survey, SurveyStatus::Completed).await?;
    let pictures = Pictures {
        illustration: done.portrait,
        card: done.card,
    };
    personas::activate(tx, done.persona, pictures, done.degraded).await
}

/// No draft, and a survey that can be forged again.
pub async fn draft_discarded(tx: &mut Tx, discarded: DiscardDraft) -> sqlx::Result<()> {
    surveys::reopen(tx, discarded.survey).await?;
    personas::discard(tx, discarded.persona).await
}

/// No picture.
pub async fn picture_discarded(tx: &mut Tx, discarded: DiscardPicture) -> sqlx::Result<()> {
    media::remove(tx, discarded.media).await
}

fn medium(
    of: &RecordOf,
    owner: Uuid,
    persona: Uuid,
    (id, kind): (Uuid, MediumKind),
    variants: Vec<Variant>,
) -> Medium {
    Medium {
        id,
        owner_id: Some(owner),
        entity: ENTITY.to_owned(),
        entity_id: persona,
        kind,
        storage_key: id.to_string(),
        mime: MIME.to_owned(),
        variants,
        // Cards are always composed here; whoever drew a portrait is named over this.
        provider: "local".to_owned(),
        state: MediumState::Ready,
        created_at: of.now,
    }
}
