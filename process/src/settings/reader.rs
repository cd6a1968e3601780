//! Reads one setting after the other, and gathers what is wrong.

use super::mask::{masked, shown};
use super::near::near;
use super::{Problem, Secret, address};
use std::{fs, ops::RangeInclusive, time::Duration};

/// Shortest secret that signs or hashes.
const SECRET_BYTES_MIN: usize = 32;

/// Everything that was found wrong so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
}

/// What was given; empty is nothing.
pub(super) fn text(given: Option<&str>) -> Option<&str> {
    given.map(str::trim).filter(|text| !text.is_empty())
}

impl Reader {
    pub(super) fn problem(&mut self, name: &str, value: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem {
            name: name.to_owned(),
            value: shown(&value.into()), // whichever setting it is: an address may be in the wrong one
            fix: fix.into(),
        });
    }

    /// A secret, from its variable or from the file that another names.
    pub(super) fn secret(
        &mut self,
        name: &str,
        given: Option<&str>,
        file: Option<&str>,
    ) -> Option<Secret> {
        let by_file = format!("{name}_FILE");
        match (text(given), text(file)) {
            (None, None) => None,
            (Some(secret), None) => Some(Secret::new(secret)),
            (Some(_), Some(file)) => {
                self.problem(
                    &by_file,
                    file,
                    format!("{name} is set, too; keep one of the two"),
                );
                None
            }
            (None, Some(file)) => match fs::read_to_string(file) {
                Ok(secret) if !secret.trim().is_empty() => Some(Secret::new(secret.trim())),
                Ok(_) => {
                    self.problem(
                        &by_file,
                        file,
                        format!("the file is empty; {name} goes in it"),
                    );
                    None
                }
                Err(error) => {
                    self.problem(&by_file, file, format!("cannot be read: {error}"));
                    None
                }
            },
        }
    }

    pub(super) fn signing(
        &mut self,
        name: &str,
        given: Option<&str>,
        file: Option<&str>,
        required: bool,
    ) -> Option<Secret> {
        let before = self.problems.len();
        let secret = self.secret(name, given, file);
        let fix = format!("needs {SECRET_BYTES_MIN} bytes or more; make one: openssl rand -hex 32");
        match &secret {
            Some(short) if short.reveal().len() < SECRET_BYTES_MIN => {
                self.problem(name, format!("*** ({} bytes)", short.reveal().len()), fix);
            }
            None if required && self.problems.len() == before => self.problem(name, "not set", fix),
            Some(_) | None => {}
        }
        secret
    }

    pub(super) fn address(
        &mut self,
        name: &str,
        url: &Secret,
        check: fn(&str) -> Result<(), String>,
    ) {
        if let Err(fix) = check(url.reveal()) {
            self.problem(name, masked(url.reveal()), fix);
        }
    }

    pub(super) fn url(&mut self, name: &str, given: Option<&str>, default: &str) -> String {
        let url = text(given).unwrap_or(default).trim_end_matches('/');
        if let Err(fix) = address::web(url) {
            self.problem(name, masked(url), fix);
        }
        url.to_owned()
    }

    /// Values with commas between, each of which must pass the check.
    pub(super) fn list(
        &mut self,
        name: &str,
        given: Option<&str>,
        check: fn(&str) -> Result<(), String>,
    ) -> Vec<String> {
        let all = text(given).unwrap_or_default().split(',');
        let each: Vec<&str> = all.filter_map(|one| text(Some(one))).collect();
        for one in &each {
            if let Err(fix) = check(one) {
                self.problem(name, format!("{one:?}"), fix);
            }
        }
        each.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        name: &str,
        given: Option<&str>,
        default: T,
        known: &[(&str, T)],
    ) -> T {
        let Some(word) = text(given) else {
            return default;
        };
        if let Some((_, value)) = known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))
        {
            return *value;
        }
        let list = known
            .iter()
            .map(|(known, _)| *known)
            .collect::<Vec<_>>()
            .join(", ");
        let meant = near(&word.to_lowercase(), known.iter().map(|(known, _)| *known));
        let guess = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        self.problem(
            name,
            format!("{word:?}"),
            format!("unknown; {guess}one of: {list}"),
        );
        default
    }

    pub(super) fn parse<T: std::str::FromStr>(
        &mut self,
        name: &str,
        given: Option<&str>,
        default: T,
        wanted: &str,
    ) -> T {
        let Some(word) = text(given) else {
            return default;
        };
        word.parse().unwrap_or_else(|_| {
            self.problem(name, format!("{word:?}"), format!("must be {wanted}"));
            default
        })
    }

    pub(super) fn number<T>(
        &mut self,
        name: &str,
        given: Option<&str>,
        default: T,
        range: RangeInclusive<T>,
    ) -> T
    where
        T: std::str::FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let Some(word) = text(given) else {
            return default;
        };
        match word.parse() {
            Ok(number) if range.contains(&number) => number,
            Ok(_) | Err(_) => {
                let fix = format!(
                    "must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                );
                self.problem(name, format!("{word:?}"), fix);
                default
            }
        }
    }

    pub(super) fn seconds(
        &mut self,
        name: &str,
        given: Option<&str>,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Duration {
        let Some(word) = text(given) else {
            return Duration::from_secs_f64(default);
        };
        match word.parse::<f64>() {
            Ok(seconds) if range.contains(&seconds) => Duration::from_secs_f64(seconds),
            Ok(_) | Err(_) => {
                self.problem(
                    name,
                    format!("{word:?}"),
                    format!(
                        "must be a number of seconds from {} to {}",
                        range.start(),
                        range.end()
                    ),
                );
                Duration::from_secs_f64(default)
            }
        }
    }
}
