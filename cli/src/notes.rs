//! What a running `chorus` leaves in its data folder, so that verbs on the same machine just work.

use std::path::Path;
use std::{fs, io, io::Write as _};

/// Where the server is, and a token that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) url: String,
    pub(crate) token: String,
}

const URL: &str = "url";
const TOKEN: &str = "token";

impl Notes {
    /// Leaves the notes; nobody else may read the token.
    pub(crate) fn leave(&self, folder: &Path) -> io::Result<()> {
        process::folder::make(folder)?; // on PostgreSQL nobody has made it yet
        write(&folder.join(URL), &self.url)?;
        write(&folder.join(TOKEN), &self.token)
    }

    /// Takes the notes away: the server is not there any more.
    pub(crate) fn remove(folder: &Path) {
        for name in [URL, TOKEN] {
            drop(fs::remove_file(folder.join(name))); // not there is as good
        }
    }

    /// Reads what a running server left, if there is one.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        let read = |name: &str| {
            fs::read_to_string(folder.join(name))
                .ok()
                .map(|text| text.trim().to_owned())
        };
        Some(Self {
            url: read(URL)?,
            token: read(TOKEN)?,
        })
    }
}

/// The data folder, as verbs see it.
pub(crate) fn folder() -> std::path::PathBuf {
    let given = std::env::var_os("DATA_DIR").filter(|folder| !folder.is_empty());
    given.unwrap_or_else(|| "chorus-data".into()).into()
}

/// Written aside and renamed: a reader finds the old text or the new one.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(&draft)?, "{text}")?;
    fs::rename(draft, file)
}
