//! `persona.write`: has the character's words written, and mended once if they will not do.

use super::words;
use crate::providers::{Prompt, TextModel};
use domain::accounts;
use domain::mirror::forge::{WritePersona, Written};
use domain::mirror::material::Material;
use domain::mirror::persona_text::{PersonaText, check};
use domain::mirror::prompts;
use domain::mirror::store::{forging, responses, surveys};
use saga_core::db::{Db, Tx};
use saga_core::{Handler, RecordOf, StepContext, StepError};
use std::sync::Arc;

/// The longest answer that is paid for: all five fields at their longest, with room to spare.
const TOKENS_MAX: u32 = 1_500;
/// Free enough that two forges of the same answers differ.
const TEMPERATURE: f32 = 0.8;

/// Does `persona.write`.
pub struct Writer {
    /// Who writes.
    pub text: Arc<dyn TextModel>,
}

impl Handler<WritePersona> for Writer {
    async fn run(&self, step: WritePersona, cx: &StepContext) -> Result<Written, StepError> {
        let material = material(cx.store().db(), &step).await?;
        let prompt = prompt(&material)?;
        let fits = |text: &PersonaText| check(text, &material);
        let (text, usage) = words::written(self.text.as_ref(), &prompt, fits, cx).await?;
        Ok(Written {
            persona: step.persona,
            text,
            provider: self.text.provider().to_owned(),
            usage,
        })
    }

    async fn record(&self, written: Written, _: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        forging::written(tx, written)
            .await
            .map_err(StepError::retry)
    }
}

/// The same answers that were added up, however many came since.
async fn material(db: &Db, step: &WritePersona) -> Result<Material, StepError> {
    let answers = responses::up_to(db, step.survey, step.responses)
        .await
        .map_err(StepError::retry)?;
    let survey = surveys::find(db, step.survey)
        .await
        .map_err(StepError::retry)?;
    let survey = survey.ok_or_else(|| StepError::fail("the survey is gone"))?;
    let owner = accounts::store::find(db, survey.owner_id)
        .await
        .map_err(StepError::retry)?;
    // The name of those who gave none is nobody's: its words may be used.
    let name = owner
        .map(|account| account.display_name)
        .filter(|name| name != accounts::store::NAME_DEFAULT);
    Ok(Material::gather(
        &answers,
        step.mode,
        step.archetype,
        super::seed(step.persona),
        name,
    ))
}

fn prompt(material: &Material) -> Result<Prompt, StepError> {
    let prompts::Prompt { system, user } = prompts::prompt(material);
    Ok(Prompt {
        system,
        user,
        json: true,
        tokens_max: TOKENS_MAX,
        temperature: TEMPERATURE,
        purpose: "persona",
        material: serde_json::to_value(material).map_err(StepError::fail)?,
    })
}
