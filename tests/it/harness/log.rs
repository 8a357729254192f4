//! Everything that the service logs while tests run, kept to be searched.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        captured().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// From here on what is logged, however little it matters, is kept.
pub fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = "trace,hyper=info,h2=info,mio=info";
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter)
            .with_writer(|| Captured)
            .init();
    });
}

/// Whether `text` was logged.
pub fn holds(text: &str) -> bool {
    // `str` searches in the compiled library; a search of bytes would be compiled like a test, and be slow like one.
    !text.is_empty() && String::from_utf8_lossy(&captured()).contains(text)
}

/// What was logged so far.
pub fn text() -> String {
    String::from_utf8_lossy(&captured()).into_owned()
}

fn captured() -> MutexGuard<'static, Vec<u8>> {
    CAPTURED.lock().unwrap_or_else(PoisonError::into_inner)
}
