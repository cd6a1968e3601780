//! The local writer: a persona by rule, out of the real answers, without a model.

use super::dice::Dice;
use super::guard::Guard;
use super::keywords::Keywords;
use super::material::Material;
use super::persona_text::{self, PersonaText, check};
use super::phrasebook::{Theme, lines};
use super::statistics::Stat;

/// How many words in a row may be the same as in an answer: chance, and no more.
const RUN_MAX: usize = 4;

/// Where the brief stops taking in further sentences.
const BRIEF_WORDS_MAX: usize = 205;

/// How many of the friends' words a sentence lists.
const LIST_MAX: usize = 3;

/// How many traits come from the friends, and how many there are in all.
const TRAITS_FROM_FRIENDS: usize = 4;
const TRAITS: usize = 5;

/// Writes a persona. The same material always gives the same words; another seed gives others.
/// Friends' words come through one at a time and only if the lexicon knows them; sentences are
/// the phrasebook's. [`check`] holds for whatever the friends wrote: even if they copied the
/// phrasebook into their answers, what is left of it is enough.
pub fn write_persona(material: &Material) -> PersonaText {
    let text = Writer::new(material, RUN_MAX).write();
    match check(&text, material) {
        Ok(()) => text,
        Err(_) => Writer::new(material, persona_text::RUN_MAX).write(),
    }
}

struct Writer<'a> {
    material: &'a Material,
    guard: Guard,
    keywords: Keywords,
    dice: Dice,
}

/// A sentence of the brief, on its way in.
struct Sentence {
    paragraph: usize,
    rank: usize,
    text: String,
}

impl<'a> Writer<'a> {
    fn new(material: &'a Material, run_max: usize) -> Self {
        let guard = Guard::new(material, run_max);
        let dice = Dice::new(material.seed);
        Self {
            keywords: Keywords::pick(material, &guard, dice),
            dice,
            material,
            guard,
        }
    }

    fn write(&self) -> PersonaText {
        let name = self.name();
        PersonaText {
            title: self.title(),
            traits: self.traits(),
            persona_prompt: self.brief(&name),
            greeting: self.greeting(&name),
            name,
        }
    }

    /// Invents a name that no friend used. If they used them all, a plain one is left.
    fn name(&self) -> String {
        let lasts = self.dice.turn("last", lines("last"));
        let firsts = self.dice.turn("first", self.own("first"));
        let unused = |names: Vec<&'static str>| names.into_iter().find(|n| !self.guard.knows(n));
        match (unused(firsts), unused(lasts)) {
            (Some(first), Some(last)) => format!("{first} {last}"),
            (Some(only), None) | (None, Some(only)) => only.to_owned(),
            (None, None) => format!("The {}", self.material.archetype.as_str()),
        }
    }

    fn title(&self) -> String {
        self.variant("title", self.own("title"), &[])
            .unwrap_or_else(|| plain_line("title plain"))
    }

    /// The friends' own words first, then what the archetype is known for.
    fn traits(&self) -> Vec<String> {
        let mut traits: Vec<&str> = self.keywords.traits.clone();
        traits.truncate(TRAITS_FROM_FRIENDS);
        for word in self.dice.turn("traits", self.own("traits")) {
            if traits.len() < TRAITS && !traits.contains(&word) {
                traits.push(word);
            }
        }
        traits.into_iter().map(str::to_owned).collect()
    }

    fn greeting(&self, name: &str) -> String {
        let first = first_name(name);
        let filled = [("{first}", first)];
        let theme = self.all_themes().into_iter().find(|t| !t.hello.is_empty());
        if let Some(theme) = theme.filter(|_| self.dice.roll("greeting kind", 3) > 0) {
            let hello = self.variant("hello", lines("hello"), &filled);
            let greeting = format!("{} {}", hello.unwrap_or_default(), theme.hello);
            if self.fits(&greeting) {
                return greeting;
            }
        }
        self.variant("greeting", self.own("greeting"), &filled)
            .unwrap_or_else(|| plain_line("greeting plain"))
    }

    /// Chooses sentences by importance until the brief is long enough, then puts them in the
    /// order they are read, in three paragraphs.
    fn brief(&self, name: &str) -> String {
        let sentences = self.sentences(name);
        let mut order: Vec<usize> = (0..sentences.len()).collect();
        order.sort_by_key(|at| sentences[*at].rank);
        let mut length = 0;
        let mut chosen = Vec::new();
        for at in order {
            let words = sentences[at].text.split_whitespace().count();
            if length + words <= BRIEF_WORDS_MAX {
                length += words;
                chosen.push(at);
            }
        }
        chosen.sort_unstable();
        self.joined(chosen.into_iter().map(|at| &sentences[at]))
    }

    /// Joins sentences; one that would complete a friend's sentence across the seam stays out.
    fn joined<'s>(&self, sentences: impl Iterator<Item = &'s Sentence>) -> String {
        let mut brief = String::new();
        let mut paragraph = 0;
        for sentence in sentences {
            let seam = match brief.is_empty() {
                true => "",
                false if sentence.paragraph == paragraph => " ",
                false => "\n\n",
            };
            if !self
                .guard
                .copies(&format!("{} {}", tail(&brief), sentence.text))
            {
                brief = format!("{brief}{seam}{}", sentence.text);
                paragraph = sentence.paragraph;
            }
        }
        brief
    }

    /// Every sentence there is to say, in reading order. A lower rank matters more.
    fn sentences(&self, name: &str) -> Vec<Sentence> {
        let [first, second, third, lowest] = self.material.stats.ranked();
        let humour = self.keywords.humour.first();
        let missed = self.missed();
        let rows = [
            (0, 0, self.opening(name)),
            (0, 4, self.words()),
            (0, 10, self.agreed()),
            (0, 3, self.stat(first)),
            (0, 13, self.stat(second)),
            (1, 7, self.most("group", &self.material.group)),
            (1, 5, humour.and_then(|theme| self.theme(theme))),
            (1, 8, self.pressure()),
            (1, 6, missed.first().and_then(|theme| self.theme(theme))),
            (1, 11, missed.get(1).and_then(|theme| self.theme(theme))),
            (1, 9, self.things()),
            (2, 14, self.variant("strength", self.own("strength"), &[])),
            (2, 15, self.stat(lowest)),
            (2, 16, self.stat(third)),
            (2, 17, self.variant("company", lines("company"), &[])),
            (2, 12, self.variant("quirk", self.own("quirk"), &[])),
            (2, 1, self.variant("speech", self.own("speech"), &[])),
            (2, 2, self.variant("ending", lines("ending"), &[])),
        ];
        rows.into_iter()
            .filter_map(|(paragraph, rank, text)| {
                text.map(|text| Sentence {
                    paragraph,
                    rank,
                    text,
                })
            })
            .collect()
    }

    /// The one sentence that is always there.
    fn opening(&self, name: &str) -> Option<String> {
        let opening = self.variant("opening", self.own("opening"), &[("{name}", name)]);
        opening.or_else(|| Some(format!("You are {name}.")))
    }

    fn words(&self) -> Option<String> {
        let words = &self.keywords.traits;
        let who = if self.material.responders > 1 {
            "many"
        } else {
            "one"
        };
        self.listed(&format!("words {who}"), words)
    }

    fn agreed(&self) -> Option<String> {
        let word = self.keywords.agreed?;
        self.variant("agreed", lines("agreed"), &[("{word}", word)])
    }

    fn things(&self) -> Option<String> {
        self.listed("things", &self.keywords.things)
    }

    fn stat(&self, stat: Stat) -> Option<String> {
        let band = match self.material.stats.get(stat) {
            60.. => "high",
            35..60 => "middle",
            0..35 => "low",
        };
        let heading = format!("{} {band}", stat.as_str());
        self.variant(&heading, lines(&heading), &[])
    }

    /// Friends who disagree about pressure are both right.
    fn pressure(&self) -> Option<String> {
        let counts = &self.material.pressure;
        let most = counts.values().max()?;
        let mut tops = counts.iter().filter(|(_, friends)| *friends == most);
        match (tops.next(), tops.next()) {
            (Some((a, _)), Some((b, _))) if is_option(a) && is_option(b) => {
                let filled = [("{a}", a.as_str()), ("{b}", b.as_str())];
                self.variant("split", lines("pressure split"), &filled)
            }
            _ => self.most("pressure", counts),
        }
    }

    /// Speaks of the option most friends chose; of equals, the first by the alphabet.
    fn most(
        &self,
        question: &str,
        counts: &std::collections::BTreeMap<String, u32>,
    ) -> Option<String> {
        let most = counts.values().max()?;
        let (option, _) = counts.iter().find(|(_, friends)| *friends == most)?;
        let heading = format!("{question} {option}");
        self.variant(&heading, lines(&heading), &[])
    }

    fn theme(&self, theme: &Theme) -> Option<String> {
        self.variant(theme.name, theme.lines.clone(), &[])
    }

    /// What would be missed, without what the laughter already told.
    fn missed(&self) -> Vec<&'static Theme> {
        let told = self.keywords.humour.first();
        let missed = self.keywords.missed.iter().copied();
        missed.filter(|theme| told != Some(theme)).collect()
    }

    fn all_themes(&self) -> Vec<&'static Theme> {
        let humour = self.keywords.humour.iter().copied().take(1);
        let themes = humour.chain(self.missed().into_iter().take(2)).collect();
        self.dice.turn("greeting theme", themes)
    }

    fn listed(&self, heading: &str, words: &[&str]) -> Option<String> {
        let words = &words[..words.len().min(LIST_MAX)];
        let (heading, list) = match words {
            [] => return None,
            [only] => (format!("{heading} single"), (*only).to_owned()),
            [others @ .., last] => (
                format!("{heading} list"),
                format!("{} and {last}", others.join(", ")),
            ),
        };
        self.variant(&heading, lines(&heading), &[("{list}", &list)])
    }

    /// The variants of a heading that belong to this archetype.
    fn own(&self, heading: &str) -> Vec<&'static str> {
        lines(&format!("{heading} {}", self.material.archetype.as_str()))
    }

    /// Fills the variants in, beginning with a rolled one, until one fits.
    fn variant(
        &self,
        label: &str,
        variants: Vec<&'static str>,
        filled: &[(&str, &str)],
    ) -> Option<String> {
        let fill = |line: &str| {
            filled.iter().fold(line.to_owned(), |line, (slot, word)| {
                line.replace(slot, word)
            })
        };
        let variants = self.dice.turn(label, variants);
        variants.into_iter().map(fill).find(|text| self.fits(text))
    }

    fn fits(&self, text: &str) -> bool {
        !self.guard.copies(text) && self.guard.names_in(text).is_empty()
    }
}

/// The last words of a text, as many as may be a friend's.
fn tail(text: &str) -> String {
    let mut words: Vec<&str> = text.rsplit(' ').take(RUN_MAX).collect();
    words.reverse();
    words.join(" ")
}

fn is_option(word: &str) -> bool {
    !lines(&format!("pressure {word}")).is_empty()
}

fn first_name(name: &str) -> &str {
    match name.split_once(' ') {
        Some((first, _)) if first != "The" => first,
        Some(_) | None => name,
    }
}

fn plain_line(heading: &str) -> String {
    lines(heading).concat()
}
