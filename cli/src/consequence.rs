//! Tells what came of a decision, or would come of it.

use crate::terminal;
use serde_json::Value;

/// Reads JSON that was typed.
pub(crate) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("this is no JSON ({error}); quote texts: '\"yes\"'"))
}

/// Says what a decision comes to.
pub(crate) fn say(told: &Value, json: bool) {
    if json {
        return terminal::line(told);
    }
    let consequence = &told["consequence"];
    let steps = |name: &str| {
        let steps = consequence[name].as_array().into_iter().flatten();
        steps.filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let (was, state) = (&consequence["was"], &consequence["state"]);
    let word = |word: &Value| word.as_str().unwrap_or_default().to_owned();
    terminal::line(format!("{} → {}", word(was), word(state)));
    if let Some(job) = consequence["starts"].as_str() {
        terminal::line(format!("  {job} begins"));
    }
    for (name, what) in [("runs", "runs"), ("held", "is held")] {
        for step in steps(name) {
            terminal::line(format!("  {step} {what}"));
        }
    }
    terminal::line(format!(
        "  {} finished steps and {} paid answers are kept, {} paid calls are made again",
        consequence["kept"], consequence["calls_kept"], consequence["calls_again"]
    ));
    let usd = |name: &str| consequence[name].as_str().unwrap_or("0.00").to_owned();
    let (again, saved) = (usd("spends_again_usd"), usd("saves_usd"));
    if [&again, &saved].iter().any(|usd| *usd != "0.00") {
        let would = "as far as costs are known";
        terminal::line(format!(
            "  {again} USD are spent again, {saved} USD saved, {would}"
        ));
    }
    if told["dry_run"] == true {
        terminal::line("Nothing was done.");
    }
}
