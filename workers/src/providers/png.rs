//! Tells a PNG from everything else, by its bytes alone.

use super::{Image, Unreadable};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const FIRST_CHUNK: &[u8] = b"\0\0\0\x0dIHDR";
const LAST_CHUNK: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Width and height of a PNG that is whole and small enough to decode.
pub(super) fn measured(bytes: &[u8]) -> Result<(u32, u32), Unreadable> {
    let Some(header) = bytes
        .strip_prefix(SIGNATURE)
        .and_then(|rest| rest.strip_prefix(FIRST_CHUNK))
    else {
        let found = other_kind(bytes);
        return Err(Unreadable::content(format!("not a PNG but {found}")));
    };
    let (Some(width), Some(height)) = (number(header, 0), number(header, 4)) else {
        return Err(Unreadable::content("the PNG ends within its header"));
    };
    if !bytes.ends_with(LAST_CHUNK) {
        return Err(Unreadable::content("the PNG is cut short"));
    }
    if [width, height]
        .iter()
        .any(|side| !(1..=Image::SIDE_MAX).contains(side))
    {
        let detail = format!("a PNG of {width} by {height} pixels");
        return Err(Unreadable::content(detail));
    }
    Ok((width, height))
}

fn number(header: &[u8], at: usize) -> Option<u32> {
    let bytes = header.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn other_kind(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(512)];
    let words = String::from_utf8_lossy(head).to_ascii_lowercase();
    match head {
        [] => "nothing",
        [0xff, 0xd8, 0xff, ..] => "a JPEG",
        [b'G', b'I', b'F', b'8', ..] => "a GIF",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "a WebP",
        _ if words.contains("<svg") => "an SVG",
        _ if words.contains("<html") => "an HTML page",
        _ => "no picture",
    }
}
