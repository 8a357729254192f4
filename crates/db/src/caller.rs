//! Those who wait for what comes of their units.

use tokio::{runtime::Handle, sync::oneshot};

use crate::{Error, Written};

/// What came of a unit.
pub(crate) type Word = Result<Written, Error>;

/// Where a word is to go.
pub(crate) struct Caller {
    answer: oneshot::Sender<Word>,
    /// Where the caller waits.
    home: Handle,
}

impl Caller {
    /// Somebody in this runtime, and what they wait for.
    pub(crate) fn new() -> (Self, oneshot::Receiver<Word>) {
        let (answer, answered) = oneshot::channel();
        let home = Handle::current();
        (Self { answer, home }, answered)
    }

    /// The runtime in which the caller waits.
    pub(crate) fn home(&self) -> &Handle {
        &self.home
    }

    /// Who has gone meanwhile is told nothing.
    pub(crate) fn tell(self, word: Word) {
        let _ = self.answer.send(word);
    }
}

/// Tells several callers, each of whom waits in a runtime: one by one these would be woken, and take the core, for every word.
pub(crate) fn tell(words: impl Iterator<Item = (Caller, Word)>) {
    let mut homes: Vec<(Handle, Vec<_>)> = Vec::new();
    for (caller, word) in words {
        match homes.iter_mut().find(|(it, _)| it.id() == caller.home.id()) {
            Some((_, words)) => words.push((caller, word)),
            None => homes.push((caller.home.clone(), vec![(caller, word)])),
        }
    }
    let say = |words: Vec<(Caller, Word)>| {
        for (caller, word) in words {
            caller.tell(word);
        }
    };
    for (home, words) in homes {
        match words.len() {
            1 => say(words),
            _ => drop(home.spawn(async move { say(words) })),
        }
    }
}
