//! Chooses what is written from what can be written.

use super::Card;
use crate::lettering::Lettering;

/// The texts of a card, ready for the font.
pub(super) struct Words {
    pub heading: String,
    pub title: Option<String>,
    pub archetype: String,
    pub rarity: Option<String>,
    pub traits: Vec<String>,
    pub maker: String,
}

impl Words {
    pub(super) fn of(card: &Card<'_>, letters: &Lettering) -> Words {
        let archetype = letters
            .spell(card.archetype)
            .map_or_else(|| "Persona".to_owned(), |word| capital(&word));
        let title = letters.spell(card.title);
        let (heading, title) = match (letters.spell(card.name), title) {
            (Some(name), title) => (name, title),
            (None, Some(title)) => (title, None),
            (None, None) => (format!("The {archetype}"), None),
        };
        let maker = letters.spell(card.provider).map_or_else(
            || "made by a model".to_owned(),
            |provider| format!("made by the {provider} provider"),
        );
        Words {
            heading,
            title,
            archetype,
            rarity: letters.spell(card.rarity).map(|word| capital(&word)),
            traits: card
                .traits
                .iter()
                .filter_map(|word| letters.spell(word))
                .take(6)
                .collect(),
            maker,
        }
    }
}

fn capital(word: &str) -> String {
    let mut signs = word.chars();
    let first = signs.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(signs).collect()
}

/// One line while it stays large, else two broken near the middle.
pub(super) fn heading(text: &str, letters: &Lettering, wide: f32) -> Vec<(String, f32)> {
    let (line, size) = letters.fit(text, (50.0, 70.0), wide);
    if line == text {
        return vec![(line, size)];
    }
    let middle = letters.width(text, 1.0) / 2.0;
    let distance = |at: usize| (letters.width(&text[..at], 1.0) - middle).abs();
    let nearest = text
        .match_indices(' ')
        .map(|(at, _)| at)
        .min_by(|one, other| distance(*one).total_cmp(&distance(*other)));
    let Some(at) = nearest else {
        return vec![letters.fit(text, (34.0, 70.0), wide)];
    };
    let (first, second) = (&text[..at], &text[at + 1..]);
    let (_, one) = letters.fit(first, (34.0, 54.0), wide);
    let (_, other) = letters.fit(second, (34.0, 54.0), wide);
    let size = one.min(other);
    [first, second]
        .map(|part| letters.fit(part, (size, size), wide))
        .to_vec()
}
