//! A place of its own for each test, and the binary in it.

use serde_json::{Value, json};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until it is so.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut met: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = met() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder in which `chorus` is called.
pub(crate) struct Place(tempfile::TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The same, if it ended so.
    #[track_caller]
    pub(crate) fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
    /// What was printed, as one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
    /// What was printed, as one JSON object a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.out.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `chorus`, with nothing of this machine's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chorus"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TMPDIR", self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Calls it and waits for its end.
    pub(crate) fn chorus(&self, arguments: &[&str]) -> Ended {
        self.chorus_with(arguments, &[])
    }

    /// As [`Place::chorus`], with settings in the environment.
    pub(crate) fn chorus_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
        let mut command = self.command(arguments);
        let child = command.envs(settings.iter().copied()).spawn().unwrap();
        Running::of(child).ended()
    }

    /// Starts the whole house on a port that is free, and waits until it says where it is.
    pub(crate) fn house(&self) -> Running {
        self.house_with(&[])
    }

    /// As [`Place::house`], with settings in the environment.
    pub(crate) fn house_with(&self, settings: &[(&str, &str)]) -> Running {
        let url = self.path("chorus-data/url");
        drop(std::fs::remove_file(&url)); // of one that was killed
        let mut command = self.command(&["--port", "0"]);
        let child = command.envs(settings.iter().copied()).spawn().unwrap();
        let mut running = Running::of(child);
        until("the banner", || {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("it ended with {status}: {}", running.err());
            }
            (url.is_file() && running.out().contains("Ctrl-C")).then_some(())
        });
        running
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let token = std::fs::read_to_string(self.path("chorus-data/token")).unwrap();
        let url = std::fs::read_to_string(self.path("chorus-data/url")).unwrap();
        let http = reqwest::Client::new().post(format!("{}{path}", url.trim()));
        let asked = http.bearer_auth(token.trim()).json(body).send().await;
        let answer = asked.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    }

    /// Three friends answer the house, and a persona is made.
    pub(crate) async fn forge(&self) {
        let sample = include_str!("../../samples/friends.json");
        let sample: Value = serde_json::from_str(sample).unwrap();
        let friends = sample["friends"].as_array().unwrap();
        let survey = json!({"title": sample["title"], "min_responses": friends.len()});
        let survey = self.post("/api/v1/surveys", &survey).await;
        let path = format!(
            "/api/v1/surveys/{}/responses",
            survey["slug"].as_str().unwrap()
        );
        for (at, friend) in friends.iter().enumerate() {
            let body = json!({"answers": friend["answers"], "fingerprint": format!("friend {at}")});
            self.post(&path, &body).await;
        }
    }
}

/// A process, and what it has printed so far.
pub(crate) struct Running {
    child: Child,
    out: Printed,
    err: Printed,
}

/// What a pipe has brought, read by a thread so that it never fills up.
struct Printed {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Printed {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        let reader = Some(reader);
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

impl Running {
    pub(crate) fn of(mut child: Child) -> Self {
        let out = Printed::of(child.stdout.take().unwrap());
        let err = Printed::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn out(&self) -> String {
        self.out.so_far()
    }
    fn err(&self) -> String {
        self.err.so_far()
    }

    fn wait(&mut self) -> ExitStatus {
        until("its end", || self.child.try_wait().unwrap())
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        let status = self.wait();
        Ended {
            code: status.code().unwrap_or(-1),
            out: self.out.whole(),
            err: self.err.whole(),
        }
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(self) -> Ended {
        self.signal("INT");
        self.ended()
    }

    /// Sends a signal of this name.
    pub(crate) fn signal(&self, name: &str) {
        let (name, id) = (format!("-{name}"), self.child.id().to_string());
        let sent = Command::new("kill").args([name, id]).status().unwrap();
        assert!(sent.success());
    }

    /// The power cord.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
