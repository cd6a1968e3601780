//! Reads PNG bytes from strangers.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};
use thiserror::Error;

use super::Picture;

/// How many million pixels a picture may claim.
pub const MEGAPIXELS_MAX: u64 = 40;

/// How many pixels a side may claim: a strip of one pixel by millions is no picture.
pub const SIDE_READ_MAX: u32 = 20_000;

const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Magic, then the length, name, body and checksum of the header chunk.
const HEADER_BYTES: usize = 8 + 4 + 4 + 13 + 4;
/// What the decoder may hold besides the pixels: rows, palettes, chunks it skips.
const SPARE_BYTES: usize = 16 << 20;

/// Why bytes are not taken as a picture.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// The bytes do not begin like a PNG.
    #[error("this is not a PNG")]
    NotPng,
    /// The header claims nothing, or more than [`MEGAPIXELS_MAX`] or [`SIDE_READ_MAX`]; nothing was unpacked.
    #[error("a picture of {width} x {height} pixels is not taken")]
    Size {
        /// As the header says.
        width: u32,
        /// As the header says.
        height: u32,
    },
    /// Sixteen bits a channel; everything up to eight is taken.
    #[error("a picture with sixteen bits a channel is not taken")]
    Depth,
    /// The file is cut short or damaged.
    #[error("the picture is damaged")]
    Damaged(#[from] png::DecodingError),
}

pub(super) fn decode(bytes: &[u8]) -> Result<Picture, Unreadable> {
    check_header(bytes)?;
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: SPARE_BYTES });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    let (width, height) = (reader.info().width, reader.info().height);
    let Some(room) = reader.output_buffer_size() else {
        return Err(Unreadable::Size { width, height });
    };
    let mut samples = vec![0; room];
    let frame = reader.next_frame(&mut samples)?;
    reader.finish()?;
    samples.truncate(frame.buffer_size());
    if frame.bit_depth != BitDepth::Eight {
        return Err(Unreadable::Depth);
    }
    let rgba = widen(samples, frame.color_type);
    Ok(Picture::of_pixels(width, height, rgba))
}

/// Judges the first bytes alone.
fn check_header(bytes: &[u8]) -> Result<(), Unreadable> {
    if !bytes.starts_with(MAGIC) {
        return Err(Unreadable::NotPng);
    }
    if bytes.len() < HEADER_BYTES || &bytes[12..16] != b"IHDR" {
        return Err(Unreadable::NotPng);
    }
    let number =
        |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (width, height) = (number(16), number(20));
    let pixels = u64::from(width) * u64::from(height);
    let strip = width.max(height) > SIDE_READ_MAX;
    if pixels == 0 || pixels > MEGAPIXELS_MAX * 1_000_000 || strip {
        return Err(Unreadable::Size { width, height });
    }
    if bytes[24] > 8 {
        return Err(Unreadable::Depth);
    }
    Ok(())
}

/// Brings every colour type to four channels; palettes were expanded by the decoder.
fn widen(samples: Vec<u8>, from: ColorType) -> Vec<u8> {
    match from {
        ColorType::Rgba => samples,
        ColorType::Rgb | ColorType::Indexed => samples
            .chunks_exact(3)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], u8::MAX])
            .collect(),
        ColorType::GrayscaleAlpha => samples
            .chunks_exact(2)
            .flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]])
            .collect(),
        ColorType::Grayscale => samples
            .iter()
            .flat_map(|&grey| [grey, grey, grey, u8::MAX])
            .collect(),
    }
}
