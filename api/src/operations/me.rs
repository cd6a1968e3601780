//! What callers see of themselves, and how they go.

use crate::jobs::Job;
use crate::problem::Code;
use crate::reference::{Api, signed};
use crate::routes::{erase, me};

pub(super) fn operations() -> Api {
    let api = Api::of("Your account").get(
        "/api/v1/auth/me",
        me::show,
        signed("getMe", "Tell who you are and what you may do")
            .answer::<me::Me>(200, "You, as the credentials that you show have it."),
    );
    let api = api.delete(
        "/api/v1/auth/me",
        erase::erase,
        signed(
            "eraseMe",
            "Erase your account, with everything that it owns",
        )
        .says(
            "The job begins at once, and may be canceled for as long as nothing is gone; whoever asks twice is told \
             of the same one. Keys may not ask for it.",
        )
        .answer::<Job>(202, "The job has begun.")
        .answer::<Job>(200, "Everything is gone: it was waited for.")
        .tells(202, "Location", "The job.")
        .tells(200, "Location", "The job.")
        .waits()
        .refuses(&[Code::Forbidden, Code::BadParameter]),
    );
    let api = api.get(
        "/api/v1/auth/sessions",
        me::sessions,
        signed("listMySessions", "List your sessions, newest first")
            .says("A key has none, and is refused.")
            .query::<me::From>()
            .page::<me::Told>("Sessions that are not over.")
            .refuses(&[Code::Forbidden]),
    );
    let api = api.delete(
        "/api/v1/auth/sessions/{id}",
        me::end,
        signed("endMySession", "End one of your sessions")
            .says("Its tokens open nothing any more.")
            .named("The session's id.")
            .empty(204, "It is over.")
            .refuses(&[Code::Forbidden]),
    );
    api.post(
        "/api/v1/auth/logout",
        me::logout,
        signed("signOut", "End the session of the token that you show")
            .says(
                "An issuer's token is no session of ours: sign out there. Who asks again once it is over is told so by \
                 401: the token opens nothing any more, whatever the key.",
            )
            .empty(204, "It is over.")
            .once()
            .refuses(&[Code::StateConflict]),
    )
}
