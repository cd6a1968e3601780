//! How long ten thousand ideas take to be read, compared and grouped, and how much memory.

use anyhow::{Context as _, Result};
use domain::topics::cluster::cluster;
use domain::topics::embed::embed;
use domain::topics::keywords::keywords;
use domain::topics::sample::{NEIGHBOURHOOD, RIVERSIDE, read};
use std::time::{Duration, Instant};

const IDEAS: usize = 10_000;
/// The longest that it may take.
const SECONDS_MAX: u64 = 60;
/// The most memory that the process may have held at once, in MiB.
const MEBIBYTES_MAX: u64 = 300;

/// What grouping took.
pub(crate) struct Grouped {
    groups: usize,
    noise: usize,
    embedding: Duration,
    whole: Duration,
    mebibytes: u64,
}

/// Groups ideas in this process, which must have done nothing large before: its peak is told.
pub(crate) fn group() -> Result<Grouped> {
    let ideas = written();
    let texts: Vec<&str> = ideas.iter().map(String::as_str).collect();
    let started = Instant::now();
    let vectors = embed(&texts);
    let embedding = started.elapsed();
    let labels = cluster(&vectors, 3);
    let words = keywords(&texts, &labels);
    Ok(Grouped {
        groups: words.len(),
        noise: labels.iter().filter(|label| **label < 0).count(),
        embedding,
        whole: started.elapsed(),
        mebibytes: peak()?,
    })
}

impl Grouped {
    /// Whether the bars hold.
    pub(crate) fn holds(&self) -> bool {
        self.whole < Duration::from_secs(SECONDS_MAX) && self.mebibytes < MEBIBYTES_MAX
    }

    /// In a line.
    pub(crate) fn told(&self) -> String {
        format!(
            "{IDEAS} ideas: {} groups, {} in none; {:.1} s (vectors {:.1} s) of at most {SECONDS_MAX}, \
             {} MiB at the most of {MEBIBYTES_MAX}",
            self.groups,
            self.noise,
            self.whole.as_secs_f64(),
            self.embedding.as_secs_f64(),
            self.mebibytes
        )
    }
}

/// Ideas like those of the samples, no two the same: the beginning of one and the end of another of its theme.
fn written() -> Vec<String> {
    let samples: Vec<(&str, &str)> = read(NEIGHBOURHOOD)
        .into_iter()
        .chain(read(RIVERSIDE))
        .collect();
    (0..IDEAS)
        .map(|at| {
            let (theme, first) = samples[at % samples.len()];
            let like: Vec<&str> = samples
                .iter()
                .filter(|one| one.0 == theme)
                .map(|one| one.1)
                .collect();
            let second = like[(at / samples.len()) % like.len()];
            let first: Vec<&str> = first.split(' ').take(6 + at % 11).collect();
            let second: Vec<&str> = second.split(' ').skip(at % 7).collect();
            format!(
                "{} {} by house{}",
                first.join(" "),
                second.join(" "),
                at % 4001
            )
        })
        .collect()
}

/// The most memory that this process has held, in MiB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("reading the peak")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kibibytes.context("there is no peak")? / 1024)
}
