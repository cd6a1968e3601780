//! Personas: the character that friends' answers became, and its pictures.

use crate::jobs::{Job, Status};
use crate::page::Paging;
use crate::problem::Code;
use crate::reference::{Api, anybody, signed};
use crate::routes::character::{AwaitedPersona, MyPersona, Told};
use crate::routes::{media, personas, share};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A job in the words of the forge's own answer.
struct ForgeJob;

impl PartialSchema for ForgeJob {
    /// An existing front end reads `generating` while the job is queued or running.
    fn schema() -> RefOr<Schema> {
        let mut job = Job::schema();
        if let RefOr::T(Schema::Object(job)) = &mut job {
            let mut status = Status::schema();
            if let RefOr::T(Schema::Object(status)) = &mut status {
                let words = status.enum_values.get_or_insert_default();
                words.push("generating".into());
            }
            job.properties.insert("status".to_owned(), status);
        }
        job
    }
}

impl ToSchema for ForgeJob {
    fn schemas(shapes: &mut Vec<(String, RefOr<Schema>)>) {
        Job::schemas(shapes);
    }
}

pub(super) fn operations() -> Api {
    let api = Api::of("Personas").get(
        "/api/v1/personas",
        personas::list,
        signed(
            "listPersonas",
            "List every version of your persona, newest first",
        )
        .query::<Paging>()
        .page::<Told>("Versions."),
    );
    let api = api.get(
        "/api/v1/personas/me",
        personas::me,
        signed(
            "getMyPersona",
            "Tell how far your persona is, and who it is",
        )
        .either::<MyPersona, AwaitedPersona>(200, "The persona; less of it before there is one.")
        .kept(),
    );
    let api = api.post(
        "/api/v1/personas/me/forge",
        personas::forge,
        signed(
            "forgePersona",
            "Start another forge of your friends' answers",
        )
        .body::<personas::Wish>(json!({"mode": "alchemic", "archetype": "sage"}))
        .answer::<ForgeJob>(
            202,
            "The forge is accepted; its status is `generating` while it is queued or running.",
        )
        .answer::<ForgeJob>(200, "The forge is done: it was waited for.")
        .tells(202, "Location", "The job.")
        .waits()
        .once()
        .refuses(&[
            Code::NotFound,
            Code::SurveyClosed,
            Code::InsufficientResponses,
            Code::StateConflict,
        ]),
    );
    let api = api.get(
        "/api/v1/personas/{id}",
        personas::show,
        signed("getPersona", "Show one version of your persona")
            .named("The persona's id.")
            .answer::<Told>(200, "The version.")
            .kept(),
    );
    api.and(pictures())
}

fn pictures() -> Api {
    let picture =
        json!({"type": "string", "contentEncoding": "binary", "contentMediaType": "image/png"});
    let api = Api::of("Personas").get(
        "/api/v1/media/{id}/file",
        media::file,
        signed("getPicture", "Send a picture's file")
            .says("To its owner, or, with the token of its link, to anybody.")
            .or_anybody()
            .named("The picture's id.")
            .query::<media::Which>()
            .of_type(200, "image/png", "The picture.", &picture)
            .kept(),
    );
    let page = json!({"type": "string"});
    api.get(
        "/p/{id}",
        share::page,
        anybody("getCardPage", "Show the page behind a card's QR code")
            .named_always("The persona's id.")
            .of_type(200, "text/html", "The page.", &page)
            .of_type(
                404,
                "text/html",
                "The same for a persona that is not ready and for one that never was.",
                &page,
            ),
    )
}
