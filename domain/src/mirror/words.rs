//! Texts taken apart into words.

/// One word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// As it was written, inner apostrophes and hyphens kept.
    pub text: &'a str,
    /// Whether it opens a sentence, where a capital says nothing.
    pub leads: bool,
}

/// Takes a text apart. `closers` are the marks after which a sentence begins anew.
pub(crate) fn words<'a>(text: &'a str, closers: &str) -> Vec<Word<'a>> {
    let mut found = Vec::new();
    let mut leads = true;
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        leads |= rest[..start].contains(|c| closers.contains(c));
        let tail = &rest[start..];
        let end = word_end(tail);
        found.push(Word {
            text: &tail[..end],
            leads,
        });
        leads = false;
        rest = &tail[end..];
    }
    found
}

/// The marks that close a sentence.
pub(crate) const SENTENCE: &str = ".!?…\n:\"“”«»(*";

/// The marks that close an entry when people write lists.
pub(crate) const LIST: &str = ".!?…\n:\"“”«»(*,;/&+|-–—•·";

/// Writing without spaces counts each sign as a word, or a copied page would be one word long.
fn word_end(tail: &str) -> usize {
    let mut end = 0;
    let mut signs = tail.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let inner = matches!(sign, '\'' | '’' | '-')
            && at > 0
            && signs.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !(sign.is_alphanumeric() || inner) || (at > 0 && is_sign(sign)) {
            break;
        }
        end = at + sign.len_utf8();
        if is_sign(sign) {
            break;
        }
    }
    end
}

/// Thai, kana and Chinese characters: scripts that put no space between words.
const fn is_sign(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// Lower case, curly apostrophes made straight and a possessive ending taken off.
pub(crate) fn plain(word: &str) -> String {
    let lower = word.to_lowercase().replace('’', "'");
    lower.strip_suffix("'s").unwrap_or(&lower).to_owned()
}

/// Takes the commonest English endings off, so that "baked", "bakes" and "bake" meet.
pub(crate) fn stem(word: &str) -> String {
    let word = plain(word);
    let word = singular(&word);
    let cut = ["ing", "ed"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .filter(|stem| stem.chars().count() >= 4);
    let stem = match cut {
        Some(stem) => undoubled(stem),
        None => &word,
    };
    match stem.strip_suffix('e') {
        Some(short) if short.chars().count() >= 4 => short.to_owned(),
        _ => stem.to_owned(),
    }
}

fn singular(word: &str) -> String {
    if let Some(base) = word.strip_suffix("ies").filter(|base| base.len() > 2) {
        return format!("{base}y");
    }
    let hissing = ["ches", "shes", "sses", "xes", "zes"];
    if hissing.iter().any(|ending| word.ends_with(ending)) {
        return word[..word.len() - 2].to_owned();
    }
    let kept = ["ss", "us", "is"]
        .iter()
        .any(|ending| word.ends_with(ending));
    match word.strip_suffix('s') {
        Some(base) if !kept && base.len() > 2 => base.to_owned(),
        _ => word.to_owned(),
    }
}

/// "hugg" becomes "hug"; "tell" and "pass" stay.
fn undoubled(stem: &str) -> &str {
    let mut back = stem.chars().rev();
    match (back.next(), back.next()) {
        (Some(last), Some(before)) if last == before && !"lsz".contains(last) => {
            &stem[..stem.len() - last.len_utf8()]
        }
        _ => stem,
    }
}

/// Whether a character steers a terminal or turns text round instead of being read.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Marks the space-separated chunks of a text that are an e-mail, a link, a handle or a phone number.
pub(crate) fn contacts(text: &str) -> Vec<(&str, bool)> {
    let chunks: Vec<&str> = text.split_whitespace().collect();
    let mut marked: Vec<(&str, bool)> = chunks.iter().map(|c| (*c, is_address(c))).collect();
    let mut start = 0;
    while start < chunks.len() {
        let length = chunks[start..].iter().take_while(|c| is_numeric(c)).count();
        let group = start..start + length;
        let digits: usize = chunks[group.clone()].iter().map(|c| digits(c)).sum();
        if digits >= 7 {
            marked[group].iter_mut().for_each(|chunk| chunk.1 = true);
        }
        start += length.max(1);
    }
    marked
}

/// Endings that make two words with a dot between them an address rather than a missing space.
const DOMAINS: [&str; 14] = [
    "com", "org", "net", "io", "dev", "app", "co", "uk", "de", "eu", "me", "info", "xyz", "fr",
];

fn is_address(chunk: &str) -> bool {
    let chunk = chunk.to_lowercase();
    let host = chunk.split(['/', '?', ':']).next().unwrap_or_default();
    let host = host.trim_matches(|c: char| !c.is_alphanumeric());
    let dotted = host
        .rsplit_once('.')
        .is_some_and(|(name, domain)| !name.is_empty() && DOMAINS.contains(&domain));
    chunk.contains('@')
        || chunk.contains("://")
        || chunk.starts_with("www.")
        || dotted
        || digits(&chunk) >= 7
}

fn is_numeric(chunk: &str) -> bool {
    digits(chunk) > 0
        && chunk
            .chars()
            .all(|c| c.is_ascii_digit() || "+-()./,".contains(c))
}

fn digits(chunk: &str) -> usize {
    chunk.chars().filter(char::is_ascii_digit).count()
}
