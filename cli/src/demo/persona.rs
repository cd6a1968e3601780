//! A persona, as it is printed.

use crate::terminal::{self, Terminal, Tone, wrap};
use serde_json::Value;

/// Cells of a full bar.
const BAR: u64 = 24;
const STATS: [(&str, &str); 4] = [
    ("Charisma", "charisma"),
    ("Intellect", "intellect"),
    ("Kindness", "kindness"),
    ("Energy", "energy"),
];

/// Prints a persona as `GET /api/v1/personas/me` tells it.
pub(super) fn print(terminal: &Terminal, told: &Value) {
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let line = |text: String| terminal::line(format!("  {text}").trim_end());
    let rarity = terminal.paint(rarity_tone(text("rarity")), text("rarity"));
    line(terminal.paint(Tone::Accent, format!("{}, {}", text("name"), text("title"))));
    line(format!("{} · {rarity}", text("archetype")));
    if told["degraded"] == true {
        line(terminal.paint(Tone::Warn, "degraded: a picture is missing"));
    }
    line(String::new());
    for (label, name) in STATS {
        let value = told["stats"][name].as_u64().unwrap_or(0);
        line(format!("{label:<10} {} {value:>3}", bar(terminal, value)));
    }
    line(String::new());
    for paragraph in wrap(text("persona_prompt"), terminal.width.saturating_sub(4)) {
        line(paragraph);
    }
    line(String::new());
    for (at, greeting) in wrap(text("greeting"), terminal.width.saturating_sub(8))
        .into_iter()
        .enumerate()
    {
        line(format!(
            "{} {}",
            terminal.paint(Tone::Accent, if at == 0 { "“" } else { " " }),
            terminal.paint(Tone::Strong, greeting)
        ));
    }
    line(String::new());
    line(terminal.paint(Tone::Quiet, format!("Provider: {}", text("provider"))));
}

fn bar(terminal: &Terminal, value: u64) -> String {
    let full = usize::try_from((value.min(100) * BAR + 50) / 100).unwrap_or(0);
    let empty = usize::try_from(BAR).unwrap_or(0).saturating_sub(full);
    format!(
        "{}{}",
        terminal.paint(Tone::Busy, "█".repeat(full)),
        terminal.paint(Tone::Quiet, "░".repeat(empty))
    )
}

fn rarity_tone(rarity: &str) -> Tone {
    match rarity {
        "legendary" => Tone::Warn,
        "epic" => Tone::Accent,
        "rare" => Tone::Busy,
        _ => Tone::Quiet,
    }
}
