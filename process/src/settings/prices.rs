//! What models cost, as the operator writes it down: JSON, inline or in a file.

use super::reader::{Reader, text};
use super::{Given, Models, ProviderName};
use saga_core::{Price, Prices};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The provider that costs nothing.
const LOCAL: &str = "local";
const OPENAI: &str = "openai";
const NAME: &str = "PRICES";

/// A price as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    input_micros_per_million_tokens: u64,
    #[serde(default)]
    output_micros_per_million_tokens: u64,
    #[serde(default)]
    micros_per_image: u64,
    /// Where the number is from, and as of when: for people.
    #[serde(default, rename = "source")]
    _source: String,
}

type Table = BTreeMap<String, BTreeMap<String, Written>>;

impl Reader {
    pub(super) fn prices(&mut self, given: &Given) -> Prices {
        let mut prices = Prices::default().free(LOCAL);
        let Some(given) = text(given.prices.as_deref()) else {
            return prices;
        };
        let (shown, table) = if given.starts_with('{') {
            ("a table".to_owned(), given.to_owned())
        } else {
            match std::fs::read_to_string(given) {
                Ok(table) => (given.to_owned(), table),
                Err(error) => {
                    let fix = format!("cannot be read: {error}; name a file, or write JSON");
                    self.problem(NAME, given, fix);
                    return prices;
                }
            }
        };
        match serde_json::from_str::<Table>(&table) {
            Ok(table) => {
                for (provider, models) in table {
                    for (model, price) in models {
                        if price.is_nothing() {
                            let which = format!("{provider}/{model}");
                            let fix = "has no price in it; what nobody knows is left out";
                            self.problem(NAME, which, fix);
                        }
                        prices = prices.with(&provider, &model, price.into());
                    }
                }
            }
            Err(error) => {
                let example = r#"{"openai": {"gpt-4.1": {"input_micros_per_million_tokens": 2000000, "output_micros_per_million_tokens": 8000000}}}"#;
                self.problem(NAME, shown, format!("{error}; write it so: {example}"));
            }
        }
        prices
    }
}

impl Written {
    fn is_nothing(&self) -> bool {
        let prices = [
            self.input_micros_per_million_tokens,
            self.output_micros_per_million_tokens,
            self.micros_per_image,
        ];
        prices == [0; 3]
    }
}

impl From<Written> for Price {
    fn from(written: Written) -> Self {
        Self {
            input: written.input_micros_per_million_tokens,
            output: written.output_micros_per_million_tokens,
            image: written.micros_per_image,
        }
    }
}

/// A warning for each model in use whose cost nobody knows.
pub(super) fn unpriced(models: &Models, prices: &Prices) -> Vec<String> {
    let used = [
        (models.text_provider, &models.text_model),
        (models.image_provider, &models.image_model),
        (models.embed_provider, &models.embed_model),
    ];
    let paid = used
        .into_iter()
        .filter(|(provider, _)| *provider == ProviderName::Openai);
    paid.filter(|(_, model)| prices.of(OPENAI, model).is_none())
        .map(|(_, model)| {
            format!("PRICES has no price for the model {model}: what its calls cost stays unknown")
        })
        .collect()
}
