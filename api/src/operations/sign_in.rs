//! How people come in, and stay.

use crate::problem::Code;
use crate::reference::{Api, Operation, anybody};
use crate::routes::{refresh, sign_in};
use serde_json::json;

/// A sign-in by the token of somebody else's issuer.
fn by_issuer(id: &'static str, summary: &'static str, description: &'static str) -> Operation {
    anybody(id, summary)
        .says(description)
        .named("The issuer's name in the settings.")
        .body::<sign_in::Shown>(json!({"token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmVk"}))
        .answer::<sign_in::Welcome>(200, "Signed in.")
        .once()
        .refuses(&[
            Code::StateConflict,
            Code::InvalidToken,
            Code::TokenExpired,
            Code::AccountDisabled,
        ])
}

pub(super) fn operations() -> Api {
    let api = Api::of("Sign-in").post(
        "/api/v1/auth/login",
        sign_in::login,
        anybody("login", "Sign in by password")
            .says(
                "After five failures in a row the address is locked for five minutes, whoever asks. No token is kept: \
                 whoever asks again under one Idempotency-Key gets the same session, with another refresh token.",
            )
            .body::<sign_in::Login>(json!({"email": "robin@example.org", "password": "three plain words"}))
            .answer::<sign_in::LoggedIn>(200, "Signed in.")
            .once()
            .refuses(&[
                Code::StateConflict,
                Code::InvalidCredentials,
                Code::AccountDisabled,
                Code::AccountLocked,
            ]),
    );
    let api = api.post(
        "/api/v1/auth/refresh",
        refresh::refresh,
        anybody("refresh", "Get a new pair of tokens for a refresh token")
            .says(
                "A refresh token counts once. One that was used before ends its session, for whoever has it. Whoever \
                 lost the answer asks again under the same Idempotency-Key, and gets another pair in its place.",
            )
            .body::<refresh::Refresh>(json!({"refresh_token": "chr_Qm9yaW5nIG9uIHB1cnBvc2U"}))
            .answer::<refresh::Pair>(200, "The new pair.")
            .once()
            .refuses(&[Code::InvalidToken, Code::AccountDisabled]),
    );
    api.post(
        "/api/v1/auth/google",
        sign_in::google,
        by_issuer(
            "signInByGoogle",
            "Sign in by an ID token of Google's",
            "Whoever comes for the first time gets an account. Where GOOGLE_CLIENT_ID is not set, this is not found.",
        ),
    )
    .post(
        "/api/v1/auth/oidc/{provider}",
        sign_in::oidc,
        by_issuer(
            "signInByIssuer",
            "Sign in by a token of an issuer of the settings",
            "Whoever comes for the first time gets an account. Issuers are those of OIDC_ISSUERS, and google.",
        ),
    )
}
