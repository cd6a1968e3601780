//! What is wrong with the settings, all of it at once, each with its fix.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The setting.
    pub name: String,
    /// What it is now, masked where it is secret.
    pub value: String,
    /// What is wrong, and what to do.
    pub fix: String,
}

/// Everything that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problems) = self;
        let (count, s) = (problems.len(), if problems.len() == 1 { "" } else { "s" });
        writeln!(f, "error: {count} configuration problem{s}")?;
        let width = |of: fn(&Problem) -> &str| {
            problems
                .iter()
                .map(|problem| of(problem).chars().count())
                .max()
                .unwrap_or(0)
        };
        let (names, values) = (
            width(|problem| &problem.name),
            width(|problem| &problem.value),
        );
        for Problem { name, value, fix } in problems {
            writeln!(f, "  {name:names$}   {value:values$}   {fix}")?;
        }
        write!(
            f,
            "try: chorus config check, which shows every setting and where it comes from"
        )
    }
}
