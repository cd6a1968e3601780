//! The W3C trace that a request, a saga and its steps belong to: carried on by tickets, kept with the saga's
//! first event, and told to whoever records spans.

use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};
use tracing::{Instrument as _, Span};

/// A `traceparent` of version 00, well formed: 32 hexadecimal digits of a trace, 16 of a span in it, flags.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Trace(Arc<str>);

/// Why a text is no [`Trace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent of version 00")]
pub struct NoTrace;

impl Trace {
    /// Reads the header. What is malformed, all zeros or of another version starts a trace anew.
    pub fn parse(header: &str) -> Result<Self, NoTrace> {
        let parts: Vec<&str> = header.trim().split('-').collect();
        let [version, trace, span, flags] = parts[..] else {
            return Err(NoTrace);
        };
        let hex = |part: &str, length: usize| {
            let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            part.len() == length && part.bytes().all(digit)
        };
        let set = |part: &str| part.bytes().any(|byte| byte != b'0');
        let good = version == "00" && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
        if good && set(trace) && set(span) {
            Ok(Self(header.trim().into()))
        } else {
            Err(NoTrace)
        }
    }

    /// As the header has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The trace, 32 digits.
    pub fn trace_id(&self) -> &str {
        &self.0[3..35]
    }
    /// The span that is the parent of what follows, 16 digits.
    pub fn span_id(&self) -> &str {
        &self.0[36..52]
    }
    /// Two digits; the lowest bit says whether anybody records the trace.
    pub fn flags(&self) -> &str {
        &self.0[53..55]
    }
}

impl TryFrom<String> for Trace {
    type Error = NoTrace;
    fn try_from(header: String) -> Result<Self, NoTrace> {
        Self::parse(&header)
    }
}
impl From<Trace> for String {
    fn from(trace: Trace) -> Self {
        trace.0.as_ref().to_owned()
    }
}

/// Whoever records spans, if the process has somebody who does.
pub trait Recorder: Send + Sync {
    /// Makes a span that has not begun yet a child of this trace's span.
    fn adopt(&self, span: &Span, trace: &Trace);
    /// The trace with this span as the parent of what follows.
    fn trace_of(&self, span: &Span) -> Option<Trace>;
}

/// As `tracing` has one subscriber a process, this has one recorder.
static RECORDER: OnceLock<Box<dyn Recorder>> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Option<Trace>;
}

/// From now on spans are recorded; a second recorder changes nothing.
pub fn record_with(recorder: impl Recorder + 'static) {
    drop(RECORDER.set(Box::new(recorder)));
}

/// Does some work in a span that continues a trace, or begins one where spans are recorded. The span's
/// field `trace_id`, if it has one, says which.
pub async fn follow<T>(span: Span, trace: Option<Trace>, work: impl Future<Output = T>) -> T {
    let recorder = RECORDER.get();
    if let (Some(recorder), Some(trace)) = (recorder, &trace) {
        recorder.adopt(&span, trace);
    }
    let own = recorder
        .and_then(|recorder| recorder.trace_of(&span))
        .or(trace);
    if let Some(own) = &own {
        span.record("trace_id", own.trace_id());
    }
    CURRENT.scope(own, work.instrument(span)).await
}

/// The trace of the work that this is called in: for whatever is begun or called from here.
pub fn current() -> Option<Trace> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::Trace;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_read_apart() {
        let trace = Trace::parse(GOOD).unwrap();
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((trace.span_id(), trace.flags()), ("00f067aa0ba902b7", "01"));
        assert_eq!(Trace::parse(&format!(" {GOOD} ")).unwrap(), trace);
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        let nobody = "0".repeat(32);
        for wrong in [
            String::new(),
            GOOD.replace("00-4", "01-4"),
            GOOD.replace("4bf", "4BF"),
            GOOD.replace("4bf", "4bg"),
            GOOD.replace("-01", "-1"),
            GOOD.replace("-01", "-01-x"),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &nobody),
            GOOD.replace("00f067aa0ba902b7", &nobody[..16]),
            GOOD.replace('4', "ä"),
        ] {
            assert!(Trace::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
