//! `persona.write`: has the character's words written, and mended once if they will not do.

use super::judge;
use crate::providers::{Call, Prompt, TextModel, Unreadable, parse_json, repair_prompt};
use domain::accounts;
use domain::mirror::forge::{WritePersona, Written};
use domain::mirror::material::Material;
use domain::mirror::persona_text::{PersonaText, check};
use domain::mirror::prompts;
use domain::mirror::store::{forging, responses, surveys};
use saga_core::db::{Db, Tx};
use saga_core::usage::Usage;
use saga_core::{Handler, Provider, RecordOf, Reply, StepContext, StepError};
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

/// Words that will not do.
struct Bad {
    words: String,
    /// Why, for the model: may name what it took from the answers.
    why: String,
    /// Why, for logs and letters: names nothing but our own fields.
    told: String,
}

impl Handler<WritePersona> for Writer {
    async fn run(&self, step: WritePersona, cx: &StepContext) -> Result<Written, StepError> {
        let material = material(cx.store().db(), &step).await?;
        let prompt = prompt(&material)?;
        let (first, mut usage) = self.ask("write", &prompt, &material, cx).await?;
        let text = match first {
            Ok(text) => text,
            Err(bad) => {
                tracing::info!(why = bad.told, "The words will not do and are sent back");
                let again = repair_prompt(&prompt, &bad.words, &bad.why);
                let (second, more) = self.ask("repair", &again, &material, cx).await?;
                usage = usage + more;
                second
                    .map_err(|bad| StepError::content(format!("unusable, twice: {}", bad.told)))?
            }
        };
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

impl Writer {
    /// One paid call; its answer is stored before it is read.
    async fn ask(
        &self,
        name: &str,
        prompt: &Prompt,
        material: &Material,
        cx: &StepContext,
    ) -> Result<(Result<PersonaText, Bad>, Usage), StepError> {
        let (provider, model) = (self.text.provider(), self.text.model());
        let asked = Provider {
            name: provider,
            model,
            purpose: prompt.purpose,
            request_hash: judge::hash(prompt)?,
            most: prompt.most(),
            idempotent: false,
        };
        let request_id = cx.request_id.clone();
        let raw = cx
            .effect(name, asked, |idempotency_key| async move {
                let call = Call {
                    idempotency_key,
                    request_id,
                };
                let answer = self.text.send(prompt, &call).await.map_err(judge::call)?;
                Ok(Reply {
                    usage: self.text.usage(&answer.raw),
                    patience: answer.patience,
                    raw: answer.raw,
                })
            })
            .await?;
        let usage = self.text.usage(&raw);
        tracing::info!(
            provider,
            model,
            usage.input_tokens,
            usage.output_tokens,
            "A text call is answered"
        );
        match self.text.read(&raw) {
            Ok(completion) => Ok((judged(completion.text, material), usage)),
            Err(Unreadable::Content { detail }) => {
                Ok((Err(Bad::shape(String::new(), detail)), usage))
            }
            Err(error @ (Unreadable::Garbled { .. } | Unreadable::Refused { .. })) => {
                Err(judge::answer(error))
            }
        }
    }
}

impl Bad {
    /// Words that cannot even be read; what is wrong is told in ours.
    fn shape(words: String, detail: String) -> Self {
        Self {
            words,
            told: detail.clone(),
            why: detail,
        }
    }

    /// Words that break rules: whoever must not see an answer is told which field breaks one.
    fn content(words: String, problems: &[String]) -> Self {
        let mut fields: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.split_whitespace().next())
            .collect();
        fields.dedup();
        Self {
            words,
            why: problems.join("; "),
            told: format!("{} breaks the rules", fields.join(", ")),
        }
    }
}

fn judged(words: String, material: &Material) -> Result<PersonaText, Bad> {
    let text: PersonaText = match parse_json(&words) {
        Ok(text) => text,
        Err(error) => return Err(Bad::shape(words, error.detail().to_owned())),
    };
    match check(&text, material) {
        Ok(()) => Ok(text),
        Err(problems) => Err(Bad::content(words, &problems)),
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
