//! Links with packed relative relocations where the machine that links can load them.
//!
//! A position-independent program of this size has 90,000 addresses that the loader mends at its start. Packed
//! (`DT_RELR`) their list takes 30 kB of each process of a fleet instead of 2 MB. The C library must be glibc
//! 2.36 or newer, here and where it runs: an older one refuses to start it, so nothing else is asked for it.

#![expect(
    clippy::print_stdout,
    reason = "cargo reads what a build script prints"
)]

use std::process::Command;

/// Set, to anything, by whoever builds here for an older machine.
const REFUSED: &str = "CHORUS_NO_RELR";

fn main() {
    println!("cargo:rerun-if-changed=../deploy/relr.rs");
    println!("cargo:rerun-if-env-changed={REFUSED}");
    if std::env::var_os(REFUSED).is_none()
        && std::env::var("PROFILE").as_deref() == Ok("release")
        && is_for_this_machine()
        && glibc() >= Some((2, 36))
    {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn is_for_this_machine() -> bool {
    std::env::var("TARGET").ok() == std::env::var("HOST").ok()
}

/// The version of the C library here, if it is that of GNU.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()?;
    let version = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = version.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
