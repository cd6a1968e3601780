//! How deep, wide and long JSON is, found in one pass that builds nothing.

use crate::problem::{Code, Problem};

/// How deep JSON may be nested.
const DEPTH_MAX: usize = 32;
/// How many items an array or an object may have.
const ITEMS_MAX: usize = 10_000;
/// How long a text may be, as it is sent.
const TEXT_BYTES_MAX: usize = 128 * 1024;

/// The extent of a text that may be JSON.
#[derive(Debug, Default, PartialEq, Eq)]
struct Extent {
    depth: usize,
    items: usize,
    text: usize,
}

impl Extent {
    fn of(bytes: &[u8]) -> Self {
        let (mut extent, mut open) = (Self::default(), vec![]);
        let (mut began, mut escaped) = (None, false);
        for (at, byte) in bytes.iter().enumerate() {
            match (byte, began) {
                (_, Some(_)) if escaped => escaped = false,
                (b'\\', Some(_)) => escaped = true,
                (b'"', Some(from)) => {
                    extent.text = extent.text.max(at - from - 1);
                    began = None;
                }
                (b'"', None) => began = Some(at),
                (b'[' | b'{', None) => {
                    open.push(1);
                    extent.depth = extent.depth.max(open.len());
                }
                (b']' | b'}', None) => drop(open.pop()),
                (b',', None) => {
                    if let Some(items) = open.last_mut() {
                        *items += 1;
                        extent.items = extent.items.max(*items);
                    }
                }
                (_, None | Some(_)) => {}
            }
            // Nothing deeper is looked at, so that what is open takes no memory either.
            if extent.depth > DEPTH_MAX {
                break;
            }
        }
        extent
    }
}

/// Refuses what is too deep, wide or long before anything is built of it.
pub(super) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let extent = Extent::of(bytes);
    let how = if extent.depth > DEPTH_MAX {
        format!("Nest at most {DEPTH_MAX} arrays and objects.")
    } else if extent.items > ITEMS_MAX {
        format!("Send at most {ITEMS_MAX} items in an array or an object.")
    } else if extent.text > TEXT_BYTES_MAX {
        format!("Send texts of at most {} KiB.", TEXT_BYTES_MAX / 1024)
    } else {
        return Ok(());
    };
    Err(Problem::new(Code::MalformedJson, how))
}

#[cfg(test)]
mod tests {
    use super::{Extent, check};

    fn extent(depth: usize, items: usize, text: usize) -> Extent {
        Extent { depth, items, text }
    }

    #[test]
    fn what_stands_in_words_is_no_structure() {
        let of = |text: &str| Extent::of(text.as_bytes());
        assert_eq!(of(r#"{"a": "[[[\"[,,,", "b": [[1]]}"#), extent(3, 2, 9));
        assert_eq!(of(r#"[1,2,[3,4,5,6],"\\"]"#), extent(2, 4, 2));
        assert_eq!(of(r#"]]]],,,"open"#), extent(0, 0, 0));
        assert_eq!(of(""), Extent::default());
    }

    #[test]
    fn each_bound_is_the_last_that_fits() {
        let deep = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
        let wide = |items: usize| format!("[{}1]", "1,".repeat(items - 1));
        let long = |bytes| format!("\"{}\"", "x".repeat(bytes));
        for (fits, not) in [
            (deep(32), deep(33)),
            (wide(10_000), wide(10_001)),
            (long(128 * 1024), long(128 * 1024 + 1)),
        ] {
            assert!(check(fits.as_bytes()).is_ok());
            assert!(check(not.as_bytes()).is_err());
        }
    }
}
