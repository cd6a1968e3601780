//! A picture in memory.

mod decode;
mod resize;

use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use tiny_skia::{IntSize, Pixmap};

use crate::tone::{self, Tone};

pub use decode::{MEGAPIXELS_MAX, SIDE_READ_MAX, Unreadable};

/// The longest side this crate draws or resizes to, in pixels.
pub const SIDE_MAX: u32 = 4096;

/// Pixels, nothing else: red, green, blue and alpha, eight bits each, row by row from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Picture({} x {})", self.width, self.height)
    }
}

impl Picture {
    /// Reads a PNG made by someone else; metadata, profiles and further frames are dropped.
    ///
    /// The header is judged before a single pixel is unpacked, so a small file cannot claim much memory.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] says why the bytes are refused.
    pub fn from_png(bytes: &[u8]) -> Result<Picture, Unreadable> {
        decode::decode(bytes)
    }

    /// Writes a PNG of `IHDR`, `IDAT` and `IEND` alone; opaque pictures leave out the alpha channel.
    pub fn png(&self) -> Vec<u8> {
        let opaque = self.rgba.chunks_exact(4).all(|pixel| pixel[3] == u8::MAX);
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Balanced);
        encoder.set_filter(Filter::Adaptive);
        encoder.set_color(if opaque {
            ColorType::Rgb
        } else {
            ColorType::Rgba
        });
        let mut writer = encoder
            .write_header()
            .expect("a picture has a size, and memory takes every write");
        let written = if opaque {
            let rgb: Vec<u8> = self
                .rgba
                .chunks_exact(4)
                .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
                .collect();
            writer.write_image_data(&rgb)
        } else {
            writer.write_image_data(&self.rgba)
        };
        written.expect("the pixels are as many as the header says");
        writer.finish().expect("memory takes every write");
        bytes
    }

    /// A copy whose longer side is `side` pixels (kept within 1..=[`SIDE_MAX`]); the proportions stay.
    #[must_use]
    pub fn resized(&self, side: u32) -> Picture {
        let side = side.clamp(1, SIDE_MAX);
        let longer = self.width.max(self.height);
        let fit = |length: u32| {
            let fitted =
                (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
            u32::try_from(fitted).unwrap_or(side).max(1)
        };
        resize::resize(self, fit(self.width), fit(self.height))
    }

    /// In pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels: red, green, blue, alpha (not premultiplied), row by row.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// The largest square around the centre.
    pub(crate) fn squared(&self) -> Picture {
        let side = self.width.min(self.height);
        if self.width == self.height {
            return self.clone();
        }
        let (left, top) = ((self.width - side) / 2, (self.height - side) / 2);
        let index = |number: u32| usize::try_from(number).expect("a side fits an index");
        let row_bytes = index(self.width) * 4;
        let rgba = self
            .rgba
            .chunks_exact(row_bytes)
            .skip(index(top))
            .take(index(side))
            .flat_map(|row| &row[index(left) * 4..index(left + side) * 4])
            .copied()
            .collect();
        Picture::of_pixels(side, side, rgba)
    }

    /// The colour of the whole picture seen from far away.
    pub(crate) fn mean(&self) -> Tone {
        let dot = resize::resize(self, 1, 1);
        tone::solid([dot.rgba[0], dot.rgba[1], dot.rgba[2]])
    }

    pub(crate) fn of_pixels(width: u32, height: u32, rgba: Vec<u8>) -> Picture {
        debug_assert_eq!(
            u64::from(width) * u64::from(height) * 4,
            rgba.len() as u64,
            "four bytes a pixel"
        );
        Picture {
            width,
            height,
            rgba,
        }
    }

    pub(crate) fn to_pixmap(&self) -> Option<Pixmap> {
        let premultiplied = self
            .rgba
            .chunks_exact(4)
            .flat_map(|pixel| {
                let weigh = |part: u8| {
                    let weighed = (u16::from(part) * u16::from(pixel[3]) + 127) / 255;
                    u8::try_from(weighed).unwrap_or(u8::MAX)
                };
                [weigh(pixel[0]), weigh(pixel[1]), weigh(pixel[2]), pixel[3]]
            })
            .collect();
        Pixmap::from_vec(premultiplied, IntSize::from_wh(self.width, self.height)?)
    }
}
