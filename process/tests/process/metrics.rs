//! What is written about metrics, for people, Prometheus and Grafana, is about those that there are.

use process::metrics::DESCRIBED;
use serde_json::Value;
use std::collections::BTreeSet;

fn deployed(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/");
    std::fs::read_to_string([folder, name].concat()).unwrap()
}

/// The cells of each row of the table whose first one is a name in backquotes.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Every metric that an expression names, without what Prometheus adds to a histogram's name.
fn named(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("chorus_"))
        .map(base)
        .collect()
}

fn base(word: &str) -> &str {
    let endings = ["_bucket", "_sum", "_count"];
    let cut = endings.iter().find_map(|ending| word.strip_suffix(ending));
    cut.unwrap_or(word)
}

fn known() -> BTreeSet<&'static str> {
    DESCRIBED.iter().map(|one| one.name).collect()
}

#[test]
fn the_page_lists_every_metric_with_its_type_and_labels_and_no_other() {
    let page = deployed("metrics.md");
    let written: Vec<(String, &str, String)> = rows(&page)
        .into_iter()
        .map(|row| {
            assert_eq!(row.len(), 4, "{row:?}");
            assert!(!row[3].is_empty(), "{row:?} says nothing");
            (row[0].replace('`', ""), row[1], row[2].replace('`', ""))
        })
        .collect();
    let meant: Vec<(String, &str, String)> = DESCRIBED
        .iter()
        .map(|one| (one.name.to_owned(), one.shape.word(), one.labels.join(", ")))
        .collect();
    assert_eq!(written, meant);
}

#[test]
fn six_alerts_ask_for_metrics_that_there_are() {
    let rules = deployed("prometheus/alerts.yml");
    assert_eq!(rules.matches("- alert: ").count(), 6);
    let asked = named(&rules);
    let wanted = BTreeSet::from([
        "chorus_queue_oldest_age_seconds",
        "chorus_dead_letters",
        "chorus_queue_consumers",
        "chorus_ticket_lag_seconds",
        "chorus_provider_request_duration_seconds",
    ]);
    assert_eq!(asked, wanted);
    assert!(asked.is_subset(&known()));
}

#[test]
fn no_alert_waits_for_the_increase_of_what_is_counted_seldom() {
    let rules = deployed("prometheus/alerts.yml");
    // A series that is born at 1 has not increased; only calls of models are so many that their rate tells.
    for function in ["increase(", "rate("] {
        for of in rules.split(function).skip(1) {
            assert!(
                of.starts_with("chorus_provider_request_duration_seconds_count"),
                "{function}{of}"
            );
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_in_five_rows() {
    let dashboard: Value = serde_json::from_str(&deployed("grafana/chorus.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let rows = panels.iter().filter(|panel| panel["type"] == "row");
    let titles: Vec<_> = rows.filter_map(|row| row["title"].as_str()).collect();
    assert_eq!(titles, ["Flow", "Queues", "Sagas", "Providers", "Process"]);
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let expressions: Vec<&str> = targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let shown: BTreeSet<&str> = expressions.iter().flat_map(|one| named(one)).collect();
    assert_eq!(shown, known());
}
