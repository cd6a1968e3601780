//! Which program is killed, and how each of its roles is started.

use crate::services::root;
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What a process of the fleet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Serves HTTP.
    Api,
    /// Works on the synthesis queue.
    Synthesis,
    /// Works on the image queue.
    Image,
    /// Everything in one process.
    Whole,
}

impl Role {
    /// The arguments that make the program this.
    pub fn args(self) -> &'static [&'static str] {
        match self {
            Self::Api => &["api"],
            Self::Synthesis => &["worker", "synthesis"],
            Self::Image => &["worker", "image"],
            Self::Whole => &[],
        }
    }
    /// Whether it serves HTTP.
    pub fn has_door(self) -> bool {
        matches!(self, Self::Api | Self::Whole)
    }
    /// The word in names of log files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Synthesis => "synthesis",
            Self::Image => "image",
            Self::Whole => "whole",
        }
    }
}

/// The program under test: the real `chorus`, built with the feature `faults` beside the one that is
/// not. `CHORUS_CRASH_BIN` names another.
pub fn program() -> PathBuf {
    std::env::var_os("CHORUS_CRASH_BIN").map_or_else(|| kept_at().join("chorus"), PathBuf::from)
}

/// Where cargo put this test.
fn built_at() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    test.ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

fn kept_at() -> PathBuf {
    built_at().join("crash")
}

/// Builds the program, once a run. The ordinary build of the same name stays where it is.
pub async fn build() -> anyhow::Result<()> {
    static BUILT: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    if std::env::var_os("CHORUS_CRASH_BIN").is_some() {
        return Ok(());
    }
    BUILT.get_or_try_init(build_now).await.copied()
}

async fn build_now() -> anyhow::Result<()> {
    let (ordinary, kept) = (built_at().join("chorus"), kept_at());
    let aside = kept.join("ordinary");
    std::fs::create_dir_all(&kept)?;
    drop(std::fs::remove_file(&aside));
    let there = std::fs::hard_link(&ordinary, &aside).is_ok();
    let target = built_at()
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "build",
            "--quiet",
            "-p",
            "chorus",
            "--bin",
            "chorus",
            "--features",
            "faults",
            "--target-dir",
        ])
        .arg(target);
    if built_at().ends_with("release") {
        cargo.arg("--release");
    }
    let ran = cargo
        .current_dir(root())
        .output()
        .await
        .context("running cargo")?;
    ensure!(
        ran.status.success(),
        "chorus with faults does not build:\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    drop(std::fs::remove_file(program()));
    std::fs::hard_link(&ordinary, program()).context("keeping chorus with faults")?;
    if there {
        std::fs::rename(&aside, &ordinary)?;
    } else {
        std::fs::remove_file(&ordinary)?;
    }
    Ok(())
}

/// A bearer token of somebody who may decide about letters.
pub async fn token(vars: &[(String, String)]) -> anyhow::Result<String> {
    let mut command = Command::new(program());
    command
        .env_clear()
        .args(["token", "--email", "crash@example.org", "--role", "admin"])
        .envs(vars.iter().cloned());
    let ran = command.output().await?;
    ensure!(
        ran.status.success(),
        "no token: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    Ok(String::from_utf8(ran.stdout)?.trim().to_owned())
}
