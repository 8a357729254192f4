//! What its holder goes on with when a session is renewed: the refresh token, or the value of the cookie.
//!
//! It is the family's secret, which the session's row knows by its hash alone, the generation, and a tag that proves that
//! we made the two. So the successor of a token is the same for whoever asks, however often, on whichever node: a retry
//! that lost its answer loses nothing, and there are never two children. Neither the database nor the key that makes tags
//! is enough to make one, nor are both of them without the secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::{self, Secret, Stamp};

const SECRET: usize = 32;
const GENERATION: usize = 8;
const TAG: usize = 16;
/// What is tagged is a renewal and nothing else.
const PLACE: &str = "session renewal v1";

/// One generation of a family.
pub struct Renewal {
    secret: Secret<[u8; SECRET]>,
    /// How many came before it.
    pub generation: i64,
}

impl Renewal {
    /// The first of a new family.
    pub fn first() -> Self {
        Self {
            secret: Secret::new(secret::bytes()),
            generation: 0,
        }
    }

    /// The one that follows it.
    pub fn next(&self) -> Self {
        Self {
            secret: self.secret.clone(),
            generation: self.generation.saturating_add(1),
        }
    }

    /// What the session's row knows the family by: SHA-256 of 256 bits of chance, which nobody guesses.
    pub fn family(&self) -> Vec<u8> {
        secret::fingerprint(self.secret.expose()).to_vec()
    }

    /// As its holder keeps it: 75 characters of base64url.
    pub fn to_text(&self, stamp: &Stamp) -> Secret<String> {
        let mut bytes = self.bytes();
        let tag = stamp.tag(PLACE, &bytes);
        bytes.extend(&tag[..TAG]);
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        zeroize::Zeroize::zeroize(&mut bytes);
        Secret::new(text)
    }

    /// What `text` is, if we made it.
    pub fn read(text: &str, stamp: &Stamp) -> Option<Self> {
        let bytes = zeroize::Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (said, tag) = bytes.split_at_checked(SECRET + GENERATION)?;
        let (secret, generation) = said.split_at_checked(SECRET)?;
        let is_ours = tag.len() == TAG && stamp.is_genuine(PLACE, said, tag);
        is_ours.then_some(Self {
            secret: Secret::new(secret.try_into().ok()?),
            generation: i64::from_be_bytes(generation.try_into().ok()?),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SECRET + GENERATION + TAG);
        bytes.extend(self.secret.expose());
        bytes.extend(self.generation.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp::new(&secret::token())
    }

    #[test]
    fn it_reads_back_under_its_own_key_and_so_does_its_successor() {
        let (ours, theirs) = (stamp(), stamp());
        let first = Renewal::first();
        let text = first.to_text(&ours);
        assert_eq!(text.expose().len(), 75);
        let read = Renewal::read(text.expose(), &ours).expect("ours");
        assert_eq!((read.generation, read.family()), (0, first.family()));
        assert!(Renewal::read(text.expose(), &theirs).is_none());
        let next = read.next();
        assert_eq!((next.generation, next.family()), (1, first.family()));
        assert_eq!(
            next.to_text(&ours).expose(),
            first.next().to_text(&ours).expose(),
            "whoever asks gets the same successor"
        );
        assert_ne!(Renewal::first().family(), first.family());
    }

    #[test]
    fn no_other_text_is_one() {
        let stamp = stamp();
        let text = Renewal::first().to_text(&stamp);
        let text = text.expose();
        for length in 0..text.len() {
            assert!(
                Renewal::read(&text[..length], &stamp).is_none(),
                "cut at {length}"
            );
        }
        for at in 0..text.len() {
            for other in ["A", "B", "-", "=", "+", " "] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                if changed != *text {
                    assert!(Renewal::read(&changed, &stamp).is_none(), "{at}: {other:?}");
                }
            }
        }
        assert!(Renewal::read(&format!("{text}A"), &stamp).is_none());
        assert!(Renewal::read(&format!("{text}="), &stamp).is_none());
    }
}
