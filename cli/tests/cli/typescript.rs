//! The example of the TypeScript client, run by Node against the whole house.

use crate::support::{Ended, Place};
use std::path::Path;
use std::process::{Command, Stdio};

/// What the example says once it has submitted, followed and cancelled.
const SAID: [&str; 5] = [
    "submitted ",
    "  step.started ",
    "  step.succeeded ",
    "it succeeded: ",
    "the other one is canceled",
];

#[test]
fn the_example_submits_streams_and_cancels() {
    let (place, tree) = (
        Place::new(),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/typescript"),
    );
    let Some(client) = installed(&place, &tree) else {
        eprintln!("left out: no Node here, or what the TypeScript client needs cannot be had");
        return;
    };
    let _house = place.house();
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let (url, token) = (read("chorus-data/url"), read("chorus-data/token"));
    let mut example = npm(&client, &["run", "--silent", "example"]);
    let told = example
        .env("CHORUS_URL", url.trim())
        .env("CHORUS_TOKEN", token.trim())
        .output()
        .unwrap();
    let told = Ended {
        code: told.status.code().unwrap_or(-1),
        out: String::from_utf8(told.stdout).unwrap(),
        err: String::from_utf8(told.stderr).unwrap(),
    };
    let told = told.is(0);
    let mut from = 0;
    for part in SAID {
        let at = told.out[from..].find(part);
        from += at.unwrap_or_else(|| panic!("no {part:?}, in this order: {told:#?}"));
    }
    assert!(!told.out.contains(token.trim()));
    let refused = npm(&client, &["run", "--silent", "example"])
        .env("CHORUS_URL", url.trim())
        .env("CHORUS_TOKEN", "none.of.ours")
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(why.contains("invalid_token"), "{why}");
}

fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// A copy of the client with what it needs: from the tree, where `scripts/client` left it, else from npm.
fn installed(place: &Place, tree: &Path) -> Option<std::path::PathBuf> {
    let copy = place.path("client");
    for folder in ["", "src", "examples"] {
        std::fs::create_dir(copy.join(folder)).unwrap();
        for entry in std::fs::read_dir(tree.join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), copy.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    let version = npm(&copy, &["--version"]).stdout(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return None;
    }
    let lock = |file: &str| std::fs::read(tree.join(file)).ok();
    let there =
        lock("node_modules/.installed").is_some_and(|of| Some(of) == lock("package-lock.json"));
    if there {
        std::os::unix::fs::symlink(tree.join("node_modules"), copy.join("node_modules")).unwrap();
        return Some(copy);
    }
    let got = npm(&copy, &["ci", "--silent"])
        .stdout(Stdio::null())
        .status();
    got.is_ok_and(|status| status.success()).then_some(copy)
}
