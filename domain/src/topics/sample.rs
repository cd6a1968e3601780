//! Ideas written for tests and demonstrations, each with the theme that its writer had in mind.

/// Thirty-nine ideas in themes of 11, 9, 8, 5, 4 and 2.
pub const NEIGHBOURHOOD: &str = include_str!("samples/neighbourhood.txt");

/// Thirty-one ideas in themes of 7, 6, 5 and 4, and nine that belong to none.
pub const RIVERSIDE: &str = include_str!("samples/riverside.txt");

/// Thirty-nine other ideas, ten of which belong to no theme; nothing is ever tuned on these.
pub const HELD_BACK: &str = include_str!("samples/held_back.txt");

/// The theme of an idea that has none.
pub const NO_THEME: &str = "none";

/// Reads a sample: pairs of theme and idea, in the file's order.
pub fn read(sample: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut theme = NO_THEME;
    let mut ideas = Vec::new();
    for line in sample.lines().filter(|line| !line.starts_with('#')) {
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(name) => theme = name,
            None if line.trim().is_empty() => {}
            None => ideas.push((theme, line)),
        }
    }
    ideas
}
