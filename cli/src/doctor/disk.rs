//! The disk under the folder of media files: is it there, may we write, is there room?

use super::finding::Finding;
use process::Settings;
use rustix::fs::{Access, access, statvfs};

/// A picture with its variants is a few megabytes.
const FREE_MIN: u64 = 100 << 20;
const FREE_WARNED: u64 = 1 << 30;

pub(super) fn examine(settings: &Settings) -> Finding {
    let folder = &settings.media_dir;
    let shown = folder.display();
    if !folder.is_dir() {
        let found = format!("{shown} is not there");
        let remedy =
            "MEDIA_DIR, as API and image workers have it; the first picture makes the folder";
        return Finding::warning("media", found, remedy);
    }
    if access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let found = format!("nothing may be written to {shown}");
        return Finding::failed(
            "media",
            found,
            format!("chown it to the user of API and image workers: ls -ld {shown}"),
        );
    }
    let room = match statvfs(folder) {
        Ok(room) => room,
        Err(error) => {
            let found = format!("{shown}: {error}");
            return Finding::failed("media", found, format!("df {shown}"));
        }
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let found = format!("{} MiB free at {shown}", free >> 20);
    let remedy = format!("a larger disk for {shown}");
    match free {
        free if free < FREE_MIN => Finding::failed("media", found, remedy),
        free if free < FREE_WARNED => Finding::warning("media", found, remedy),
        _ => Finding::ok("media", found),
    }
}
