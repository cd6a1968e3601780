//! What models cost, and the caps on it, as they are set.

use crate::settings::{complaint, some};
use process::settings::{Given, Role};

#[test]
fn prices_are_read_inline_and_from_a_file() {
    let inline = r#"{"openai": {"a/b": {"input_micros_per_million_tokens": 7, "source": "the list of May"}}}"#;
    let settings = Given {
        prices: some(inline),
        openai_base_url: some("http://127.0.0.1:9/v1"),
        text_model: some("a/b"),
        ..Given::default()
    };
    let settings = settings.check(Role::Worker).unwrap();
    let price = settings.prices.of("openai", "a/b").unwrap();
    assert_eq!((price.input, price.output, price.image), (7, 0, 0));
    assert_eq!(settings.prices.of("openai", "b"), None);
    assert_eq!(
        settings.prices.of("local", "any"),
        Some(saga_core::Price::default())
    );
    let unpriced = ["gpt-image-1", "text-embedding-3-small"].map(|model| {
        format!("PRICES has no price for the model {model}: what its calls cost stays unknown")
    });
    assert_eq!(settings.warnings, unpriced);

    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/prices.json");
    let settings = Given {
        prices: some(shipped),
        openai_api_key: some("sk-1"),
        ..Given::default()
    };
    let settings = settings.check(Role::Worker).unwrap();
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    let price = settings.prices.of("openai", "gpt-4.1").unwrap();
    assert_eq!((price.input, price.output), (2_000_000, 8_000_000));
}

#[test]
fn prices_that_cannot_be_read_say_what_is_wrong_with_them() {
    for (prices, why) in [
        ("no/such/file.json", "cannot be read"),
        (
            r#"{"openai": {"m": {"input": 7}}}"#,
            "unknown field `input`",
        ),
        (r#"{"openai": {"m": {}}}"#, "openai/m"),
        (
            r#"{"openai": {"m": {"micros_per_image": -1}}}"#,
            "invalid value",
        ),
    ] {
        let told = complaint(Given {
            prices: some(prices),
            ..Given::default()
        });
        assert!(told.contains("PRICES") && told.contains(why), "{told}");
    }
}

#[test]
fn a_budget_needs_a_price_for_every_model_in_use() {
    let given = Given {
        openai_api_key: some("sk-1"),
        ai_daily_budget_micros: some("5000000"),
        ..Given::default()
    };
    let told = complaint(given.clone());
    for part in ["PRICES", "gpt-4.1", "gpt-image-1", "deploy/prices.json"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/prices.json");
    let settings = Given {
        prices: some(shipped),
        ai_saga_budget_micros: some("0"),
        ..given.clone()
    };
    let caps = settings.check(Role::Worker).unwrap().caps;
    assert_eq!(
        (caps.saga, caps.account, caps.all),
        (Some(0), None, Some(5_000_000))
    );
    let told = complaint(Given {
        ai_daily_budget_micros: some("five"),
        ai_account_daily_budget_micros: some("-1"),
        ..Given::default()
    });
    for name in ["AI_DAILY_BUDGET_MICROS", "AI_ACCOUNT_DAILY_BUDGET_MICROS"] {
        assert!(told.contains(name), "no {name} in {told}");
    }
}
