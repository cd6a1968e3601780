//! What Prometheus is told, read as strictly as its rules for names are meant.

use std::collections::{BTreeMap, BTreeSet};

/// One scrape.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    help: BTreeMap<String, String>,
    shape: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    /// Reads a scrape; whatever is no line of the format ends the test.
    pub(crate) fn read(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                let before = read.help.insert(name.to_owned(), help.to_owned());
                assert_eq!(before, None, "explained twice: {line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, shape) = rest.split_once(' ').unwrap();
                let before = read.shape.insert(name.to_owned(), shape.to_owned());
                assert_eq!(before, None, "typed twice: {line}");
            } else {
                read.samples.push(Sample::read(line));
            }
        }
        read
    }

    /// Every metric, with its type and the names of its labels.
    pub(crate) fn families(&self) -> BTreeMap<&str, (&str, BTreeSet<&str>)> {
        let mut families = BTreeMap::<&str, (&str, BTreeSet<&str>)>::new();
        for sample in &self.samples {
            let (name, shape) = self.family(sample);
            let labels = sample.labels.keys().map(String::as_str);
            let (_, known) = families.entry(name).or_insert((shape, BTreeSet::new()));
            known.extend(labels.filter(|label| *label != "le"));
        }
        families
    }

    /// The sum of all samples of this name that have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            let label = |(name, value): &(&str, &str)| {
                sample.labels.get(*name).map(String::as_str) == Some(*value)
            };
            sample.name == name && labels.iter().all(label)
        };
        self.samples
            .iter()
            .filter(has)
            .map(|sample| sample.value)
            .sum()
    }

    /// Checks the names, the labels and the histograms.
    #[track_caller]
    pub(crate) fn lint(&self) {
        assert!(!self.samples.is_empty(), "nothing is told");
        for (name, (shape, labels)) in self.families() {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(
                name.starts_with("chorus_") && name.chars().all(plain),
                "{name}"
            );
            assert!(
                self.help.get(name).is_some_and(|help| !help.is_empty()),
                "{name} has no HELP"
            );
            assert_eq!(
                name.ends_with("_total"),
                shape == "counter",
                "{name} is a {shape}"
            );
            let is_time = ["_duration", "_age", "_lag", "_wait"]
                .iter()
                .any(|word| name.contains(word));
            assert_eq!(name.ends_with("_seconds"), is_time, "{name}");
            assert!(is_time || shape != "histogram", "{name} has no unit");
            for label in labels {
                assert!(
                    label.chars().all(plain) && !label.ends_with("id"),
                    "{name}: {label}"
                );
            }
        }
        for sample in &self.samples {
            let labels = sample.labels.iter();
            for (label, value) in labels.filter(|(label, _)| *label != "commit") {
                assert!(!is_id(value), "{}: {label} is an id: {value}", sample.name);
            }
        }
        self.lint_histograms();
    }

    /// Buckets hold what the smaller ones hold, and the last one holds all.
    fn lint_histograms(&self) {
        let mut filled = BTreeMap::<(&str, Vec<(&String, &String)>), f64>::new();
        for sample in &self.samples {
            let (name, shape) = self.family(sample);
            if shape != "histogram" {
                continue;
            }
            let labels = sample.labels.iter().filter(|(name, _)| *name != "le");
            let series = (name, labels.collect::<Vec<_>>());
            if sample.name.ends_with("_bucket") {
                let before = filled.insert(series, sample.value).unwrap_or_default();
                assert!(
                    before <= sample.value,
                    "{sample:?} holds less than the one before"
                );
            } else if sample.name.ends_with("_count") {
                assert_eq!(filled.get(&series), Some(&sample.value), "{sample:?}");
            }
        }
    }

    fn family<'a>(&'a self, sample: &'a Sample) -> (&'a str, &'a str) {
        let name = sample.name.as_str();
        let cut = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .filter(|base| {
                self.shape
                    .get(*base)
                    .is_some_and(|shape| shape == "histogram")
            });
        let name = cut.unwrap_or(name);
        let shape = self.shape.get(name);
        (name, shape.unwrap_or_else(|| panic!("{name} has no TYPE")))
    }
}

impl Sample {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once("=\"").unwrap();
            assert!(!value.contains(['"', '\\']), "read by hand: {line}");
            (name.to_owned(), value.to_owned())
        };
        let pairs = labels.strip_suffix('"').map(|labels| labels.split("\","));
        Self {
            name: name.to_owned(),
            labels: pairs.into_iter().flatten().map(pair).collect(),
            value: value.parse().unwrap(),
        }
    }
}

/// Whether there is a UUID in it, or a word as long as one in hex.
fn is_id(value: &str) -> bool {
    let words = value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let is_hex = |word: &str| {
        let digits: Vec<char> = word.chars().filter(|c| *c != '-').collect();
        digits.len() >= 16 && digits.iter().all(char::is_ascii_hexdigit)
    };
    words.into_iter().any(is_hex)
}
