//! The data folder of embedded mode belongs to one process at a time.

use crate::settings::Settings;
use anyhow::Context as _;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

/// Held as long as the process uses its data folder; the operating system frees it, however the process ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Takes the data folder for this process. Two processes on one folder would take each other's steps
/// for those of a process that died.
pub fn lock(settings: &Settings) -> anyhow::Result<FolderLock> {
    let folder = &settings.data_dir;
    make(folder).with_context(|| format!("making the data folder {}", folder.display()))?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join("lock"))
        .with_context(|| format!("opening the data folder {}", folder.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(FolderLock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            drop(file.read_to_string(&mut holder));
            anyhow::bail!(
                "process {holder} uses the data folder {}\ntry: stop it, or give this one a folder of its own with DATA_DIR",
                folder.display()
            )
        }
        Err(TryLockError::Error(error)) => Err(error).context("locking the data folder"),
    }
}

/// Makes a folder that nobody else may look into: it holds people's answers, and secrets.
pub fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
