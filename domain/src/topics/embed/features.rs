//! A text as weighted features: stems, what they are about, and pieces of rare words.

use std::collections::{BTreeMap, BTreeSet};

use super::super::lexicon::LEXICON;
use crate::mirror::words::{SENTENCE, plain, stem, words};

/// Weight of a word that the lexicon knows.
const WORD: f32 = 0.5;
/// Weight of any other word: most that two texts share is chance.
const UNKNOWN: f32 = 0.3;
/// Weight of what a word is about.
const SUBJECT: f32 = 3.2;
/// Weight of the wider field of it.
const FIELD: f32 = 0.4;
/// Weight of all pieces of a word together: endings that no stemmer knows, and other languages.
const PIECES: f32 = 0.6;
/// Letters in a piece.
const PIECE: usize = 5;

/// One text, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    /// How often and how strongly each feature is there.
    features: BTreeMap<String, f32>,
}

/// A row of a sparse matrix: columns in rising order with their weights.
pub(super) type Row = Vec<(u32, f32)>;

impl Reading {
    /// Reads a text.
    pub(super) fn of(text: &str) -> Self {
        let mut features: BTreeMap<String, f32> = BTreeMap::new();
        let mut add = |name: String, weight: f32| *features.entry(name).or_default() += weight;
        for word in words(text, SENTENCE) {
            let plain = plain(word.text);
            if LEXICON.is_stop(&plain) {
                continue;
            }
            let stem = stem(&plain);
            for subject in LEXICON.subjects(&stem) {
                add(format!("s {}", subject.name), SUBJECT);
                add(format!("f {}", subject.field), FIELD);
            }
            let letters: Vec<char> = stem.chars().collect();
            if letters.len() > PIECE {
                let pieces: BTreeSet<String> = letters
                    .windows(PIECE)
                    .map(|piece| piece.iter().collect())
                    .collect();
                let share = PIECES / number(pieces.len()).sqrt();
                for piece in pieces {
                    add(format!("p {piece}"), share);
                }
            }
            let known = LEXICON.subjects(&stem).next().is_some();
            add(format!("w {stem}"), if known { WORD } else { UNKNOWN });
        }
        Self { features }
    }
}

/// Weighs the features by how rare they are in the batch. What only one text has says nothing of its
/// likeness to others and is left out; what all have weighs nothing.
pub(super) fn weigh(readings: &[Reading]) -> Vec<Row> {
    let mut texts: BTreeMap<&str, usize> = BTreeMap::new();
    for reading in readings {
        for name in reading.features.keys() {
            *texts.entry(name).or_default() += 1_usize;
        }
    }
    texts.retain(|_, count| *count > 1);
    let all = number(readings.len());
    let columns: BTreeMap<&str, (u32, f32)> = texts
        .into_iter()
        .zip(0..)
        .map(|((name, count), at)| (name, (at, (all / number(count)).ln())))
        .collect();
    readings
        .iter()
        .map(|reading| {
            let row: Row = reading
                .features
                .iter()
                .filter_map(|(name, amount)| {
                    let (column, rarity) = columns.get(name.as_str())?;
                    Some((*column, amount.sqrt() * rarity))
                })
                .collect();
            unit(row)
        })
        .collect()
}

fn unit(mut row: Row) -> Row {
    let length = row.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for (_, x) in &mut row {
            *x /= length;
        }
    }
    row
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of texts and letters are far below the 16 million that an f32 counts to"
)]
fn number(count: usize) -> f32 {
    count as f32
}
