//! `/admin/dead-letters/groups`: letters that have something in common, so that one trouble is judged once.

use super::dead_letters::LetterState;
use crate::auth::Staff;
use crate::body::Json;
use crate::page::{self, Page};
use crate::params::{Name, Params};
use crate::problem::Problem;
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use saga_core::store::{GroupBy, GroupNote, LetterGroup};
use serde::{Deserialize, Serialize};

/// What the letters of a group have in common.
#[derive(Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = GroupBy)]
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

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// What they have in common: `error` unless said otherwise.
    #[serde(default)]
    #[param(inline)]
    by: By,
    /// Letters in this state; `status` means the same.
    #[serde(alias = "status")]
    #[param(inline)]
    state: Option<LetterState>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// A group, as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeadLetterGroup)]
pub(crate) struct Item {
    by: &'static str,
    #[serde(flatten)]
    group: LetterGroup,
    links: Links,
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
            links: Links::from([("letters", letters)]),
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

const NOTE_CHARS_MAX: usize = 2_000;

/// What is to be noted; `null` takes the note away.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNote)]
pub(crate) struct Noted {
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, min_length = 1, max_length = 2000)]
    note: Option<String>,
}

/// Notes something about letters that failed alike, for whoever looks next.
pub(crate) async fn note(
    caller: Staff,
    Name(group): Name,
    In(state): In<State>,
    Json { value, .. }: Json<Noted>,
) -> Result<axum::Json<GroupNote>, Problem> {
    let note = value.note.as_deref().map(str::trim);
    if note.is_some_and(|note| note.is_empty() || note.chars().count() > NOTE_CHARS_MAX) {
        let how = format!("Say it in 1 to {NOTE_CHARS_MAX} characters; null takes the note away.");
        return Err(Problem::field("/note", "out_of_range", how));
    }
    let mut tx = state.begin().await?;
    let by = caller.signature();
    let noted = state.store().note_group(&mut tx, &group, note, &by).await?;
    let noted = noted.ok_or_else(|| Problem::not_found("group"))?;
    tx.commit().await?;
    Ok(axum::Json(noted))
}
