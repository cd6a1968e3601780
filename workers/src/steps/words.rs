//! Has a model write something of ours, and mend it once if it will not do.

use super::judge;
use crate::providers::{Call, Prompt, TextModel, Unreadable, parse_json, repair_prompt};
use saga_core::usage::Usage;
use saga_core::{Provider, Reply, StepContext, StepError};
use serde::de::DeserializeOwned;

/// Words that will not do.
struct Bad {
    words: String,
    /// Why, for the model: may name what it took from people's own words.
    why: String,
    /// Why, for logs and letters: names nothing but our own fields.
    told: String,
}

/// Asks for words, and a second time if `check` finds something wrong with the first. Each call is paid for
/// once, however often the step is done.
pub(super) async fn written<T: DeserializeOwned>(
    text: &dyn TextModel,
    prompt: &Prompt,
    check: impl Fn(&T) -> Result<(), Vec<String>>,
    cx: &StepContext,
) -> Result<(T, Usage), StepError> {
    let (first, mut usage) = ask(text, "write", prompt, cx).await?;
    let bad = match first.and_then(|words| judged(words, &check)) {
        Ok(written) => return Ok((written, usage)),
        Err(bad) => bad,
    };
    tracing::info!(why = bad.told, "The words will not do and are sent back");
    let again = repair_prompt(prompt, &bad.words, &bad.why);
    let (second, more) = ask(text, "repair", &again, cx).await?;
    usage = usage + more;
    second
        .and_then(|words| judged(words, &check))
        .map(|written| (written, usage))
        .map_err(|bad| StepError::content(format!("unusable, twice: {}", bad.told)))
}

/// One paid call; its answer is stored before it is read.
async fn ask(
    text: &dyn TextModel,
    name: &str,
    prompt: &Prompt,
    cx: &StepContext,
) -> Result<(Result<String, Bad>, Usage), StepError> {
    let (provider, model) = (text.provider(), text.model());
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
            let answer = text.send(prompt, &call).await.map_err(judge::call)?;
            Ok(Reply {
                usage: text.usage(&answer.raw),
                patience: answer.patience,
                raw: answer.raw,
            })
        })
        .await?;
    let usage = text.usage(&raw);
    tracing::info!(
        provider,
        model,
        usage.input_tokens,
        usage.output_tokens,
        "A text call is answered"
    );
    match text.read(&raw) {
        Ok(completion) => Ok((Ok(completion.text), usage)),
        Err(Unreadable::Content { detail }) => Ok((Err(Bad::shape(String::new(), detail)), usage)),
        Err(error @ (Unreadable::Garbled { .. } | Unreadable::Refused { .. })) => {
            Err(judge::answer(error))
        }
    }
}

fn judged<T: DeserializeOwned>(
    words: String,
    check: impl Fn(&T) -> Result<(), Vec<String>>,
) -> Result<T, Bad> {
    let written: T = match parse_json(&words) {
        Ok(written) => written,
        Err(error) => return Err(Bad::shape(words, error.detail().to_owned())),
    };
    match check(&written) {
        Ok(()) => Ok(written),
        Err(problems) => Err(Bad::content(words, &problems)),
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

    /// Words that break rules: whoever must not see people's own words is told which field breaks one.
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
