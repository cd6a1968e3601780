//! Spans for whoever collects them: over OTLP, in the trace that the caller has begun.

use crate::settings::Settings;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use saga_core::trace::{Recorder, Trace};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// What the paths of OTLP over HTTP begin with is configured; this one is of traces.
const PATH: &str = "/v1/traces";

/// Who sends spans away; [`Traces::stop`] sends the last ones.
#[derive(Debug, Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Begins to collect, if the settings say where to send it. `service` is how the process is called there,
    /// unless `OTEL_SERVICE_NAME` says otherwise.
    pub(super) fn begin(settings: &Settings, service: &str) -> Result<Self, ExporterBuildError> {
        let Some(endpoint) = &settings.otlp_endpoint else {
            return Ok(Self::default());
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{endpoint}{PATH}"))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(service))
            .build();
        saga_core::trace::record_with(Bridge);
        Ok(Self(Some(provider)))
    }

    /// Who makes spans, if any are to be sent.
    pub(super) fn tracer(&self) -> Option<SdkTracer> {
        self.0.as_ref().map(|provider| provider.tracer("chorus"))
    }

    /// Sends what was not sent yet; a collector that does not answer is waited for 5 s.
    pub async fn stop(self) {
        let Some(provider) = self.0 else { return };
        // The exporter blocks, and must not do so on a thread of the runtime.
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = stopped {
            tracing::debug!(%error, "The last spans were not sent");
        }
    }
}

fn resource(service: &str) -> Resource {
    let version = KeyValue::new("service.version", crate::VERSION);
    let resource = Resource::builder().with_attribute(version);
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty());
    if named {
        resource.build()
    } else {
        resource.with_service_name(service.to_owned()).build()
    }
}

/// Ties spans to the traces that headers and tickets carry.
struct Bridge;

impl Recorder for Bridge {
    fn adopt(&self, span: &Span, trace: &Trace) {
        let Some(parent) = parent(trace) else { return };
        let context = Context::new().with_remote_span_context(parent);
        // It cannot be set where nobody listens to this span, and is not missed there.
        drop(span.set_parent(context));
    }

    fn trace_of(&self, span: &Span) -> Option<Trace> {
        let context = span.context();
        let span = context.span();
        let told = span.span_context();
        let header = format!(
            "00-{}-{}-{:02x}",
            told.trace_id(),
            told.span_id(),
            told.trace_flags()
        );
        told.is_valid()
            .then(|| Trace::parse(&header).ok())
            .flatten()
    }
}

fn parent(trace: &Trace) -> Option<SpanContext> {
    let flags = u8::from_str_radix(trace.flags(), 16).ok()?;
    Some(SpanContext::new(
        TraceId::from_hex(trace.trace_id()).ok()?,
        SpanId::from_hex(trace.span_id()).ok()?,
        TraceFlags::new(flags),
        true,
        TraceState::default(),
    ))
}
