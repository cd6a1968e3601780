//! Secrets that embedded mode makes for itself, once.

use super::Secret;
use std::io::{ErrorKind, Read as _, Write as _};
use std::{fs, io, path::Path};
use uuid::Uuid;

/// Reads a secret from its file, or makes one there that nobody else may read.
pub(super) fn kept(file: &Path) -> io::Result<Secret> {
    match read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = file.parent() {
                crate::folder::make(folder)?;
            }
            write_new(file)?;
            read(file)
        }
        found => found,
    }
}

fn read(file: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    fs::File::open(file)?.read_to_string(&mut text)?;
    let text = text.trim();
    if text.len() < 32 {
        return Err(io::Error::other(format!(
            "{} is damaged; delete it to have another made",
            file.display()
        )));
    }
    Ok(Secret::new(text))
}

/// Whole or not at all: the file gets its name only when it is written.
fn write_new(file: &Path) -> io::Result<()> {
    let draft = file.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&draft)?;
    // Two version 4 UUIDs: 244 bits from the operating system.
    writeln!(
        out,
        "{}{}",
        Uuid::new_v4().simple(),
        Uuid::new_v4().simple()
    )?;
    out.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
