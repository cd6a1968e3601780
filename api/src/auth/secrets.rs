//! Secrets that we hand out once and keep the hash of: refresh tokens and API keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// How the keys that we make begin.
const KEY: &str = "chk_";
/// How long that beginning is, with the twelve letters by which each is found.
const PREFIX_BYTES: usize = 16;
/// How refresh tokens begin.
const REFRESH: &str = "chr";
/// Neither is ever longer.
const BYTES_MAX: usize = 128;

/// A new API key, with what it is found by.
pub(crate) struct NewKey {
    pub(crate) secret: String,
    pub(crate) prefix: String,
}

/// Makes an API key.
pub(crate) fn key() -> NewKey {
    let name = Uuid::new_v4().simple().to_string();
    let prefix = format!("{KEY}{}", &name[..12]);
    NewKey {
        secret: format!("{prefix}_{}", random()),
        prefix,
    }
}

/// What an API key is found by; `None` where it cannot be one of ours.
pub(crate) fn prefix(key: &str) -> Option<&str> {
    let (prefix, secret) = key.split_at_checked(PREFIX_BYTES)?;
    let ours = prefix.starts_with(KEY) && secret.starts_with('_') && key.len() <= BYTES_MAX;
    ours.then_some(prefix)
}

/// Makes a refresh token.
pub(crate) fn refresh() -> String {
    format!("{REFRESH}_{}", random())
}

/// Whether it could be a refresh token of ours.
pub(crate) fn is_refresh(token: &str) -> bool {
    token.len() <= BYTES_MAX && token.starts_with(REFRESH)
}

/// What is kept of a secret. It has enough chance in it that nobody finds it by trying.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether two hashes are the same, in a time that says nothing of where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    bool::from(one.ct_eq(other))
}

/// 256 bits: three version 4 UUIDs have 366 of the operating system's.
fn random() -> String {
    let mut chance = Sha256::new();
    for _ in 0..3 {
        chance.update(Uuid::new_v4().as_bytes());
    }
    BASE64.encode(chance.finalize())
}

#[cfg(test)]
mod tests {
    use super::{hash, key, prefix, refresh, same};

    #[test]
    fn a_key_is_found_by_its_beginning_and_known_by_all_of_it() {
        for _ in 0..50 {
            let made = key();
            assert_eq!(prefix(&made.secret), Some(&*made.prefix), "{}", made.prefix);
        }
        let (one, other) = (key(), key());
        assert!(same(&hash(&one.secret), &hash(&one.secret)));
        assert!(!same(&hash(&one.secret), &hash(&other.secret)));
        for bad in [
            "",
            "chk",
            "chk_short_x",
            "x_aaaaaaaaaaaa_y",
            &"_".repeat(500),
        ] {
            assert_eq!(prefix(bad), None, "{bad}");
        }
        assert!(refresh() != refresh());
    }
}
