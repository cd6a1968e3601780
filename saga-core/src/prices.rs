//! What a model's work costs: pure arithmetic over a table that the operator keeps.

use crate::usage::Usage;
use std::collections::{BTreeMap, BTreeSet};

/// Tokens that a price per tokens is for.
const TOKENS: u128 = 1_000_000;
/// More than any one call is taken to cost, so that sums of millions of calls do not run over.
pub const COST_MAX: i64 = i64::MAX / 1_000_000;

/// What one model costs, in millionths of a dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    /// For a million tokens of requests.
    pub input: u64,
    /// For a million tokens of answers.
    pub output: u64,
    /// For each picture.
    pub image: u64,
}

impl Price {
    /// What a call cost; none if its answer did not say what it took of something that has a price.
    pub fn of(self, usage: Usage) -> Option<i64> {
        let untold = |price: u64, count: u64| price > 0 && count == 0;
        let untold = untold(self.input, usage.input_tokens)
            || untold(self.output, usage.output_tokens)
            || untold(self.image, usage.images);
        (!untold).then(|| self.at_most(usage))
    }

    /// What so much costs, rounded up; [`COST_MAX`] if it is more.
    pub fn at_most(self, usage: Usage) -> i64 {
        let of = |price: u64, count: u64| u128::from(price) * u128::from(count);
        let tokens = of(self.input, usage.input_tokens)
            .saturating_add(of(self.output, usage.output_tokens))
            .div_ceil(TOKENS);
        let cost = tokens.saturating_add(of(self.image, usage.images));
        i64::try_from(cost).unwrap_or(COST_MAX).min(COST_MAX)
    }
}

/// What each model costs. A model that is not in the table has no price: its cost is unknown, which is
/// something else than nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices {
    free: BTreeSet<String>,
    known: BTreeMap<(String, String), Price>,
}

impl Prices {
    /// Whatever this provider does costs nothing.
    #[must_use]
    pub fn free(mut self, provider: &str) -> Self {
        self.free.insert(provider.to_owned());
        self
    }

    /// This model of this provider costs so much.
    #[must_use]
    pub fn with(mut self, provider: &str, model: &str, price: Price) -> Self {
        self.known
            .insert((provider.to_owned(), model.to_owned()), price);
        self
    }

    /// What a model costs, if that is known.
    pub fn of(&self, provider: &str, model: &str) -> Option<Price> {
        if self.free.contains(provider) {
            return Some(Price::default());
        }
        let name = (provider.to_owned(), model.to_owned());
        self.known.get(&name).copied()
    }
}

/// Millionths of a dollar as dollars, exactly: at least cents, and no more digits than it takes.
pub fn dollars(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let digits = format!("{:06}", micros % 1_000_000);
    let (cents, rest) = digits.split_at(2);
    let rest = rest.trim_end_matches('0');
    format!("{sign}{}.{cents}{rest}", micros / 1_000_000)
}

/// Reads an amount of dollars as [`dollars`] writes it; none if it is no such amount.
pub fn micros(dollars: &str) -> Option<i64> {
    let (whole, part) = dollars.split_once('.').unwrap_or((dollars, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let part: i64 = format!("{part:0<6}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::{COST_MAX, Price, Prices, dollars, micros};
    use crate::usage::Usage;

    const PRICE: Price = Price {
        input: 2_000_000,
        output: 8_000_000,
        image: 0,
    };

    fn usage(input_tokens: u64, output_tokens: u64, images: u64) -> Usage {
        Usage {
            input_tokens,
            output_tokens,
            images,
        }
    }

    #[test]
    fn tokens_are_added_up_before_they_are_rounded_up() {
        assert_eq!(PRICE.of(usage(1_204, 688, 0)), Some(7_912));
        let cheap = Price {
            input: 1,
            output: 1,
            image: 0,
        };
        assert_eq!(cheap.of(usage(1, 1, 0)), Some(1), "not two");
        let dear = Price {
            input: u64::MAX,
            output: u64::MAX,
            image: u64::MAX,
        };
        for price in [PRICE, dear] {
            let most = price.at_most(usage(u64::MAX, u64::MAX, u64::MAX));
            assert_eq!(most, COST_MAX, "too much is the most there is");
        }
    }

    #[test]
    fn what_an_answer_does_not_tell_is_unknown_and_not_nothing() {
        assert_eq!(PRICE.of(usage(0, 0, 0)), None);
        assert_eq!(PRICE.of(usage(12, 0, 0)), None);
        let picture = Price {
            image: 40_000,
            ..Price::default()
        };
        assert_eq!(picture.of(usage(0, 0, 0)), None);
        assert_eq!(picture.of(usage(0, 0, 2)), Some(80_000));
    }

    #[test]
    fn money_is_told_exactly() {
        let told = [0, 1, 44_100, 2_500_000, -120_000, i64::MAX].map(dollars);
        let meant = [
            "0.00",
            "0.000001",
            "0.0441",
            "2.50",
            "-0.12",
            "9223372036854.775807",
        ];
        assert_eq!(told, meant);
        for amount in [0, 1, 44_100, 2_500_000, i64::MAX] {
            assert_eq!(micros(&dollars(amount)), Some(amount));
        }
        assert_eq!(micros("5"), Some(5_000_000));
        for wrong in ["", ".5", "5.", "-1", "1,5", "1.0000001", "9223372036855"] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_who_is_said_to_be_free_costs_nothing() {
        let prices = Prices::default()
            .free("local")
            .with("openai", "gpt-4.1", PRICE);
        let free = prices.of("local", "phrasebook/1").unwrap();
        assert_eq!(free.of(Usage::default()), Some(0));
        assert_eq!(prices.of("openai", "gpt-4.1"), Some(PRICE));
        assert_eq!(prices.of("openai", "gpt-5"), None);
    }
}
