//! Names a content: the same bytes, the same name.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes, in 64 hexadecimal digits.
#[must_use]
pub fn name(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal digits, two for each.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| {
        let half = |at: u8| char::from(DIGITS[usize::from(at)]);
        [half(byte >> 4), half(byte & 15)]
    };
    bytes.iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_what_every_other_program_says() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(super::name(b"abc"), known);
    }
}
