//! Everything that the tests of this process log.

use std::io::{self, Write};
use std::sync::{Mutex, Once};

static LINES: Mutex<Vec<u8>> = Mutex::new(vec![]);

struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what is logged from here on.
pub(crate) fn keep() {
    static START: Once = Once::new();
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(|| Keeper)
            .try_init()
            .unwrap();
    });
}

/// What was logged.
pub(crate) fn kept() -> String {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap()
}
