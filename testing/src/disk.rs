//! A small disk that fills up: a `tmpfs` of a few megabytes.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

const CHUNK: usize = 8 * 1024;

/// A small disk; dropping it takes it away.
pub struct Disk {
    /// Where it is.
    pub path: PathBuf,
}

impl Disk {
    /// A disk of so many megabytes in this folder, which is made. None, and said so: this user mounts nothing here.
    pub fn mount(path: &Path, megabytes: usize, what: &str) -> io::Result<Option<Self>> {
        fs::create_dir_all(path)?;
        let size = format!("size={megabytes}m,mode=0755");
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", &size, "none"]).arg(path);
        if mount.output().is_ok_and(|ran| ran.status.success()) {
            let path = path.to_owned();
            return Ok(Some(Self { path }));
        }
        crate::left_out(&format!("{what}: this user may not mount a disk"));
        Ok(None)
    }

    /// Gives it to whoever owns this file.
    pub fn give_to_owner_of(&self, other: &Path) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let other = fs::metadata(other)?;
        std::os::unix::fs::chown(&self.path, Some(other.uid()), Some(other.gid()))
    }

    /// Takes up all the room that is left.
    pub fn fill(&self) -> io::Result<()> {
        let mut file = fs::File::create(self.filler())?;
        let (chunk, mut length) = ([0; CHUNK], CHUNK);
        while length > 0 {
            match file.write(&chunk[..length]) {
                Ok(_) => {}
                // The last bytes, too.
                Err(error) if error.kind() == ErrorKind::StorageFull => length /= 2,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives the room back.
    pub fn free(&self) -> io::Result<()> {
        fs::remove_file(self.filler())
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let ended = Command::new("umount").arg("-l").arg(&self.path).status();
        if !ended.is_ok_and(|ended| ended.success()) {
            crate::left_out(&format!("the end of the disk at {}", self.path.display()));
        }
    }
}
