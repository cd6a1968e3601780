//! Models that do as a test tells them, and otherwise what the local ones do.

use chorus_workers::providers::local::{Painter, Writer};
use chorus_workers::providers::{
    Answered, Call, CallError, Completion, Embedder, Image, ImageModel, Picture, Prompt, TextModel,
    Texts, Unreadable, Usage, Vectors,
};
use domain::topics::sample::{NEIGHBOURHOOD, read};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How a call goes.
pub(crate) enum Turn {
    /// These bytes come back.
    Says(&'static str),
    /// It goes well, and a limit is used up by it for so long.
    UsesUp(Duration),
    /// No answer comes back.
    Fails(CallError),
}

/// Writes.
#[derive(Default)]
pub(crate) struct Pen {
    script: Mutex<VecDeque<Turn>>,
    refuses: AtomicBool,
    /// Idempotency keys and system prompts of the calls that were made.
    pub(crate) calls: Mutex<Vec<(String, String)>>,
    gate: Gate,
}

/// Paints.
#[derive(Default)]
pub(crate) struct Brush {
    refuses: AtomicBool,
    pub(crate) calls: AtomicUsize,
    gate: Gate,
}

/// Holds calls up until somebody gives them a permit.
#[derive(Default)]
struct Gate(Mutex<Option<&'static Semaphore>>);

pub(crate) fn refusal() -> CallError {
    CallError::Refused {
        free: true,
        detail: "not this one".to_owned(),
    }
}

pub(crate) fn throttled() -> CallError {
    CallError::Throttled {
        free: true,
        retry_after: Some(Duration::from_millis(50)),
        detail: "429".to_owned(),
    }
}

impl Pen {
    /// The next calls go like this, later ones well.
    pub(crate) fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.script.lock().unwrap().extend(turns);
    }

    pub(crate) fn refuse(&self, yes: bool) {
        self.refuses.store(yes, Ordering::SeqCst);
    }

    /// Every call waits here for a permit.
    pub(crate) fn gate(&self) -> &'static Semaphore {
        self.gate.close()
    }
}

impl Brush {
    pub(crate) fn refuse(&self, yes: bool) {
        self.refuses.store(yes, Ordering::SeqCst);
    }

    /// Every call waits here for a permit.
    pub(crate) fn gate(&self) -> &'static Semaphore {
        self.gate.close()
    }
}

impl Gate {
    fn close(&self) -> &'static Semaphore {
        let gate = Box::leak(Box::new(Semaphore::new(0)));
        *self.0.lock().unwrap() = Some(gate);
        gate
    }

    async fn pass(&self) {
        let gate = *self.0.lock().unwrap();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
    }
}

impl TextModel for Pen {
    fn provider(&self) -> &'static str {
        "local"
    }
    fn model(&self) -> &'static str {
        "scripted"
    }
    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        self.calls
            .lock()
            .unwrap()
            .push((call.idempotency_key.clone(), prompt.system.clone()));
        Box::pin(async move {
            self.gate.pass().await;
            if self.refuses.load(Ordering::SeqCst) {
                return Err(refusal());
            }
            let turn = self.script.lock().unwrap().pop_front();
            match turn {
                Some(Turn::Says(words)) => Ok(words.as_bytes().to_vec().into()),
                Some(Turn::UsesUp(wait)) => {
                    let answer = Writer.send(prompt, call).await?;
                    Ok(Answered {
                        patience: Some(wait),
                        ..answer
                    })
                }
                Some(Turn::Fails(error)) => Err(error),
                None => Writer.send(prompt, call).await,
            }
        })
    }
    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        Writer.read(raw)
    }
}

impl ImageModel for Brush {
    fn provider(&self) -> &'static str {
        "local"
    }
    fn model(&self) -> &'static str {
        "scripted"
    }
    fn send<'a>(
        &'a self,
        picture: &'a Picture,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.gate.pass().await;
            if self.refuses.load(Ordering::SeqCst) {
                return Err(refusal());
            }
            Painter.send(picture, call).await
        })
    }
    fn read(&self, raw: &[u8]) -> Result<Image, Unreadable> {
        Painter.read(raw)
    }
}

/// Tells by heart which theme an idea of the sample has; all other texts are unlike everything.
#[derive(Default)]
pub(crate) struct Ruler {
    batches: Mutex<Vec<usize>>,
}

impl Ruler {
    /// How many texts each call had.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }
}

/// Far from each other by their own entry; ideas of a theme share another.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; 1536];
    let own = text
        .bytes()
        .fold(7_usize, |sum, byte| (sum * 31 + usize::from(byte)) % 1400);
    let mut themes: Vec<&str> = read(NEIGHBOURHOOD).into_iter().map(|idea| idea.0).collect();
    themes.dedup();
    let theme = read(NEIGHBOURHOOD).into_iter().find(|idea| idea.1 == text);
    match theme.and_then(|theme| themes.iter().position(|name| *name == theme.0)) {
        Some(at) => {
            vector[1500 + at] = 1.0;
            vector[own] = 0.2;
        }
        None => vector[own] = 1.0,
    }
    vector
}

impl Embedder for Ruler {
    fn provider(&self) -> &'static str {
        "test"
    }

    fn model(&self) -> &'static str {
        "ruler"
    }

    fn send<'a>(
        &'a self,
        texts: &'a Texts,
        _: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(async move {
            self.batches.lock().unwrap().push(texts.texts.len());
            Ok(serde_json::to_vec(&texts.texts).unwrap().into())
        })
    }

    fn read(&self, raw: &[u8], count: usize) -> Result<Vectors, Unreadable> {
        let texts: Vec<String> = serde_json::from_slice(raw).unwrap();
        assert_eq!(texts.len(), count);
        Ok(Vectors(texts.iter().map(|text| vector(text)).collect()))
    }

    fn usage(&self, _: &[u8]) -> Usage {
        Usage::default()
    }
}
