//! Friends to test with.

use domain::mirror::answers::{Answers, validate};
use domain::mirror::archetype::Mode;
use domain::mirror::material::Material;
use domain::mirror::questions::QuestionSet;
use serde_json::{Value, json};

/// The friends of the demo.
const SAMPLE: &str = include_str!("../../../cli/samples/friends.json");

/// Fifty things that strangers write to take a model over, one a line.
const INJECTIONS: &str = include_str!("injections.txt");

pub(crate) fn sample() -> Vec<Answers> {
    let sample: Value = serde_json::from_str(SAMPLE).expect("the sample is JSON");
    let friends = sample["friends"].as_array().expect("a list of friends");
    friends.iter().map(|f| friend(&f["answers"])).collect()
}

pub(crate) fn injections() -> Vec<&'static str> {
    INJECTIONS.lines().collect()
}

/// A friend who answered `given`, which must be valid.
pub(crate) fn friend(given: &Value) -> Answers {
    validate(&QuestionSet::friends(), given).expect("valid answers")
}

/// A friend with these scales, in the order c1 c2 i1 i2 k1 k2 e1 e2.
pub(crate) fn scales(n: [u8; 8]) -> Answers {
    friend(&scales_json(n))
}

/// A friend with these scales and choices.
pub(crate) fn choices(n: [u8; 8], pressure: &str, group: &str) -> Answers {
    let mut given = scales_json(n);
    given["p1"] = json!(pressure);
    given["g1"] = json!(group);
    friend(&given)
}

pub(crate) fn scales_json([c1, c2, i1, i2, k1, k2, e1, e2]: [u8; 8]) -> Value {
    json!({"c1": c1, "c2": c2, "i1": i1, "i2": i2, "k1": k1, "k2": k2, "e1": e1, "e2": e2})
}

/// The demo's friends, ready to write about.
pub(crate) fn material(seed: u64) -> Material {
    Material::gather(&sample(), Mode::Fated, None, seed, None)
}

/// What one friend's texts become, with middling scales.
pub(crate) fn about(words: &str, laughs: &str, missed: &str, seed: u64) -> Material {
    let mut material = bare(seed);
    material.words = vec![words.to_owned()];
    material.laughs = vec![laughs.to_owned()];
    material.missed = vec![missed.to_owned()];
    material
}

/// One friend who answered the scales and nothing else.
pub(crate) fn bare(seed: u64) -> Material {
    let friends = [scales([4, 3, 4, 4, 5, 4, 3, 3])];
    Material::gather(&friends, Mode::Fated, None, seed, None)
}
