//! What no writer may send, the local one or a model.

use domain::mirror::persona_text::{PersonaText, check};
use serde_json::json;

use crate::support::{injections, material};

fn good() -> PersonaText {
    PersonaText {
        name: "Juniper Vale".to_owned(),
        title: "The lantern in the hallway".to_owned(),
        traits: ["loyal", "dry", "curious"].map(str::to_owned).to_vec(),
        persona_prompt: "You are Juniper Vale, steady and warm, and you keep a lamp lit for \
                         whoever comes home late.\n\nSpeak softly."
            .to_owned(),
        greeting: "Come in, I'm Juniper.".to_owned(),
    }
}

/// The only problem after `change`.
fn problem(change: impl FnOnce(&mut PersonaText)) -> String {
    let problems = problems(change);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.concat()
}

fn problems(change: impl FnOnce(&mut PersonaText)) -> Vec<String> {
    let mut text = good();
    change(&mut text);
    check(&text, &material(1)).expect_err("a problem")
}

#[test]
fn a_good_one_passes() {
    assert_eq!(check(&good(), &material(1)), Ok(()));
}

type Field = fn(&mut PersonaText) -> &mut String;

#[test]
fn every_length_has_both_bounds() {
    let most = |length: usize| "a".repeat(length);
    let fields: [(Field, usize, usize); 5] = [
        (|t| &mut t.name, 2, 40),
        (|t| &mut t.title, 3, 80),
        (|t| &mut t.persona_prompt, 80, 2000),
        (|t| &mut t.greeting, 5, 300),
        (|t| &mut t.traits[1], 2, 24),
    ];
    for (field, least, longest) in fields {
        for length in [least, longest] {
            let mut text = good();
            *field(&mut text) = most(length);
            assert_eq!(check(&text, &material(1)), Ok(()));
        }
        for length in [least - 1, longest + 1] {
            let said = problem(|text| *field(text) = most(length));
            assert!(said.contains(&format!("has {length} characters")), "{said}");
        }
    }
}

#[test]
fn blanks_do_not_count_as_length() {
    let said = problem(|text| text.greeting = "  hi   ".to_owned());
    assert!(said.starts_with("greeting has 2"), "{said}");
}

#[test]
fn there_are_three_to_six_different_traits() {
    let said = problem(|text| text.traits.truncate(2));
    assert!(said.contains("traits has 2 entries"), "{said}");
    let seven = ["a1", "b1", "c1", "d1", "e1", "f1", "g1"];
    let said = problem(|text| text.traits = seven.map(str::to_owned).to_vec());
    assert!(said.contains("traits has 7 entries"), "{said}");
    let said = problem(|text| text.traits[2] = "Loyal".to_owned());
    assert!(said.contains("repeats another trait"), "{said}");
}

#[test]
fn thirteen_words_of_an_answer_are_a_quotation_and_twelve_are_not() {
    let answer = "She never makes a fuss about it, and the soup that turns up";
    let mut told = material(1);
    told.missed = vec![answer.to_owned()];
    let with = |count: usize| {
        let words: Vec<&str> = answer.split(' ').take(count).collect();
        let mut text = good();
        text.persona_prompt = format!(
            "You are a friend of whom one says {} today.",
            words.join(" ")
        );
        text.persona_prompt += " There is a great deal more to tell about you than that.";
        check(&text, &told)
    };
    assert_eq!(with(12), Ok(()));
    let said = with(13).unwrap_err().concat();
    assert!(said.contains("more than 12 words"), "{said}");
}

#[test]
fn a_quotation_is_seen_through_case_and_punctuation_and_without_spaces() {
    let mut told = material(1);
    told.missed = vec![
        "one two three four five six seven eight nine ten eleven twelve thirteen".to_owned(),
        "她总是在别人开口之前就已经伸出手来帮忙".to_owned(),
    ];
    for copy in [
        "One, two; THREE four: five six — seven eight nine ten eleven twelve thirteen!",
        "她总是在别人开口之前就已经伸出手来帮忙",
    ] {
        let mut text = good();
        text.greeting = copy.to_owned();
        assert!(check(&text, &told).is_err(), "{copy}");
    }
}

#[test]
fn names_from_the_answers_are_seen() {
    let mut told = material(1);
    told.missed = vec!["How she and Ottoline laugh, and that is all".to_owned()];
    told.display_name = Some("Nora Lind".to_owned());
    for leak in [
        "Ask Ottoline about it.",
        "Ottoline's friend, hello.",
        "I'm Nora.",
    ] {
        let mut text = good();
        text.greeting = leak.to_owned();
        let said = check(&text, &told).unwrap_err().concat();
        assert!(said.contains("uses the name"), "{said}");
    }
}

#[test]
fn common_words_and_days_are_no_names() {
    let mut told = material(1);
    told.missed = vec!["Then on Monday I said Hello and She laughed".to_owned()];
    told.display_name = Some("Will".to_owned());
    let mut text = good();
    text.greeting = "Hello! Will you stay until Monday? She and I would.".to_owned();
    assert_eq!(check(&text, &told), Ok(()));
}

#[test]
fn a_name_that_is_also_a_word_is_a_name_in_the_middle_of_a_sentence_only() {
    let mut told = material(1);
    told.display_name = Some("Joy".to_owned());
    let mut text = good();
    text.greeting = "Joy is a good beginning, and joy a good end.".to_owned();
    assert_eq!(check(&text, &told), Ok(()));
    text.greeting = "Tell me about Joy.".to_owned();
    assert!(check(&text, &told).is_err());
}

#[test]
fn traces_of_the_prompt_and_addresses_are_seen() {
    for leak in [
        "As an AI I greet you.",
        "My system prompt says hello.",
        "</answers> Hello.",
        "Here is the JSON you wanted.",
        "{\"name\": 1}",
        "Ask [name] about it.",
        "Write to me@example.com soon.",
        "See https://example.com now.",
        "See example.com for more.",
        "Call +44 20 7946 0958 now.",
        "Hello\u{7} there.",
        "Hello\nthere.",
        "Hello \u{202e}there.",
    ] {
        assert!(
            !problems(|text| text.greeting = leak.to_owned()).is_empty(),
            "{leak}"
        );
    }
}

#[test]
fn an_echoed_injection_is_never_a_persona() {
    for injection in injections() {
        let echo = || injection.to_owned();
        let text = PersonaText {
            name: echo(),
            title: echo(),
            traits: vec![echo(), echo(), echo()],
            persona_prompt: echo(),
            greeting: echo(),
        };
        assert!(check(&text, &material(1)).is_err(), "{injection}");
    }
}

#[test]
fn everything_wrong_is_listed_at_once() {
    let problems = problems(|text| {
        text.name = "x".to_owned();
        text.traits.clear();
        text.greeting = "Mail a@b.com".to_owned();
    });
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn an_unknown_field_does_not_parse() {
    let mut wire = serde_json::to_value(good()).unwrap();
    assert!(serde_json::from_value::<PersonaText>(wire.clone()).is_ok());
    wire["rarity"] = json!("legendary");
    assert!(serde_json::from_value::<PersonaText>(wire).is_err());
}
