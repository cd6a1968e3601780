//! Topics: ideas of members, the discussions that they become, and what happens, as it happens.

use crate::page::Paging;
use crate::problem::Code;
use crate::reference::{Api, Operation, signed, staff};
use crate::routes::{news, posts, submissions, topics};
use serde_json::json;

pub(super) fn operations() -> Api {
    stream(discussions(talk(ideas(Api::of("Topics")))))
}

fn ideas(api: Api) -> Api {
    let api = api.post(
        "/api/v1/submissions",
        submissions::create,
        signed("submitIdea", "Hand in an idea")
            .says(
                "Nobody but you sees it. You have one in the pool at a time: once a topic is made of it you may hand \
                 in another, and one that a round did not use is live again.",
            )
            .body::<submissions::Idea>(
                json!({"text": "Could the library stay open until ten on weekdays?"}),
            )
            .answer::<submissions::Told>(201, "The idea.")
            .once()
            .refuses(&[Code::LiveSubmissionExists]),
    );
    let api = api.get(
        "/api/v1/submissions/me",
        submissions::mine,
        signed("getMyIdea", "Show your idea in the pool, or the history of all of them")
            .query::<submissions::Which>()
            .either::<submissions::Told, submissions::History>(
                200,
                "The idea that is live or claimed; with `history=true` a page of all of them, newest first.",
            )
            .empty(204, "You have none in the pool."),
    );
    let own = |id, summary| signed(id, summary).named("The submission's id.");
    let late = &[Code::StateConflict];
    let api = api.patch(
        "/api/v1/submissions/{id}",
        submissions::edit,
        own("editIdea", "Give your idea another text, while it is live")
            .body::<submissions::Idea>(json!({"text": "Could the library stay open until nine?"}))
            .answer::<submissions::Told>(200, "The idea.")
            .refuses(late),
    );
    let api = api.delete(
        "/api/v1/submissions/{id}",
        submissions::withdraw,
        own("withdrawIdea", "Take your idea back, while it is live")
            .answer::<submissions::Told>(200, "The idea, withdrawn.")
            .refuses(late),
    );
    api.post(
        "/api/v1/submissions/seed",
        submissions::seed,
        staff("seedIdeas", "Put ideas into the pool for a start")
            .says("They are told to nobody as yours, and do not count as your one idea.")
            .body::<submissions::Seeds>(json!({"texts": [
                "A repair café on the first Saturday of the month.",
                "Benches in the shade along the river path.",
            ]}))
            .answer::<submissions::Seeded>(201, "They are in the pool.")
            .once(),
    )
}

fn discussions(api: Api) -> Api {
    let api = api.get(
        "/api/v1/topics",
        topics::list,
        signed("listTopics", "List topics, newest first")
            .query::<Paging>()
            .page::<topics::Told>("Topics."),
    );
    let api = api.get(
        "/api/v1/topics/{id}",
        topics::show,
        signed("getTopic", "Show a topic")
            .named("The topic's id.")
            .answer::<topics::Told>(200, "The topic.")
            .kept(),
    );
    api.post(
        "/api/v1/topics/{id}/retract",
        topics::retract,
        staff("retractTopic", "Take a topic back")
            .says("It is gone for everybody but those who may do this. Its ideas stay archived. Retracting twice is fine.")
            .named("The topic's id.")
            .body::<topics::Retraction>(json!({"reason": "It was about one person."}))
            .answer::<topics::Told>(200, "The topic, retracted.")
            .once(),
    )
}

fn post(id: &'static str, summary: &'static str) -> Operation {
    signed(id, summary).named("The topic's id, and the post's number in it.")
}

fn talk(api: Api) -> Api {
    let api = api.get(
        "/api/v1/topics/{id}/posts",
        posts::list,
        signed("listPosts", "List the posts of a topic, oldest first")
            .says("The first one opens the discussion; a model wrote it, so that it has no author.")
            .named("The topic's id.")
            .query::<Paging>()
            .page::<posts::Told>("Posts that are not deleted."),
    );
    let api = api.post(
        "/api/v1/topics/{id}/posts",
        posts::create,
        signed("createPost", "Say something about a topic")
            .named("The topic's id.")
            .body::<posts::Words>(json!({"body": "I would use it on Thursdays, after work."}))
            .answer::<posts::Told>(201, "The post.")
            .once(),
    );
    let api = api.patch(
        "/api/v1/topics/{id}/posts/{name}",
        posts::edit,
        post("editPost", "Give a post of yours other words")
            .body::<posts::Words>(json!({"body": "I would use it on Fridays, after work."}))
            .answer::<posts::Told>(200, "The post."),
    );
    api.delete(
        "/api/v1/topics/{id}/posts/{name}",
        posts::delete,
        post("deletePost", "Delete a post of yours").empty(204, "Its words are gone."),
    )
}

fn stream(api: Api) -> Api {
    let shape = json!({"type": "string"});
    api.get(
        "/api/v1/events/stream",
        news::stream,
        signed("streamEvents", "Tell what happens, as it happens")
            .says(
                "A stream of server-sent events, as far as your permissions reach: what becomes of your own ideas, new \
                 topics and posts, and for those who review them, rounds. The first frame is `stream.opened`; each has \
                 an id, and whoever comes again sends the last one as `Last-Event-ID` and misses nothing for 90 days. \
                 A stream ends after a quarter of an hour: come again.",
            )
            .query::<news::About>()
            .header(
                "Last-Event-ID",
                json!({"type": "integer", "minimum": 0}),
                "The id of the last event that you have.",
            )
            .of_type(200, "text/event-stream", "Events, each one an `Event` in JSON.", &shape),
    )
}
