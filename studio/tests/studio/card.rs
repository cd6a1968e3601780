//! Cards.

use qrcode::{Color, EcLevel, QrCode};
use studio::{Card, Picture, Stats, card, left_out, portrait};

use crate::support::look;

const LINK: &str = "https://chorus.example/p/mara-lindqvist-71c2";

fn sample(name: &'static str) -> Card<'static> {
    Card {
        name,
        title: "Keeper of the kiln",
        archetype: "artist",
        rarity: "epic",
        stats: Stats {
            charisma: 10,
            intellect: 100,
            kindness: 0,
            energy: 255,
        },
        traits: &[],
        link: LINK,
        provider: "local",
    }
}

fn face() -> Picture {
    portrait(&look(4, "artist"), 128)
}

fn brightness(picture: &Picture, x: usize, y: usize) -> u8 {
    let width = usize::try_from(picture.width()).expect("a side fits an index");
    picture.rgba()[(y * width + x) * 4]
}

#[test]
fn the_same_card_gives_the_same_bytes() {
    let drawn = || card(&sample("Mara Lindqvist"), &face());

    assert_eq!(drawn().png(), drawn().png());
    assert_eq!((drawn().width(), drawn().height()), (1080, 1080));
}

#[test]
fn the_code_holds_the_link_in_whole_pixels_with_quiet_around() {
    let picture = card(&sample("Mara"), &face());

    let code = QrCode::with_error_correction_level(LINK, EcLevel::M).unwrap();
    let side = code.width();
    let module = 236 / (side + 8);
    let panel = module * (side + 8);
    let corner = 1080 - 48 - panel;
    for row in 0..side {
        for column in 0..side {
            let at = |cell: usize, within: usize| corner + (cell + 4) * module + within;
            for within in [0, module - 1] {
                let seen = brightness(&picture, at(column, within), at(row, within));
                match code[(column, row)] {
                    Color::Dark => assert!(seen < 40, "dark {column} {row}"),
                    Color::Light => assert!(seen > 240, "light {column} {row}"),
                }
            }
        }
    }
    let quiet = 4 * module;
    for along in quiet..panel - quiet {
        for across in (2..quiet).chain(panel - quiet..panel - 2) {
            assert_eq!(brightness(&picture, corner + along, corner + across), 255);
            assert_eq!(brightness(&picture, corner + across, corner + along), 255);
        }
    }
}

#[test]
fn a_portrait_that_is_not_square_is_cropped_to_its_centre() {
    let row = |x: u32| {
        if (30..70).contains(&x) {
            [0, 200, 0, 255]
        } else {
            [200, 0, 0, 255]
        }
    };
    let samples: Vec<u8> = (0..40).flat_map(|_| (0..100).flat_map(row)).collect();
    let wide = crate::support::foreign_png(
        (100, 40),
        png::ColorType::Rgba,
        png::BitDepth::Eight,
        &samples,
    );

    let drawn = card(&sample("Mara"), &Picture::from_png(&wide).unwrap());

    for x in [60, 328, 590] {
        assert_eq!(
            brightness(&drawn, x, 328),
            0,
            "only the green middle at {x}"
        );
    }
}

#[test]
fn names_of_any_length_stay_inside() {
    let long = "Maximiliana Theodora Alexandrovna von Hohenzollern-Sigmaringen of the Upper Valley and the Lower Hills";
    let unbroken = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogochandthensomemore";
    for name in ["M", "Mara Lindqvist", long, unbroken] {
        let drawn = card(&sample(name), &face());

        let light = |x: usize| (640..720).any(|y| brightness(&drawn, x, y) > 200);
        assert!((48..100).any(light), "{name} is written");
        assert!(!(1034..1060).any(light), "{name} stays inside");
    }
}

#[test]
fn texts_the_font_cannot_write_are_left_out_and_named() {
    let traits = ["calm".to_owned(), "静か".to_owned()];
    let known = Card {
        traits: &traits,
        ..sample("Şükrü Łukasz Ñandú 🎉")
    };
    assert_eq!(left_out(&known), ["静か"]);

    let foreign = Card {
        title: "",
        ..sample("山田太郎")
    };
    assert_eq!(left_out(&foreign), ["山田太郎"]);
    assert_eq!(left_out(&sample("דוד")), ["דוד"]);
    let nameless = Card {
        name: "",
        ..foreign
    };
    assert_eq!(card(&foreign, &face()), card(&nameless, &face()));
}

#[test]
fn a_link_too_long_for_a_code_is_left_out() {
    let link = "x".repeat(300);
    let wordy = Card {
        link: &link,
        ..sample("Mara")
    };

    assert_eq!(left_out(&wordy), [link.as_str()]);
    assert_eq!(card(&wordy, &face()).width(), 1080);
}
