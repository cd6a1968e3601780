//! `Prefer: wait=N`: how long a caller would rather wait than come again.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// The longest wait that is granted.
const WAIT_MAX_S: u64 = 30;
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Says which preference was honoured.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// A wait that a caller asked for, cut to what is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(u64);

impl Wait {
    /// Reads the preference; one that cannot be read is ignored, as preferences are.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let all = headers
            .get_all(PREFER)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut each = all
            .flat_map(|value| value.split([',', ';']))
            .filter_map(|one| one.split_once('='));
        let (_, seconds) = each.find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))?;
        let seconds: u64 = seconds.trim().trim_matches('"').parse().ok()?;
        (seconds > 0).then(|| Self(seconds.min(WAIT_MAX_S)))
    }

    /// How long.
    pub(crate) fn length(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Says that it was honoured.
    pub(crate) fn applied(self) -> HeaderValue {
        HeaderValue::from_str(&format!("wait={}", self.0))
            .unwrap_or_else(|_| HeaderValue::from_static("wait"))
    }
}

#[cfg(test)]
mod tests {
    use super::Wait;
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn a_wait_is_found_among_preferences_and_cut() {
        let of = |text: &'static str| {
            let headers = HeaderMap::from_iter([(super::PREFER, HeaderValue::from_static(text))]);
            Wait::of(&headers).map(|wait| wait.0)
        };
        assert_eq!(of("wait=5"), Some(5));
        assert_eq!(of("respond-async, WAIT = 900"), Some(30));
        assert_eq!(of("wait=0"), None);
        assert_eq!(of("wait=soon"), None);
        assert_eq!(of("return=minimal"), None);
    }
}
