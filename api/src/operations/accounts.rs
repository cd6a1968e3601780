//! Accounts and API keys: who may do what.

use crate::problem::Code;
use crate::reference::{Api, Operation, staff};
use crate::routes::{account_verbs, accounts, api_keys, dead_letters::Decision};
use serde_json::json;

/// A change of an account that is there.
fn change(id: &'static str, summary: &'static str, description: &'static str) -> Operation {
    staff(id, summary)
        .says(description)
        .named("The account's id.")
        .answer::<accounts::Told>(200, "The account.")
}

pub(super) fn operations() -> Api {
    let api = Api::of("Accounts").post(
        "/api/v1/admin/accounts",
        accounts::create,
        staff("createAccount", "Make an account")
            .says(
                "Nobody is told: its owner signs in by the password. Admins are made and changed \
                 by admins alone.",
            )
            .body::<accounts::New>(json!({
                "email": "robin@example.org",
                "display_name": "Robin Lee",
                "roles": ["member"],
                "password": "three plain words",
                "reason": "Robin joins us.",
            }))
            .answer::<accounts::Told>(201, "The account.")
            .once()
            .refuses(&[Code::StateConflict]),
    );
    let api = api.get(
        "/api/v1/admin/accounts",
        accounts::list,
        staff("listAccounts", "List accounts, newest first")
            .query::<accounts::Filter>()
            .page::<accounts::Told>("Accounts."),
    );
    keys(changes(api))
}

fn changes(api: Api) -> Api {
    let api = api.put(
        "/api/v1/admin/accounts/{id}/roles",
        accounts::roles,
        change(
            "setRoles",
            "Make these the roles of an account",
            "It has no others from then on, and they count at once.",
        )
        .body::<accounts::NewRoles>(
            json!({"roles": ["member", "reviewer"], "reason": "Robin reviews personas."}),
        ),
    );
    let api = api.put(
        "/api/v1/admin/accounts/{id}/password",
        accounts::password,
        change(
            "setPassword",
            "Set the password of an account",
            "Its sessions end.",
        )
        .body::<accounts::NewPassword>(
            json!({"password": "four other plain words", "reason": "Robin forgot it."}),
        ),
    );
    api.post(
        "/api/v1/admin/accounts/{id}/disable",
        account_verbs::disable,
        change(
            "disableAccount",
            "Have an account do nothing any more",
            "Its sessions end. Asking twice is fine; your own is refused.",
        )
        .body::<Decision>(json!({"reason": "Robin has left."}))
        .once()
        .refuses(&[Code::StateConflict]),
    )
    .post(
        "/api/v1/admin/accounts/{id}/enable",
        account_verbs::enable,
        change(
            "enableAccount",
            "Have a disabled account do things again",
            "Asking twice is fine.",
        )
        .body::<Decision>(json!({"reason": "Robin is back."}))
        .once(),
    )
}

fn keys(api: Api) -> Api {
    let api = api.post(
        "/api/v1/admin/api-keys",
        api_keys::create,
        staff("createApiKey", "Make an API key")
            .says(
                "The key is told this once. It may do what its scopes say and its account may, never \
                 more.",
            )
            .body::<api_keys::New>(json!({
                "name": "The nightly report",
                "scopes": ["ops:read"],
                "expires_at": "2099-01-01T00:00:00Z",
                "reason": "The report asks for costs.",
            }))
            .answer::<api_keys::Made>(201, "The key.")
            .once(),
    );
    api.get(
        "/api/v1/admin/api-keys",
        api_keys::list,
        staff("listApiKeys", "List API keys, newest first")
            .query::<api_keys::Pages>()
            .page::<api_keys::Told>("Keys, without what would open anything."),
    )
    .post(
        "/api/v1/admin/api-keys/{id}/revoke",
        api_keys::revoke,
        staff("revokeApiKey", "Have an API key open nothing any more")
            .says("Asking twice is fine.")
            .named("The key's id.")
            .body::<Decision>(json!({"reason": "The report is no more."}))
            .answer::<api_keys::Told>(200, "The key, revoked.")
            .once(),
    )
}
