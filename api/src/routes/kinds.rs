//! `/admin/kinds`: how each kind of saga stands, and its switch.

use super::dead_letters::words;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::Page;
use crate::params::Name;
use crate::problem::{Code, Problem};
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use saga_core::rules::KindMode;
use saga_core::store::{KindLoad, KindSwitch};
use serde::{Deserialize, Serialize};

/// A kind, as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Kind)]
pub(crate) struct Item {
    kind: String,
    state: KindMode,
    /// Sagas of it that have not ended.
    open: i64,
    /// Those of them that nobody has begun yet.
    queued: i64,
    /// Ready steps that stand in its line.
    in_line: i64,
    switched: Option<Switched>,
    links: Links,
}

/// Who switched a kind last, and why.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KindSwitched)]
struct Switched {
    reason: String,
    by: String,
    at: DateTime<Utc>,
}

impl From<&KindSwitch> for Switched {
    fn from(switch: &KindSwitch) -> Self {
        Self {
            reason: switch.reason.clone(),
            by: switch.decided_by.clone(),
            at: switch.decided_at,
        }
    }
}

impl From<KindLoad> for Item {
    fn from(load: KindLoad) -> Self {
        let this = format!("/api/v1/admin/kinds/{}", load.kind);
        let (one, other) = match load.mode() {
            KindMode::Enabled => ("pause", "drain"),
            KindMode::Paused => ("resume", "drain"),
            KindMode::Drain => ("resume", "pause"),
        };
        Self {
            links: Links::from([
                (one, format!("{this}/{one}")),
                (other, format!("{this}/{other}")),
                ("sagas", format!("/api/v1/admin/sagas?kind={}", load.kind)),
                ("self", this),
            ]),
            state: load.mode(),
            switched: load.switch.as_ref().map(Switched::from),
            kind: load.kind,
            open: load.open,
            queued: load.queued,
            in_line: load.in_line,
        }
    }
}

/// Lists the kinds, by name. There are a few dozen at most, so there is no next page.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let loads = state.store().kind_loads().await?;
    let items = loads.into_iter().map(Item::from).collect();
    Ok(axum::Json(Page::new(items, None::<&()>)))
}

/// Tells how one kind stands.
pub(crate) async fn show(
    _: Staff,
    Name(name): Name,
    In(state): In<State>,
) -> Result<axum::Json<Item>, Problem> {
    Ok(axum::Json(load(&state, &name).await?.into()))
}

async fn load(state: &State, name: &str) -> Result<KindLoad, Problem> {
    let loads = state.store().kind_loads().await?;
    let load = loads.into_iter().find(|load| load.kind == name);
    load.ok_or_else(|| Problem::not_found("kind"))
}

/// That a kind is switched, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SwitchKind)]
pub(crate) struct Wanted {
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Only tells what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// Has the workers leave a kind's steps alone; those under way go on to their end, and new sagas are accepted.
pub(crate) async fn pause(
    caller: Staff,
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    body: Json<Wanted>,
) -> Result<Response, Problem> {
    let wish = Wish::new(caller, name, KindMode::Paused, &body.value)?;
    wish.grant(&state, &asked, &body.bytes).await
}

/// Lets sagas that have begun go on to their end; others are accepted, and wait.
pub(crate) async fn drain(
    caller: Staff,
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    body: Json<Wanted>,
) -> Result<Response, Problem> {
    let wish = Wish::new(caller, name, KindMode::Drain, &body.value)?;
    wish.grant(&state, &asked, &body.bytes).await
}

/// Has the workers take a kind's steps again, those that waited bit by bit.
pub(crate) async fn resume(
    caller: Staff,
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    body: Json<Wanted>,
) -> Result<Response, Problem> {
    let wish = Wish::new(caller, name, KindMode::Enabled, &body.value)?;
    wish.grant(&state, &asked, &body.bytes).await
}

/// What a switch would come to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KindForeseen)]
pub(crate) struct Foreseen {
    kind: String,
    dry_run: bool,
    /// What the kind would be.
    state: KindMode,
    consequence: Consequence,
}

/// What becomes of a kind's work by a switch.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KindConsequence)]
struct Consequence {
    sagas_waiting: i64,
    sagas_going_on: i64,
    /// Ready steps that stand in its line now.
    steps_in_line: i64,
}

/// Who wants a kind switched how, and why.
struct Wish {
    caller: Staff,
    kind: String,
    mode: KindMode,
    reason: String,
    dry_run: bool,
}

impl Wish {
    fn new(caller: Staff, kind: String, mode: KindMode, wanted: &Wanted) -> Result<Self, Problem> {
        let reason = words(wanted.reason.as_deref(), wanted.note.as_deref())?;
        if reason.is_empty() && mode != KindMode::Enabled {
            let how = "Say why: it is everybody's work that waits.";
            return Err(Problem::field("/reason", "required", how));
        }
        Ok(Self {
            caller,
            kind,
            mode,
            reason,
            dry_run: wanted.dry_run,
        })
    }

    async fn grant(&self, state: &State, asked: &Asked, bytes: &[u8]) -> Result<Response, Problem> {
        let command = Command::of(state, &self.caller.account().to_string(), asked, bytes)?;
        let before = load(state, &self.kind).await?;
        let mut tx = state.begin().await?;
        if !self.dry_run
            && let Some(earlier) = command.claim(&mut tx).await?
        {
            return Ok(earlier.into_response());
        }
        let signature = self.caller.signature();
        let decision = (signature.as_str(), self.reason.as_str());
        let store = state.store();
        let switched = store.switch_kind(&mut tx, &self.kind, self.mode, decision);
        let Some(switch) = switched.await? else {
            drop(tx); // on SQLite one writes at a time, and looking again takes its turn
            return Err(already(&load(state, &self.kind).await?));
        };
        if self.dry_run {
            return Ok(axum::Json(self.foreseen(&before)).into_response());
        }
        let after = KindLoad {
            switch: Some(switch),
            ..before
        };
        let given = Given::telling(StatusCode::OK, &Item::from(after))?;
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        Ok(given.into_response())
    }

    /// What would come of it.
    fn foreseen(&self, before: &KindLoad) -> Foreseen {
        let (sagas_waiting, sagas_going_on) = match self.mode {
            KindMode::Enabled => (0, before.open),
            KindMode::Paused => (before.open, 0),
            KindMode::Drain => (before.queued, before.open - before.queued),
        };
        Foreseen {
            kind: self.kind.clone(),
            dry_run: true,
            state: self.mode,
            consequence: Consequence {
                sagas_waiting,
                sagas_going_on,
                steps_in_line: before.in_line,
            },
        }
    }
}

/// Says who was first, and when.
fn already(load: &KindLoad) -> Problem {
    let state = load.mode().as_str();
    let how = match &load.switch {
        Some(switch) => {
            let when = switch.decided_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let by = &switch.decided_by;
            format!("{by} has decided at {when}: the kind is {state}.")
        }
        None => "Nobody has switched the kind off: it is enabled.".to_owned(),
    };
    Problem::new(Code::StateConflict, how).with("state", state)
}
