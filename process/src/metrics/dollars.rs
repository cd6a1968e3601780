//! Tells in dollars what is counted in millionths of them: a counter of this program is a whole number.

use super::described::COST;
use saga_core::prices;

/// The page with its money in dollars.
pub(super) fn told(page: &str) -> String {
    let line = |line: &str| match counted(line) {
        Some((series, micros)) => format!("{series} {}\n", prices::dollars(micros)),
        None => format!("{line}\n"),
    };
    page.lines().map(line).collect()
}

/// A line of the counter: which series, and its count.
fn counted(line: &str) -> Option<(&str, i64)> {
    line.strip_prefix(COST)?.strip_prefix('{')?;
    let (series, count) = line.rsplit_once(' ')?;
    Some((series, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn only_money_is_told_in_another_unit() {
        let page = "# TYPE chorus_provider_cost_usd_total counter
chorus_provider_cost_usd_total{provider=\"openai\",model=\"gpt 4\"} 44100

chorus_provider_tokens_total{provider=\"openai\"} 44100
";
        let meant = page.replacen("} 44100", "} 0.0441", 1);
        assert_eq!(told(page), meant);
    }
}
