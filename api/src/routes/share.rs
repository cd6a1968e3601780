//! `/p/{id}`: the page behind a card's QR code, for whoever was shown the card.

use crate::front::OwnBody;
use crate::params::Id;
use crate::problem::Problem;
use crate::settings::ApiSettings;
use crate::state::State;
use axum::extract::State as In;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::mirror::standing::PersonaStatus;
use domain::mirror::store::personas::{self, Persona};
use sha2::{Digest as _, Sha256};

const STYLE: &str = "body{margin:0 auto;max-width:40rem;padding:2rem 1rem;text-align:center;\
font:1.1rem/1.5 system-ui,sans-serif;background:#14121c;color:#f2eee6}\
img{max-width:100%;height:auto;border-radius:1rem}h1{margin:.5rem 0 0}p{margin:.25rem 0 1rem}";

/// Shows what a card shows: name, title, archetype and the picture. Nothing of the answers, of their
/// number, or of who the persona is about; the id can only be known from the card.
pub(crate) async fn page(
    id: Result<Id, Problem>,
    In(state): In<State>,
) -> Result<Response, Problem> {
    let Ok(Id(id)) = id else {
        return Ok(nobody(state.settings()));
    };
    let found = personas::find(state.db(), id).await?;
    let ready = found.filter(|persona| persona.status == PersonaStatus::Ready);
    let shown = ready.and_then(|persona| shown(state.settings(), &persona));
    Ok(shown.unwrap_or_else(|| nobody(state.settings())))
}

fn shown(settings: &ApiSettings, persona: &Persona) -> Option<Response> {
    let text = persona.text.as_ref()?;
    let (name, title) = (escaped(&text.name), escaped(&text.title));
    let archetype = escaped(persona.archetype.as_str());
    let card = persona.card_media_id.map(|id| (id, "1080"));
    let picture = card.or(persona.illustration_media_id.map(|id| (id, "1024")));
    let picture = picture.map(|(id, variant)| super::media::link(settings, id, variant));
    let link = escaped(&format!("{}/p/{}", settings.public_url, persona.id));
    let (mut about, mut image) = (String::new(), String::new());
    if let Some(picture) = picture.as_deref().map(escaped) {
        about = format!("<meta property=\"og:image\" content=\"{picture}\">");
        image = format!("<img src=\"{picture}\" alt=\"The card of {name}\">");
    }
    let head = format!(
        "<title>{name} · Chorus</title><meta property=\"og:type\" content=\"website\">\
         <meta property=\"og:title\" content=\"{name}\"><meta property=\"og:description\" content=\"{title}\">\
         <meta property=\"og:url\" content=\"{link}\"><meta name=\"twitter:card\" content=\"summary_large_image\">{about}"
    );
    let body = format!("<main>{image}<h1>{name}</h1><p>{title}</p><p>{archetype}</p></main>");
    Some(html(settings, StatusCode::OK, &head, &body))
}

/// The same for a persona that is not ready and for one that never was.
fn nobody(settings: &ApiSettings) -> Response {
    let (head, body) = (
        "<title>Nobody here · Chorus</title>",
        "<main><h1>Nobody here</h1><p>This card's persona is gone, or never was.</p></main>",
    );
    let mut response = html(settings, StatusCode::NOT_FOUND, head, body);
    response.extensions_mut().insert(OwnBody);
    response
}

fn html(settings: &ApiSettings, status: StatusCode, head: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\">{head}<style>{STYLE}</style></head><body>{body}</body></html>\n"
    );
    let hash = BASE64.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; img-src 'self' {}; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        origin(&settings.public_url)
    );
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let cache = if status == StatusCode::OK {
        "public, max-age=300"
    } else {
        "no-store"
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    (status, headers, page).into_response()
}

/// The scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// A text that means only itself, between tags and within quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{escaped, origin};

    #[test]
    fn a_text_cannot_leave_its_place() {
        assert_eq!(escaped("<b a='\"&"), "&lt;b a=&#39;&quot;&amp;");
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(origin("https://a.example:1/b/c"), "https://a.example:1");
        assert_eq!(origin("https://a.example"), "https://a.example");
    }
}
