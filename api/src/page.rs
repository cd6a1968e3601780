//! Lists: so many items, and where the next page begins.

use crate::problem::{Code, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Items on a page unless the caller says otherwise.
const LIMIT_DEFAULT: i64 = 20;
/// Items on a page at most.
pub(crate) const LIMIT_MAX: i64 = 100;

/// One page.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page; `more` says where the next one begins.
    pub(crate) fn new(items: Vec<T>, more: Option<&impl Serialize>) -> Self {
        Self {
            items,
            next_cursor: more.map(write),
        }
    }

    /// Its items, and where the next one begins.
    pub(crate) fn into_parts(self) -> (Vec<T>, Option<String>) {
        (self.items, self.next_cursor)
    }

    /// The page of `limit` items out of one more than that, if there are more; `place` says where an item
    /// stands.
    pub(crate) fn cut<P: Serialize>(mut found: Vec<T>, limit: i64, place: fn(&T) -> P) -> Self {
        let kept = usize::try_from(limit).unwrap_or_default();
        let more = found.len() > kept;
        found.truncate(kept);
        let next = found.last().map(place).filter(|_| more);
        Self::new(found, next.as_ref())
    }
}

/// Which page is wanted of a list in which nothing else is chosen.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<i64>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// How many items are wanted.
pub(crate) fn limit(given: Option<i64>) -> Result<i64, Problem> {
    match given.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        _ => Err(Problem::new(
            Code::BadParameter,
            format!("limit: ask for 1 to {LIMIT_MAX} items."),
        )),
    }
}

/// Where a page begins.
pub(crate) fn read<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let bytes = BASE64.decode(cursor).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.map(Some).ok_or_else(|| {
        Problem::new(
            Code::BadParameter,
            "cursor: pass on the next_cursor of the page before.",
        )
    })
}

fn write(place: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(place).unwrap_or_default())
}
