//! Guesses what a misspelt word was to be.

/// The known word within two slips of the pen, if there is one.
pub(super) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = if word.len() > 5 { 2 } else { 1 };
    let slips = |candidate: &&str| distance(word, candidate);
    let best = known.into_iter().min_by_key(slips)?;
    (1..=limit).contains(&distance(word, best)).then_some(best)
}

/// How many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_slip_of_the_pen_is_seen_and_another_word_is_not() {
        let known = ["DATABASE_URL", "AMQP_URL", "PORT"];
        assert_eq!(near("DATABSE_URL", known), Some("DATABASE_URL"));
        assert_eq!(near("AMQP_URI", known), Some("AMQP_URL"));
        assert_eq!(near("PATH", known), None);
        assert_eq!(near("PORT", known), None);
    }
}
