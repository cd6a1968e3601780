//! The cheapest text for a batch's size: an `UNNEST` of many arrays sets up a tuple store for each of
//! them, which for one row costs several times what writing the row does.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Texts by where their statement stands in the program, and by the size of each of its `UNNEST`s.
type Texts = HashMap<(usize, usize, Vec<Size>), &'static str>;

/// The texts made so far. There are few: a statement's sizes are none, one and many.
static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Size {
    None,
    One,
    Many,
}

/// The text of `sql` for arrays of these lengths, `$1` first. The values stay arrays.
pub(super) fn shaped(sql: &'static str, lengths: &[usize]) -> &'static str {
    let sizes: Vec<Size> = parts(sql)
        .map(|(_, arguments, _)| size(arguments, lengths))
        .collect();
    if sizes.iter().all(|size| *size == Size::Many) {
        return sql;
    }
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts
        .entry((sql.as_ptr().addr(), sql.len(), sizes))
        .or_insert_with_key(|(_, _, sizes)| Box::leak(respelled(sql, sizes).into_boxed_str()))
}

/// Each `UNNEST(…)` of a statement: what is before it since the last one, its arguments, what follows.
fn parts(sql: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let (before, after) = rest.split_once("UNNEST(")?;
        let (arguments, after) = after.split_once(')')?;
        rest = after;
        Some((before, arguments, after))
    })
}

fn size(arguments: &str, lengths: &[usize]) -> Size {
    let digits = |c: char| !c.is_ascii_digit();
    let first = arguments
        .trim_start_matches(|c: char| c == '$' || c.is_whitespace())
        .split(digits)
        .next()
        .and_then(|number| number.parse::<usize>().ok());
    match first.and_then(|number| lengths.get(number.checked_sub(1)?)) {
        Some(0) => Size::None,
        Some(1) => Size::One,
        Some(_) | None => Size::Many,
    }
}

fn respelled(sql: &str, sizes: &[Size]) -> String {
    let (mut text, mut rest) = (String::with_capacity(sql.len()), sql);
    for ((before, arguments, after), size) in parts(sql).zip(sizes) {
        text.push_str(before);
        let firsts: Vec<String> = arguments
            .split(',')
            .map(|array| format!("({})[1]", array.trim()))
            .collect();
        let firsts = firsts.join(", ");
        let source = match size {
            Size::None => format!("(SELECT {firsts} WHERE FALSE)"),
            Size::One => format!("(SELECT {firsts})"),
            Size::Many => format!("UNNEST({arguments})"),
        };
        text.push_str(&source);
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::shaped;

    const TWO: &str = "INSERT INTO a SELECT * FROM UNNEST($1::uuid[], $2::text[]) AS r; UPDATE b SET x = r.x FROM UNNEST($3::uuid[],
        $4::bigint[]) AS r (id, x)";

    #[test]
    fn many_rows_keep_the_text() {
        assert_eq!(shaped(TWO, &[2, 2, 3, 3]), TWO);
        assert_eq!(
            shaped("SELECT 1 WHERE id = ANY($1)", &[1]),
            "SELECT 1 WHERE id = ANY($1)"
        );
    }

    #[test]
    fn one_row_is_taken_out_of_its_arrays_and_none_is_said_at_once() {
        assert_eq!(
            shaped(TWO, &[1, 1, 0, 0]),
            "INSERT INTO a SELECT * FROM (SELECT ($1::uuid[])[1], ($2::text[])[1]) AS r; UPDATE b SET x = r.x FROM \
             (SELECT ($3::uuid[])[1], ($4::bigint[])[1] WHERE FALSE) AS r (id, x)"
        );
        assert_eq!(
            shaped(TWO, &[7, 7, 1, 1]),
            "INSERT INTO a SELECT * FROM UNNEST($1::uuid[], $2::text[]) AS r; UPDATE b SET x = r.x FROM \
             (SELECT ($3::uuid[])[1], ($4::bigint[])[1]) AS r (id, x)"
        );
    }
}
