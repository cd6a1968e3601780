//! A browser without a window, Debian's Chromium, which is told what to do through a pipe.

use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Many times what a page takes here.
const LATEST: Duration = Duration::from_mins(1);
const NAMES: [&str; 2] = ["chromium-headless-shell", "chromium"];
/// It reads what it is told from its third descriptor, and writes to its fourth. Nothing that it opens here is worth a
/// sandbox, which root has none of.
const START: &str = "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
     --user-data-dir=\"$1\" --remote-debugging-pipe 3<&0 4>&1 >/dev/null 2>&1";
/// Until whatever wants to run once a page is there has run: errors of pictures, animations, timers.
const QUIET: &str =
    "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(document.title), 30)))";

/// A browser with one open tab.
pub(crate) struct Browser {
    told: BufReader<ChildStdout>,
    tell: ChildStdin,
    tab: String,
    commands: u64,
    seen: Seen,
    _child: Child,
    _profile: tempfile::TempDir,
}

/// What happened while a page was open.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) title: String,
    /// What asked for somebody's attention, which takes a script.
    pub(crate) dialogs: Vec<String>,
    /// What the page's policy kept from happening.
    pub(crate) reports: Vec<String>,
    /// The addresses that were asked.
    pub(crate) asked: Vec<String>,
}

impl Browser {
    /// Starts one; says what is left out where there is none.
    pub(crate) async fn start(what: &str) -> Option<Self> {
        let there = |name: &&str| {
            let said = std::process::Command::new(name).arg("--version").output();
            said.is_ok_and(|said| said.status.success())
        };
        let Some(name) = NAMES.iter().find(|name| there(name)) else {
            testing::left_out(&format!("{what}, for want of chromium-headless-shell"));
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", START, name])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut browser = Self {
            told: BufReader::new(child.stdout.take().unwrap()),
            tell: child.stdin.take().unwrap(),
            tab: String::new(),
            commands: 0,
            seen: Seen::default(),
            _child: child,
            _profile: profile,
        };
        let blank = json!({"url": "about:blank"});
        let made = browser.ask("Target.createTarget", blank).await;
        let attach = json!({"targetId": made["targetId"], "flatten": true});
        let attached = browser.ask("Target.attachToTarget", attach).await;
        attached["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut browser.tab);
        for part in ["Page", "Runtime", "Network", "Log", "Audits"] {
            browser.ask(&format!("{part}.enable"), json!({})).await;
        }
        Some(browser)
    }

    /// Opens a page, moves over it, and waits until it is quiet.
    pub(crate) async fn open(&mut self, url: &str) -> Seen {
        self.seen = Seen::default();
        let went = self.ask("Page.navigate", json!({"url": url})).await;
        assert_eq!(went.get("errorText"), None, "{url}");
        let script = json!({"expression": QUIET, "awaitPromise": true, "returnByValue": true});
        // Asked of a page that is being replaced, it has no answer: of its successor, it has.
        let mut title = Value::Null;
        while !title.is_string() {
            let quiet = self.ask("Runtime.evaluate", script.clone()).await;
            title = quiet["result"]["value"].clone();
        }
        for (x, y) in [(20, 20), (400, 300)] {
            let over = json!({"type": "mouseMoved", "x": x, "y": y});
            self.ask("Input.dispatchMouseEvent", over).await;
        }
        title.as_str().unwrap().clone_into(&mut self.seen.title);
        std::mem::take(&mut self.seen)
    }

    /// Tells it something, and takes down what happens until it has answered.
    async fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.send(method, parameters).await;
        loop {
            let told = tokio::time::timeout(LATEST, self.next()).await;
            let told = told.unwrap_or_else(|_| panic!("{method} has no answer"));
            if told["id"] == id {
                return told["result"].clone();
            }
            self.note(&told).await;
        }
    }

    async fn send(&mut self, method: &str, parameters: Value) -> u64 {
        self.commands += 1;
        let mut command = json!({"id": self.commands, "method": method, "params": parameters});
        if !self.tab.is_empty() {
            command["sessionId"] = json!(self.tab);
        }
        let bytes = command.to_string() + "\0";
        self.tell.write_all(bytes.as_bytes()).await.unwrap();
        self.commands
    }

    async fn next(&mut self) -> Value {
        let mut bytes = vec![];
        self.told.read_until(0, &mut bytes).await.unwrap();
        bytes.pop();
        serde_json::from_slice(&bytes).expect("the browser is there")
    }

    async fn note(&mut self, told: &Value) {
        let about = &told["params"];
        let kept = match told["method"].as_str() {
            Some("Page.javascriptDialogOpening") => {
                // The page stands still until somebody answers.
                let refuse = json!({"accept": false});
                self.send("Page.handleJavaScriptDialog", refuse).await;
                &mut self.seen.dialogs
            }
            Some("Log.entryAdded") if about["entry"]["source"] == "security" => {
                &mut self.seen.reports
            }
            Some("Audits.issueAdded") if about["issue"]["code"] == "ContentSecurityPolicyIssue" => {
                &mut self.seen.reports
            }
            Some("Network.requestWillBeSent") => {
                let url = about["request"]["url"].as_str().unwrap().to_owned();
                self.seen.asked.push(url);
                return;
            }
            Some(_) | None => return,
        };
        kept.push(about.to_string());
    }
}
