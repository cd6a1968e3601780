//! Places to die, and ways to be wrong, for the crash suite; nothing of it is in a release.
//!
//! `FAILPOINTS=name[@step]=1*return` (crate `fail`) aborts the process at the named point;
//! `CHORUS_DEATHS=FILE` has it say there where it died. `CHORUS_SEEDED=name[,name]` makes the build bad
//! on purpose, so that the suite can show that it would notice.

/// Dies here if the crash suite said so. `at` names the step, or is empty.
#[cfg(feature = "faults")]
pub fn point(name: &str, at: &str) {
    static ARMED: std::sync::Once = std::sync::Once::new();
    // `fail` reads its variable when a scenario begins; this one lasts as long as the process.
    ARMED.call_once(|| std::mem::forget(fail::FailScenario::setup()));
    let _ = fail::eval(name, |_| die(name)) as Option<()>;
    if !at.is_empty() {
        let place = format!("{name}@{at}");
        let _ = fail::eval(&place, |_| die(&place)) as Option<()>;
    }
}

/// Writes down where, and is gone.
#[cfg(feature = "faults")]
fn die(place: &str) {
    use std::io::Write as _;
    if let Some(file) = std::env::var_os("CHORUS_DEATHS")
        && let Ok(mut file) = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
    {
        drop(file.write_all(format!("{place}\n").as_bytes()));
    }
    std::process::abort();
}

/// Compiled out.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn point(_name: &str, _at: &str) {}

/// Whether this process was told to be wrong in this way.
#[cfg(feature = "faults")]
pub fn seeded(name: &str) -> bool {
    static SEEDED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SEEDED
        .get_or_init(|| std::env::var("CHORUS_SEEDED").unwrap_or_default())
        .split(',')
        .any(|seed| seed == name)
}

/// Compiled out.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn seeded(_name: &str) -> bool {
    false
}
