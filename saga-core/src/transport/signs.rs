//! Signs of life from a broker that is connected: one that hangs closes nothing, and answers nothing.

use lapin::Channel;
use lapin::options::BasicQosOptions;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the broker is asked for one.
const EVERY: Duration = Duration::from_secs(1);
/// How long it may take. Heartbeats end the session of a broker that hangs, but only after many seconds.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Whether a broker that is connected answers.
#[derive(Default)]
pub(super) struct Signs {
    missing: AtomicBool,
}

impl Signs {
    /// Whether it keeps somebody waiting.
    pub(super) fn missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// Asks, over and over, until the channel ends. A question that nobody answers in time stays asked:
    /// its answer is the first sign that the broker is back.
    pub(super) async fn watch(&self, channel: &Channel) -> lapin::Result<()> {
        loop {
            let mut sign = std::pin::pin!(channel.basic_qos(1, BasicQosOptions::default()));
            if let Ok(answered) = tokio::time::timeout(ANSWER_MAX, &mut sign).await {
                answered?;
            } else {
                self.missing.store(true, Ordering::Relaxed);
                sign.await?;
                self.missing.store(false, Ordering::Relaxed);
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
