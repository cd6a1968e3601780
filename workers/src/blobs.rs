//! Where files are kept: a folder for each medium, a file for each of its variants.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// Files in a folder of this machine, or of a volume that every worker and the API share.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// Files under `root`, which is made with the first of them.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a variant's file is, whether or not there is one.
    pub fn path(&self, media: Uuid, variant: &str) -> PathBuf {
        self.folder(media).join(format!("{variant}.png"))
    }

    /// Keeps a file. It appears whole or not at all, and is on disk when this returns; a file that
    /// is there already is replaced.
    pub async fn put(&self, media: Uuid, variant: &str, bytes: &[u8]) -> io::Result<()> {
        let (folder, path) = (self.folder(media), self.path(media, variant));
        fs::create_dir_all(&folder).await?;
        // A name of its own: two workers may be at the same step.
        let part = folder.join(format!(".{variant}.{}.part", Uuid::now_v7().simple()));
        let kept = async {
            let mut file = fs::File::create_new(&part).await?;
            file.write_all(bytes).await?;
            // The last write is still under way, and only this tells how it ended: a full disk is seen here.
            file.flush().await?;
            file.sync_all().await?;
            fs::rename(&part, &path).await?;
            sync(&folder).await?;
            sync(&self.root).await
        };
        let kept = kept.await;
        if kept.is_err() {
            drop(fs::remove_file(&part).await);
        }
        kept
    }

    /// Reads a file; `None` when there is none.
    pub async fn get(&self, media: Uuid, variant: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(media, variant)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes every file of a medium; what is not there is gone already.
    pub async fn delete(&self, media: Uuid) -> io::Result<()> {
        match fs::remove_dir_all(self.folder(media)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn folder(&self, media: Uuid) -> PathBuf {
        self.root.join(media.to_string())
    }
}

/// Makes a rename survive the power cord.
async fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder).await?.sync_all().await
}

/// Names a file's content.
pub fn etag(bytes: &[u8]) -> String {
    domain::hash::name(bytes)
}
