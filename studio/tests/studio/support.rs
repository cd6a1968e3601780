//! Looks and files to draw from.

use studio::{Look, Stats};

pub(crate) const ARCHETYPES: [&str; 8] = [
    "protector",
    "sage",
    "rebel",
    "artist",
    "caregiver",
    "mystic",
    "leader",
    "trickster",
];

pub(crate) fn look(seed: u64, archetype: &str) -> Look {
    Look {
        seed,
        archetype: archetype.to_owned(),
        stats: Stats {
            charisma: 60,
            intellect: 55,
            kindness: 70,
            energy: 50,
        },
        traits: vec!["calm".to_owned(), "curious".to_owned()],
        rarity: "rare".to_owned(),
    }
}

/// A PNG as another program might write it.
pub(crate) fn foreign_png(
    (width, height): (u32, u32),
    color: png::ColorType,
    depth: png::BitDepth,
    samples: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![255, 0, 0, 0, 0, 255]);
    }
    encoder
        .add_text_chunk("Comment".to_owned(), "taken at home".to_owned())
        .expect("a short Latin text");
    let mut writer = encoder.write_header().expect("a lawful header");
    writer.write_image_data(samples).expect("enough samples");
    writer.finish().expect("memory takes every write");
    bytes
}

/// The names of a PNG's chunks, in order.
pub(crate) fn chunks(png: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = &png[8..];
    while rest.len() >= 12 {
        let length = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]);
        names.push(String::from_utf8_lossy(&rest[4..8]).into_owned());
        let length = usize::try_from(length).expect("a chunk fits in memory");
        rest = &rest[12 + length..];
    }
    names
}
