//! What sagas asked and were told in real runs, some of them long ago, and whether they could still go on.
//!
//! CONTRIBUTING.md says how a record is made. One that is there stays as it is: a saga that no longer plays
//! it needs a new kind name, not a new record.

use saga_core::record::Record;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

fn records() -> Vec<(String, Record)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals");
    let files = std::fs::read_dir(folder).unwrap();
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let record = serde_json::from_slice(&std::fs::read(path).unwrap());
        (name, record.unwrap())
    };
    files.map(|file| read(&file.unwrap().path())).collect()
}

#[test]
fn every_kind_goes_on_from_every_moment_of_its_stored_journals() {
    let (kinds, records) = (domain::catalog::kinds(), records());
    let played = records
        .iter()
        .filter_map(|(file, record)| Some(format!("{file}: {}", record.play(&kinds).err()?)));
    let diverged: Vec<String> = played.collect();
    assert!(diverged.is_empty(), "{}", diverged.join("\n"));

    let told: BTreeSet<&str> = records.iter().map(|(_, one)| one.kind.as_str()).collect();
    // What only the crash suite has is in no release, so nothing old can be open.
    let released = |kind: &&str| !(cfg!(feature = "faults") && *kind == "demo.drill");
    let registered = kinds.iter().map(|kind| kind.name);
    assert_eq!(
        told,
        registered.filter(released).collect(),
        "a kind without a stored journal, or the other way round"
    );
}

#[test]
fn a_saga_that_was_changed_is_told_by_both_sides() {
    let kinds = domain::catalog::kinds();
    let (_, whole) = records()
        .into_iter()
        .find(|(file, _)| file == "persona.forge-whole.json")
        .unwrap();
    let told = |change: fn(&mut Record)| {
        let mut record = whole.clone();
        change(&mut record);
        record.play(&kinds).unwrap_err()
    };

    let asked_more = told(|record| {
        let mut third = record.requests[1].clone();
        third.key = saga_core::Key::stored("persona.think#1");
        record.requests.push(third);
    });
    assert!(
        asked_more.starts_with("at persona.think#1: the record has it, with {"),
        "{asked_more}"
    );
    let asked_less = told(|record| {
        record
            .requests
            .retain(|one| one.key.as_str() != "persona.derive#1");
    });
    assert!(
        asked_less.starts_with(
            "at persona.derive#1: the record does not have it, the code asks for Work"
        ),
        "{asked_less}"
    );
    let asked_otherwise = told(|record| record.requests[1].input = json!({"persona": 7}));
    assert!(
        asked_otherwise.contains(
            "the record has Work { input: Object {\"persona\": Number(7)} }, the code asks for Work"
        ),
        "{asked_otherwise}"
    );
}
