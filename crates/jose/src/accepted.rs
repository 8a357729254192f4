//! What a key accepted before: a token comes with every request for as long as it is good for, and a signature that was right
//! once is right each time.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// How many of those that came last are known for sure; of those before them as many again. A megabyte, when all are there.
const MOST: usize = 8_192;

/// A message with its signature.
pub(crate) type Pair = [u8; SHA256_OUTPUT_LEN];

/// The pairs that one key accepted, by their SHA-256: nothing that is compared here is a secret, nor could a token be made of
/// what the comparison's time tells. Clones remember the same.
#[derive(Clone, Default)]
pub(crate) struct Accepted(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    recent: HashSet<Pair>,
    older: HashSet<Pair>,
}

/// No two pairs are one: the length of the message says where the signature begins.
pub(crate) fn pair(message: &[u8], signature: &[u8]) -> Pair {
    let mut context = Context::new(&SHA256);
    context.update(&message.len().to_le_bytes());
    context.update(message);
    context.update(signature);
    let mut pair = Pair::default();
    pair.copy_from_slice(context.finish().as_ref());
    pair
}

impl Accepted {
    /// Whether the key accepted it before or does now, which is remembered.
    pub(crate) fn holds_or(&self, pair: Pair, verify: impl FnOnce() -> bool) -> bool {
        if self.holds(&pair) {
            return true;
        }
        let is_right = verify();
        if is_right {
            self.note(pair);
        }
        is_right
    }

    /// Whether the key accepted it before, and it was not forgotten.
    fn holds(&self, pair: &Pair) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if known.recent.contains(pair) {
            return true;
        }
        let is_older = known.older.contains(pair);
        drop(known);
        if is_older {
            self.note(*pair);
        }
        is_older
    }

    /// Remembers it for as long as it is asked for, and then until so many others were.
    fn note(&self, pair: Pair) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.recent.len() >= MOST {
            known.older = mem::take(&mut known.recent);
        }
        known.recent.insert(pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: usize) -> Pair {
        pair(&number.to_le_bytes(), b"signature")
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_makes_room() {
        let accepted = Accepted::default();
        accepted.note(numbered(0));
        for number in 1..5 * MOST {
            assert!(accepted.holds(&numbered(0)), "after {number}");
            accepted.note(numbered(number));
        }
        assert!(!accepted.holds(&numbered(1)));
        assert!(accepted.holds(&numbered(5 * MOST - 1)));
        let known = accepted.0.read().expect("a whole lock");
        assert!(known.recent.len() + known.older.len() <= 2 * MOST);
    }

    #[test]
    fn what_is_right_is_verified_once_and_what_is_wrong_each_time() {
        let accepted = Accepted::default();
        let known = accepted.clone();
        assert!(accepted.holds_or(numbered(0), || true));
        assert!(known.holds_or(numbered(0), || panic!("it is known")));
        for _ in 0..2 {
            assert!(!known.holds_or(numbered(1), || false));
        }
        assert!(known.holds_or(numbered(1), || true));
    }

    #[test]
    fn where_the_signature_begins_is_part_of_it() {
        assert_ne!(pair(b"ab", b"c"), pair(b"a", b"bc"));
        assert_ne!(pair(b"abc", b""), pair(b"", b"abc"));
    }
}
