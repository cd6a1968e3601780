//! The most that may be spent on models, as the operator sets it.

use super::prices::unpriced;
use super::reader::{Reader, text};
use super::{Given, Models};
use saga_core::{Caps, Prices};

const SAGA: &str = "AI_SAGA_BUDGET_MICROS";
const ACCOUNT: &str = "AI_ACCOUNT_DAILY_BUDGET_MICROS";
const ALL: &str = "AI_DAILY_BUDGET_MICROS";
/// A billion dollars.
const MICROS_MAX: i64 = 1_000_000_000_000_000;

impl Reader {
    /// The caps. A model without a price could not be kept below one, so then it needs its price.
    pub(super) fn caps(&mut self, given: &Given, models: &Models, prices: &Prices) -> Caps {
        let caps = Caps {
            saga: self.cap(SAGA, given.ai_saga_budget_micros.as_deref()),
            account: self.cap(ACCOUNT, given.ai_account_daily_budget_micros.as_deref()),
            all: self.cap(ALL, given.ai_daily_budget_micros.as_deref()),
        };
        if caps != Caps::default() {
            for model in unpriced(models, prices) {
                let fix = "has no price, and with a budget it needs one: see deploy/prices.json";
                self.problem("PRICES", model, fix);
            }
        }
        caps
    }

    fn cap(&mut self, name: &str, given: Option<&str>) -> Option<i64> {
        text(given)?;
        Some(self.number(name, given, 0, 0..=MICROS_MAX))
    }
}
