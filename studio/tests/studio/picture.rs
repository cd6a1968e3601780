//! Reading, writing and resizing.

use png::{BitDepth, ColorType};
use studio::{Picture, Unreadable, portrait};

use crate::support::{chunks, foreign_png, look};

#[test]
fn a_written_picture_has_no_metadata_and_no_palette() {
    let samples = vec![0; 12];
    let foreign = foreign_png((2, 2), ColorType::Rgb, BitDepth::Eight, &samples);
    assert!(chunks(&foreign).contains(&"tEXt".to_owned()));

    for png in [
        Picture::from_png(&foreign).unwrap().png(),
        portrait(&look(3, "mystic"), 512).png(),
    ] {
        let names = chunks(&png);

        assert_eq!(names.first().unwrap(), "IHDR");
        assert_eq!(names.last().unwrap(), "IEND");
        let middle = &names[1..names.len() - 1];
        assert!(!middle.is_empty() && middle.iter().all(|name| name == "IDAT"));
    }
}

#[test]
fn a_picture_survives_writing_and_reading() {
    let drawn = portrait(&look(8, "rebel"), 128);

    let read = Picture::from_png(&drawn.png()).unwrap();

    assert_eq!(read, drawn);
}

#[test]
fn every_common_kind_of_png_is_read() {
    let cases = [
        (
            ColorType::Rgb,
            BitDepth::Eight,
            vec![10, 20, 30],
            [10, 20, 30, 255],
        ),
        (
            ColorType::Rgba,
            BitDepth::Eight,
            vec![10, 20, 30, 40],
            [10, 20, 30, 40],
        ),
        (
            ColorType::Grayscale,
            BitDepth::Eight,
            vec![77],
            [77, 77, 77, 255],
        ),
        (
            ColorType::GrayscaleAlpha,
            BitDepth::Eight,
            vec![77, 9],
            [77, 77, 77, 9],
        ),
        (
            ColorType::Indexed,
            BitDepth::Eight,
            vec![1],
            [0, 0, 255, 255],
        ),
        (
            ColorType::Grayscale,
            BitDepth::One,
            vec![0x80],
            [255, 255, 255, 255],
        ),
    ];
    for (color, depth, samples, pixel) in cases {
        let bytes = foreign_png((1, 1), color, depth, &samples);

        let picture = Picture::from_png(&bytes).unwrap();

        assert_eq!(picture.rgba(), pixel, "{color:?} {depth:?}");
    }
}

#[test]
fn a_header_that_claims_too_much_is_refused_before_unpacking() {
    let mut bomb = foreign_png((1, 1), ColorType::Grayscale, BitDepth::Eight, &[0]);
    bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());

    let refused = Picture::from_png(&bomb);

    assert!(matches!(
        refused,
        Err(Unreadable::Size {
            width: 60_000,
            height: 60_000
        })
    ));
}

#[test]
fn a_picture_of_one_endless_row_is_refused() {
    let mut strip = foreign_png((1, 1), ColorType::Grayscale, BitDepth::Eight, &[0]);
    strip[16..20].copy_from_slice(&30_000_000_u32.to_be_bytes());

    assert!(matches!(
        Picture::from_png(&strip),
        Err(Unreadable::Size { height: 1, .. })
    ));
}

#[test]
fn an_empty_picture_is_refused() {
    let mut empty = foreign_png((1, 1), ColorType::Grayscale, BitDepth::Eight, &[0]);
    empty[16..20].copy_from_slice(&0_u32.to_be_bytes());

    assert!(matches!(
        Picture::from_png(&empty),
        Err(Unreadable::Size { width: 0, .. })
    ));
}

#[test]
fn a_picture_cut_short_anywhere_is_refused() {
    let whole = portrait(&look(2, "sage"), 64).png();
    for length in (0..whole.len())
        .step_by(97)
        .chain([whole.len() - 1, whole.len() - 12])
    {
        assert!(
            Picture::from_png(&whole[..length]).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn a_flipped_byte_never_brings_the_reader_down() {
    let whole = portrait(&look(2, "sage"), 32).png();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;

        drop(Picture::from_png(&damaged));
    }
}

#[test]
fn other_files_and_deep_colours_are_refused() {
    let deep = foreign_png((1, 1), ColorType::Grayscale, BitDepth::Sixteen, &[0, 0]);

    assert!(matches!(Picture::from_png(&deep), Err(Unreadable::Depth)));
    assert!(matches!(
        Picture::from_png(b"GIF89a"),
        Err(Unreadable::NotPng)
    ));
    assert!(matches!(Picture::from_png(b""), Err(Unreadable::NotPng)));
}

#[test]
fn resizing_keeps_proportions_and_bounds() {
    let wide = foreign_png((40, 20), ColorType::Grayscale, BitDepth::Eight, &[9; 800]);
    let wide = Picture::from_png(&wide).unwrap();
    let sizes = |side| {
        let resized = wide.resized(side);
        (resized.width(), resized.height())
    };

    assert_eq!(sizes(10), (10, 5));
    assert_eq!(sizes(80), (80, 40));
    assert_eq!(sizes(0), (1, 1));
    assert_eq!(portrait(&look(1, "sage"), 256).resized(100).height(), 100);
}

#[test]
fn resizing_leaves_a_plain_colour_alone() {
    let plain: Vec<u8> = [200, 100, 50, 128].repeat(30 * 30);
    let plain = foreign_png((30, 30), ColorType::Rgba, BitDepth::Eight, &plain);

    let small = Picture::from_png(&plain).unwrap().resized(7);

    assert!(
        small
            .rgba()
            .chunks(4)
            .all(|pixel| pixel == [200, 100, 50, 128])
    );
}
