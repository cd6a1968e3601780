//! Hashes that only this installation can make: whoever has a dump of the store cannot try words against them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use process::Secret;
use sha2::Sha256;

/// The HMAC-SHA-256 of these parts under the pepper. What it is for is part of it, so that a hash of one
/// purpose is nothing for another; each part's length is, too, so that no two lists of parts are one.
pub(crate) fn hash(pepper: &Secret, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper.reveal().as_bytes())
        .expect("HMAC takes keys of any length");
    for part in [purpose.as_bytes()].iter().chain(parts) {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::hash;
    use process::Secret;

    #[test]
    fn key_purpose_and_each_part_count() {
        let of =
            |pepper: &str, purpose, parts: &[&[u8]]| hash(&Secret::new(pepper), purpose, parts);
        let one = of("pepper", "body", &[b"ab", b"c"]);
        assert_eq!(one, of("pepper", "body", &[b"ab", b"c"]));
        for other in [
            of("salt", "body", &[b"ab", b"c"]),
            of("pepper", "identity", &[b"ab", b"c"]),
            of("pepper", "body", &[b"a", b"bc"]),
            of("pepper", "body", &[b"abc"]),
        ] {
            assert_ne!(one, other);
        }
    }
}
