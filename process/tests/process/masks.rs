//! What is secret in an address is not shown, whichever setting the address stands in.

use crate::settings::{DATABASE, complaint, fleet, some};
use process::settings::Given;

#[test]
fn a_secret_in_any_address_or_in_the_wrong_setting_is_not_shown() {
    let given = Given {
        database_url: some("postgres://db/chorus?user=chorus&password=hunter2"),
        amqp_url: some("amqp://u:hunter2@rabbit/%2f?sslpassword=hunter2"),
        openai_base_url: some("https://hunter2@models.example/v1?key=hunter2"),
        otel_exporter_otlp_endpoint: some("https://u:hunter2@spans.example"),
        ..fleet()
    };
    let rows = format!("{:?}", given.rows());
    assert!(!rows.contains("hunter2"), "{rows}");
    for part in [
        "https://u:***@spans.example",
        "https://***@models.example/v1?key=***",
    ] {
        assert!(rows.contains(part), "no {part} in {rows}");
    }
    let wrong = Given {
        database_url: some("mysql://hunter2@db"),
        amqp_url: some("amqp://hunter2@rabbit:5672"),
        openai_base_url: some("ftp://models.example?token=hunter2"),
        otel_exporter_otlp_endpoint: some("grpc://u:hunter2@spans.example"),
        host: some(DATABASE),
        prices: some(DATABASE),
        queue_prefix: some(DATABASE),
        cors_origins: some("https://u:hunter2@app.example"),
        jwt_secret: None,
        jwt_secret_file: some(DATABASE),
        ..fleet()
    };
    let rows = format!("{:?}", wrong.rows());
    let told = complaint(wrong);
    assert!(
        told.starts_with("error: 9 configuration problems"),
        "{told}"
    );
    assert!(
        !told.contains("hunter2") && !rows.contains("hunter2"),
        "{told}{rows}"
    );
    assert!(
        told.contains("amqp://user:password@rabbit:5672/%2f ?"),
        "{told}"
    );
}
