//! Everything that the service logs while tests run, kept to be searched.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// What is shorter than this, in bytes, would be found by chance.
pub const SHORTEST: usize = 12;

static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
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
    let captured = CAPTURED.lock().unwrap_or_else(PoisonError::into_inner);
    !text.is_empty()
        && captured
            .windows(text.len())
            .any(|window| window == text.as_bytes())
}

/// How much was logged so far, in bytes.
pub fn length() -> usize {
    CAPTURED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .len()
}

/// Those of `secrets` that were logged since the log had `since` bytes. One passage over the log for all of them, for
/// tests have thousands.
pub fn leaked<'a>(since: usize, secrets: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // Found by their last bytes, for tokens all begin alike; two bytes tell of most places that they end no secret.
    let mut by_ending: HashMap<&[u8], Vec<&str>> = HashMap::new();
    let mut may_end = vec![false; 1 << 16];
    let pair = |first: u8, second: u8| usize::from(first) << 8 | usize::from(second);
    for secret in secrets {
        let ending = &secret.as_bytes()[secret.len() - SHORTEST..];
        may_end[pair(ending[SHORTEST - 2], ending[SHORTEST - 1])] = true;
        by_ending.entry(ending).or_default().push(secret);
    }
    let captured = CAPTURED.lock().unwrap_or_else(PoisonError::into_inner);
    let captured = &captured[since..];
    let mut leaked = Vec::new();
    for end in SHORTEST..=captured.len() {
        if may_end[pair(captured[end - 2], captured[end - 1])] {
            let ending = &captured[end - SHORTEST..end];
            let found = by_ending.get(ending).into_iter().flatten();
            leaked.extend(found.filter(|secret| captured[..end].ends_with(secret.as_bytes())));
        }
    }
    leaked
}

/// What was logged so far.
pub fn text() -> String {
    String::from_utf8_lossy(&CAPTURED.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

#[test]
fn a_secret_that_was_logged_is_found() {
    capture();
    let before = length();
    let (logged, unseen) = ("token-one-4711-signature", "token-two-4711-signature");
    tracing::info!(said = logged, "this is how a secret leaks");
    assert_eq!(leaked(before, [logged, unseen]), [logged]);
    assert!(leaked(length(), [logged, unseen]).is_empty());
}
