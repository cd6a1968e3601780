//! `/admin/dead-letters/groups`: letters that have something in common, so that one trouble is judged once.

use super::dead_letters::LetterState;
use crate::auth::Staff;
use crate::page::{self, Page};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use saga_core::store::{GroupBy, LetterGroup};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the letters of a group have in common.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Error,
    Kind,
    Step,
    Queue,
    Class,
    Worker,
}

impl From<By> for GroupBy {
    fn from(by: By) -> Self {
        match by {
            By::Error => Self::Error,
            By::Kind => Self::Kind,
            By::Step => Self::Step,
            By::Queue => Self::Queue,
            By::Class => Self::Class,
            By::Worker => Self::Worker,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    #[serde(default)]
    by: By,
    #[serde(alias = "status")]
    state: Option<LetterState>,
    limit: Option<i64>,
}

/// A group, as it is listed.
#[derive(Serialize)]
pub(crate) struct Item {
    by: &'static str,
    #[serde(flatten)]
    group: LetterGroup,
    links: Value,
}

impl Item {
    fn of(by: GroupBy, state: Option<LetterState>, group: LetterGroup) -> Self {
        // A worker is no filter of the list: those letters are found one by one.
        let filter = match by {
            GroupBy::Error => Some("group"),
            GroupBy::Worker => None,
            GroupBy::Kind | GroupBy::Step | GroupBy::Queue | GroupBy::Class => Some(by.as_str()),
        };
        let letters = filter.and_then(|filter| {
            let state = state.map(|state| ("state", state.as_str()));
            let query: Vec<_> = [(filter, group.key.as_str())]
                .into_iter()
                .chain(state)
                .collect();
            let query = serde_urlencoded::to_string(query).ok()?;
            Some(format!("/api/v1/admin/dead-letters?{query}"))
        });
        Self {
            by: by.as_str(),
            group,
            links: json!({"letters": letters}),
        }
    }
}

/// Lists groups, the largest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let (by, limit) = (GroupBy::from(filter.by), page::limit(filter.limit)?);
    let wanted = filter.state.map(LetterState::as_str);
    let groups = state.store().letter_groups(by, wanted, limit).await?;
    let items = groups
        .into_iter()
        .map(|group| Item::of(by, filter.state, group))
        .collect();
    // There is no next page: whoever has more than a hundred troubles looks at the largest first.
    Ok(axum::Json(Page::new(items, None::<&()>)))
}
