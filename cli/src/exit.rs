//! How a command ends when it does not end well: what it says, and its exit code.

use process::settings::Problems;
use std::process::ExitCode;

/// The exit codes that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The job failed, or the process did.
    Failed = 1,
    /// The command, its settings or its input are wrong.
    Usage = 2,
    /// The server does not answer, or cannot.
    Unreachable = 3,
    /// The server wants to know who calls, or does not let this one.
    Unauthorised = 4,
}

/// Why a command ends early.
#[derive(Debug)]
pub(crate) struct Trouble {
    code: Code,
    text: String,
}

impl Trouble {
    /// What went wrong, and the one thing to try.
    pub(crate) fn new(
        code: Code,
        what: impl std::fmt::Display,
        remedy: impl std::fmt::Display,
    ) -> Self {
        Self {
            code,
            text: format!("error: {what}\ntry: {remedy}"),
        }
    }
    /// Wrong usage.
    pub(crate) fn usage(what: impl std::fmt::Display, remedy: impl std::fmt::Display) -> Self {
        Self::new(Code::Usage, what, remedy)
    }
    /// The output has said it already; only the exit code is left.
    pub(crate) fn told(code: Code) -> Self {
        Self {
            code,
            text: String::new(),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Says what there is to say, on standard error.
    #[expect(
        clippy::print_stderr,
        reason = "this is where a command says what went wrong"
    )]
    pub(crate) fn tell(&self) -> ExitCode {
        if !self.text.is_empty() {
            eprintln!("{}", self.text);
        }
        ExitCode::from(self.code as u8)
    }
}

impl From<Problems> for Trouble {
    fn from(problems: Problems) -> Self {
        Self {
            code: Code::Usage,
            text: problems.to_string(),
        }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        let told = format!("error: {error:#}");
        let text = if told.contains("\ntry: ") {
            told
        } else {
            format!("{told}\ntry: RUST_LOG=debug, to see what led to it")
        };
        Self {
            code: Code::Failed,
            text,
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}
