//! Other addresses by which callers know a resource.

use axum::http::Request;
use axum::http::uri::{PathAndQuery, Uri};

/// The other address, and the one that has the routes.
const ALIASES: [(&str, &str); 1] = [("/api/v1/approvals", "/api/v1/reviews")];

/// Leads a request for one of the other addresses, and for what is below it, to the one that has the routes: all that
/// holds there holds for it.
pub(crate) fn resolve<B>(request: &mut Request<B>) {
    if let Some(uri) = led(request.uri()) {
        *request.uri_mut() = uri;
    }
}

fn led(uri: &Uri) -> Option<Uri> {
    let given = uri.path_and_query()?.as_str();
    let below = |(other, own): (&str, &'static str)| {
        let rest = given.strip_prefix(other)?;
        let ends = rest.is_empty() || rest.starts_with(['/', '?']);
        ends.then(|| format!("{own}{rest}"))
    };
    let path = ALIASES.into_iter().find_map(below)?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::led;

    #[test]
    fn only_the_other_address_and_what_is_below_it_is_led_elsewhere() {
        let to = |given: &str| led(&given.parse().unwrap()).map(|uri| uri.to_string());
        let told = |given: &str, own: &str| assert_eq!(to(given).as_deref(), Some(own));
        told("/api/v1/approvals", "/api/v1/reviews");
        told(
            "/api/v1/approvals?state=pending",
            "/api/v1/reviews?state=pending",
        );
        told("/api/v1/approvals/1/approve", "/api/v1/reviews/1/approve");
        for other in [
            "/api/v1/approvalsx",
            "/api/v1/reviews",
            "/x/api/v1/approvals",
            "/",
        ] {
            assert_eq!(to(other), None, "{other}");
        }
    }
}
