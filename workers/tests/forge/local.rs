//! The built-in providers, and which one the settings choose.

use chorus_workers::Deps;
use chorus_workers::providers::local::{Painter, Sitter, Writer};
use chorus_workers::providers::{Call, CallError, ImageModel, Picture, Prompt, TextModel};
use domain::mirror::archetype::Archetype;
use domain::mirror::rarity::Rarity;
use domain::mirror::statistics::Stats;
use process::Settings;
use process::settings::{Given, Role};
use serde_json::{Value, json};

fn call() -> Call {
    Call {
        idempotency_key: "key".to_owned(),
        request_id: "request".to_owned(),
    }
}

fn picture(seed: u64) -> Picture {
    let sitter = Sitter {
        seed,
        archetype: Archetype::Mystic,
        stats: Stats {
            charisma: 40,
            intellect: 70,
            kindness: 90,
            energy: 20,
        },
        traits: vec!["warm".to_owned()],
        rarity: Rarity::Epic,
    };
    Picture {
        look_prompt: String::new(),
        side: 256,
        purpose: "image",
        material: serde_json::to_value(sitter).unwrap(),
    }
}

#[tokio::test]
async fn the_same_sitter_is_always_drawn_the_same() {
    let first = Painter.send(&picture(7), &call()).await.unwrap();
    let second = Painter.send(&picture(7), &call()).await.unwrap();
    let other = Painter.send(&picture(8), &call()).await.unwrap();

    assert_eq!(first, second);
    assert_ne!(first, other);
    let image = Painter.read(&first.raw).unwrap();
    assert_eq!(
        (image.width, image.height, image.usage.images),
        (256, 256, 1)
    );
    assert!(Painter.read(b"no picture").is_err());
}

#[tokio::test]
async fn a_request_without_material_is_never_tried_again() {
    let prompt = Prompt {
        system: String::new(),
        user: String::new(),
        json: true,
        tokens_max: 1,
        temperature: 0.0,
        purpose: "persona",
        material: json!({}),
    };
    let text = Writer.send(&prompt, &call()).await.unwrap_err();
    assert!(matches!(text, CallError::Permanent { .. }), "{text:?}");
    let nobody = Picture {
        material: Value::Null,
        ..picture(1)
    };
    let image = Painter.send(&nobody, &call()).await.unwrap_err();
    assert!(matches!(image, CallError::Permanent { .. }), "{image:?}");
    assert!(Writer.read(b" ").is_err() && Writer.read(&[0xff]).is_err());
}

#[tokio::test]
async fn without_a_key_everything_is_local_and_with_one_the_server_is_asked() {
    let local = Deps::of(&Settings::embedded_in("unused").unwrap()).unwrap();
    assert_eq!(
        (local.text.provider(), local.image.provider()),
        ("local", "local")
    );

    let given = Given {
        openai_api_key: Some("sk-test-0123456789".to_owned()),
        image_provider: Some("local".to_owned()),
        text_model: Some("gpt-4o".to_owned()),
        ..Given::default()
    };
    let asked = Deps::of(&given.check(Role::Api).unwrap()).unwrap();
    assert_eq!(
        (asked.text.provider(), asked.text.model()),
        ("openai", "gpt-4o")
    );
    assert_eq!(asked.image.provider(), "local");
}
