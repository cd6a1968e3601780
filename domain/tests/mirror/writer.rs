//! The local writer, tried on friends of every sort.

use std::collections::BTreeSet;

use domain::mirror::archetype::Archetype;
use domain::mirror::material::Material;
use domain::mirror::persona_text::{PersonaText, check};
use domain::mirror::statistics::Stats;
use domain::mirror::writer::write_persona;

use crate::support::{about, bare, injections, material};

/// The book the writer speaks from, read here as its editor would.
const BOOK: &str = concat!(
    include_str!("../../src/mirror/phrasebook/sentences.txt"),
    include_str!("../../src/mirror/phrasebook/characters.txt"),
    include_str!("../../src/mirror/phrasebook/themes.txt"),
);

/// Writes, and holds the result to everything that must be true of any persona.
fn written(material: &Material) -> PersonaText {
    let text = write_persona(material);
    assert_eq!(check(&text, material), Ok(()), "{text:#?}\n{material:#?}");
    let whole = whole(&text);
    assert!(!whole.contains(['{', '}', '<', '>', '\t']), "{whole}");
    assert!(!whole.contains("  "), "{whole}");
    let copied = shared_run(&text, material, 5);
    assert_eq!(copied, None, "{whole}");
    text
}

fn whole(text: &PersonaText) -> String {
    let traits = text.traits.join(", ");
    [
        text.name.as_str(),
        &text.title,
        &traits,
        &text.persona_prompt,
        &text.greeting,
    ]
    .join("\n")
}

fn spoken(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// A run of `count` words that the brief has in common with an answer.
fn shared_run(text: &PersonaText, material: &Material, count: usize) -> Option<Vec<String>> {
    let brief = spoken(&text.persona_prompt);
    let runs: BTreeSet<&[String]> = brief.windows(count).collect();
    material
        .texts()
        .flat_map(|answer| {
            spoken(answer)
                .windows(count)
                .map(<[_]>::to_vec)
                .collect::<Vec<_>>()
        })
        .find(|run| runs.contains(run.as_slice()))
}

fn length(text: &PersonaText) -> usize {
    text.persona_prompt.split_whitespace().count()
}

#[test]
fn the_same_seed_writes_the_same_and_another_seed_differs() {
    assert_eq!(write_persona(&material(7)), write_persona(&material(7)));
    let briefs: BTreeSet<String> = (0..100)
        .map(|seed| write_persona(&material(seed)).persona_prompt)
        .collect();
    assert!(briefs.len() > 95, "{}", briefs.len());
}

#[test]
fn the_demo_is_good_for_any_seed_and_archetype() {
    for seed in 0..60 {
        for archetype in Archetype::ALL {
            let text = written(&Material {
                archetype,
                ..material(seed)
            });
            assert!((120..=220).contains(&length(&text)), "{text:#?}");
        }
    }
}

#[test]
fn a_friend_without_texts_still_gets_a_whole_brief() {
    for seed in 0..25 {
        for archetype in Archetype::ALL {
            for value in [0, 40, 90] {
                let stats = Stats {
                    charisma: value,
                    intellect: value,
                    kindness: value,
                    energy: value,
                };
                let text = written(&Material {
                    archetype,
                    stats,
                    ..bare(seed)
                });
                assert!((120..=220).contains(&length(&text)), "{text:#?}");
            }
        }
    }
}

#[test]
fn a_word_that_friends_share_comes_first() {
    for seed in 0..50 {
        let text = written(&material(seed));
        assert_eq!(text.traits[0], "loyal");
        assert!(text.persona_prompt.contains("loyal"));
    }
}

#[test]
fn the_friends_words_and_themes_are_in_the_brief() {
    let text = written(&about("patient, witty", "bad puns", "our long walks", 1));
    for word in ["patient", "witty"] {
        assert!(text.persona_prompt.contains(word), "{text:#?}");
        assert!(text.traits.contains(&word.to_owned()));
    }
    let themes = ["Puns", "puns", "groan"];
    assert!(
        themes.iter().any(|t| text.persona_prompt.contains(t)),
        "{text:#?}"
    );
    let things = text.persona_prompt.contains("puns and walks");
    assert!(
        things || text.persona_prompt.contains("walks and puns"),
        "{text:#?}"
    );
}

#[test]
fn what_a_friend_denies_is_not_claimed() {
    for seed in 0..50 {
        let text = written(&about(
            "never boring",
            "not puns, hates karaoke",
            "no dogs",
            seed,
        ));
        let text = whole(&text).to_lowercase();
        for word in ["boring", "puns", "karaoke", "dogs", "song", "animal"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn names_stay_out_whoever_brings_them() {
    let mut told = about(
        "Kind like Rosalind",
        "She and Bartholomew do Monty Python",
        "How Juniper, Wren and Vale call her Annabel",
        0,
    );
    told.display_name = Some("Hazel Fairweather".to_owned());
    let names = [
        "rosalind",
        "bartholomew",
        "monty",
        "juniper",
        "wren",
        "vale",
        "annabel",
        "hazel",
        "fairweather",
    ];
    for seed in 0..25 {
        for archetype in Archetype::ALL {
            told.seed = seed;
            told.archetype = archetype;
            let words = spoken(&whole(&written(&told)));
            let leaked = names.iter().find(|name| words.iter().any(|w| w == *name));
            assert_eq!(leaked, None);
        }
    }
}

#[test]
fn an_owner_named_like_a_word_of_the_book_is_not_named() {
    for own in ["Under Rooms", "People Bad", "Group Ask You", "The", "Your"] {
        for seed in 0..30 {
            written(&Material {
                display_name: Some(own.to_owned()),
                ..material(seed)
            });
        }
    }
}

#[test]
fn injections_change_nothing_that_matters() {
    let secrets = [
        "fraud",
        "banana",
        "acme",
        "admin",
        "hacked",
        "owned",
        "dan",
        "api",
        "money",
        "example",
        "jonathan",
        "7946",
        "rosewater",
        "bristol",
        "unsafe:",
        "annabel",
        "gregory",
        "philippa",
        "bipolar",
        "adhd",
        "narcissist",
        "ocd",
        "stupid",
        "ugly",
        "idiot",
        "veneno",
        "adolf",
        "взлом",
        "script",
        "alert",
        "drop",
        "passwd",
        "crypto",
        "1111",
        "hate",
        "instructions",
    ];
    for (at, injection) in injections().into_iter().enumerate() {
        for seed in 0..8 {
            let text = written(&about(injection, injection, injection, seed));
            let words = spoken(&whole(&text));
            for secret in secrets {
                assert!(
                    !words.iter().any(|w| w == secret),
                    "{at} {secret}: {text:#?}"
                );
            }
        }
    }
}

#[test]
fn injections_do_not_spoil_what_the_others_said() {
    let clean = write_persona(&material(5));
    for injection in injections() {
        let mut mixed = material(5);
        mixed.laughs.push(injection.to_owned());
        let text = written(&mixed);
        assert_eq!(text.traits[0], clean.traits[0]);
    }
}

#[test]
fn there_are_fifty_injections() {
    assert_eq!(injections().len(), 50);
}

#[test]
fn nonsense_and_other_scripts_are_passed_over() {
    let odd = [
        "",
        "asdf qwer zxcv",
        "😀😀😀",
        "добрая, смешная, верная",
        "善良 有趣 大声",
        "طيب ومضحك",
        "....----!!!",
        "a",
        "'",
        "-'-",
        "ŞİİÇ ﬀ ẞ",
        "\n\n\n",
        "İstanbul İ i̇",
        "{{list}} {name}",
    ];
    for seed in 0..20 {
        for text in odd {
            written(&about(text, text, text, seed));
        }
    }
}

#[test]
fn very_long_answers_are_read_and_not_repeated() {
    let long = "She sings in the car and bakes bread at midnight with the dog. ".repeat(200);
    for seed in 0..5 {
        let text = write_persona(&about(&long, &long, &long, seed));
        assert_eq!(check(&text, &about(&long, &long, &long, seed)), Ok(()));
        assert!((120..=220).contains(&length(&text)));
    }
}

#[test]
fn a_persona_pasted_back_as_an_answer_is_said_differently() {
    for seed in 0..100 {
        let before = write_persona(&material(seed));
        let mut again = material(seed);
        again.missed.push(before.persona_prompt);
        again.laughs.push(before.greeting);
        again.words.push(before.title);
        written(&again);
    }
}

#[test]
fn even_the_whole_phrasebook_pasted_back_leaves_a_persona() {
    for archetype in Archetype::ALL {
        for seed in 0..2 {
            let mut told = Material {
                archetype,
                ..material(seed)
            };
            told.missed.extend(BOOK.lines().map(str::to_owned));
            let text = write_persona(&told);
            assert_eq!(check(&text, &told), Ok(()), "{text:#?}");
        }
    }
}

#[test]
fn every_theme_reads_on_its_own() {
    let sections = BOOK.split("\n[").filter_map(|s| s.split_once("]\n"));
    let themes = sections.filter(|(name, _)| name.starts_with(['t', 'h']) && name.contains(' '));
    let mut seen = 0;
    for (name, lines) in themes {
        for key in lines.lines().filter_map(|l| l.strip_prefix("when: ")) {
            seen += 1;
            for key in key.split(' ') {
                let text = written(&about("", "", key, 1));
                assert!((120..=220).contains(&length(&text)), "{name}: {text:#?}");
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_book_is_clean() {
    for line in BOOK.lines().filter(|l| !l.starts_with(['#', '['])) {
        let line = line.strip_prefix("hello: ").unwrap_or(line);
        assert_eq!(line, line.trim());
        assert!(!line.contains("  "), "{line}");
        let is_sentence =
            line.contains(' ') && !line.starts_with("when:") && !line.starts_with("The ");
        if is_sentence {
            assert!(line.ends_with(['.', '?', '!']), "{line}");
            assert!(line.split(' ').count() <= 24, "{line}");
        }
    }
}

#[test]
fn one_friend_is_not_called_many() {
    for seed in 0..50 {
        let text = written(&about("kind, loud", "", "", seed)).persona_prompt;
        assert!(
            !text.contains("your friends") && !text.contains("Friends"),
            "{text}"
        );
    }
}

#[test]
fn friends_who_disagree_about_pressure_are_both_right() {
    let mut split = bare(3);
    split.pressure = [("calmer".to_owned(), 2), ("louder".to_owned(), 2)].into();
    let text = written(&split).persona_prompt;
    assert!(text.contains("calmer") && text.contains("louder"), "{text}");
}
