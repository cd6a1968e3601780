//! The person at the dead letters: gives up what failed for good, mends what can only go forward,
//! tries the rest again.

use crate::door::Door;
use crate::provider::Provider;
use axum::http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// What the operator did.
#[derive(Default)]
pub struct Deeds {
    /// Letters that were replayed.
    pub replayed: AtomicUsize,
    /// Of these, poison: three workers died in the step.
    pub poison: AtomicUsize,
    /// Letters that were discarded.
    pub discarded: AtomicUsize,
}

/// Looks at the open letters, over and over.
pub async fn run(door: Arc<Door>, provider: Arc<Provider>, deeds: Arc<Deeds>) {
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let Ok(letters) = door.letters().await else {
            continue;
        };
        for letter in letters {
            let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
            let is_undo = matches!(text("step").as_str(), "drill.undo" | "drill.unpaint");
            let saga = text("job").parse::<Uuid>().ok();
            let mut verb = "replay";
            if is_undo {
                mend(&provider, saga, "undo ");
            } else if text("class") == "permanent" {
                verb = "discard";
            }
            let Ok(mut status) = door.decide(&text("id"), verb).await else {
                continue;
            };
            if status == StatusCode::CONFLICT && verb == "discard" {
                // Past its point of no return, or already discarded: then this is refused, too.
                verb = "replay";
                mend(&provider, saga, "");
                let Ok(again) = door.decide(&text("id"), verb).await else {
                    continue;
                };
                status = again;
            }
            if status.is_success() {
                let count = if verb == "replay" {
                    &deeds.replayed
                } else {
                    &deeds.discarded
                };
                count.fetch_add(1, Ordering::Relaxed);
                if text("class") == "poison" {
                    deeds.poison.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Whatever kept a saga's deeds, or their undos, from working is put right.
fn mend(provider: &Provider, saga: Option<Uuid>, prefix: &str) {
    for deed in crate::plan::DEEDS {
        if let Some(saga) = saga {
            provider.open(saga, &format!("{prefix}{deed}"));
        }
    }
}
