//! What a recovery code looks like: the digit of its slot and 80 bits in Crockford's base 32, which has no letter that is
//! taken for another: `3-abcd-efgh-jkmn-pqrs`.

use std::{fmt, mem};

use zeroize::Zeroizing;

use crate::secret::{self, Secret};

/// How many codes an account has at a time, each in a slot of its own.
pub(super) const SLOTS: u8 = 10;
/// How much of a code is chance; NIST SP 800-63B section 4.2.1 asks for 64 bits.
const BYTES: usize = 10;
/// So many characters write them.
const CHARACTERS: usize = BYTES * 8 / 5;
/// No i, l, o and u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters that stand together between dashes.
const GROUP: usize = 4;

/// A recovery code.
pub(super) struct RecoveryCode {
    /// Which of the account's codes it is.
    pub(super) slot: u8,
    /// What nobody guesses, in its one spelling: what is hashed.
    pub(super) secret: Secret<String>,
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(***)")
    }
}

impl RecoveryCode {
    /// A new one for a slot.
    pub(super) fn new(slot: u8) -> Self {
        let bytes = Secret::new(secret::bytes::<BYTES>());
        Self {
            slot,
            secret: Secret::new(encode(bytes.expose())),
        }
    }

    /// The code that somebody typed, with or without dashes and blanks, in capitals or not, with o for 0 and i or l for 1;
    /// `None` when it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut typed = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(plain);
        let slot = typed.next()??.to_digit(10)?;
        let mut secret = Zeroizing::new(String::with_capacity(CHARACTERS));
        for character in typed {
            if secret.len() == CHARACTERS {
                return None;
            }
            secret.push(character?);
        }
        if secret.len() < CHARACTERS {
            return None;
        }
        Some(Self {
            slot: u8::try_from(slot).ok()?,
            secret: Secret::new(mem::take(&mut *secret)),
        })
    }

    /// As it is shown.
    pub(super) fn to_text(&self) -> Secret<String> {
        let mut text = String::with_capacity(1 + CHARACTERS + CHARACTERS / GROUP);
        text.push(char::from(b'0' + self.slot));
        for (at, character) in self.secret.expose().chars().enumerate() {
            if at % GROUP == 0 {
                text.push('-');
            }
            text.push(character);
        }
        Secret::new(text)
    }
}

/// The character of the alphabet that is meant.
fn plain(character: char) -> Option<char> {
    let meant = match character.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let is_known = u8::try_from(meant).is_ok_and(|byte| ALPHABET.contains(&byte));
    is_known.then_some(meant)
}

/// Five bits a character, the highest first.
fn encode(bytes: &[u8; BYTES]) -> String {
    let character = |at: usize| {
        let bit = |bit: usize| (bytes[bit / 8] >> (7 - bit % 8)) & 1;
        let index = (at * 5..at * 5 + 5).fold(0, |index, at| index << 1 | bit(at));
        char::from(ALPHABET[usize::from(index)])
    };
    let mut text = String::with_capacity(CHARACTERS);
    text.extend((0..CHARACTERS).map(character));
    text
}

#[cfg(test)]
#[expect(non_snake_case, reason = "the catalogue names its cases in capitals")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "3-0123-4567-89ab-cdef";

    fn read(text: &str) -> Option<String> {
        RecoveryCode::read(text).map(|code| code.to_text().expose().clone())
    }

    #[test]
    fn eighty_bits_are_sixteen_characters() {
        assert_eq!(encode(&[0; BYTES]), "0".repeat(16));
        assert_eq!(encode(&[0xff; BYTES]), "z".repeat(16));
        // The alphabet itself, as bits.
        let counted = [0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf];
        assert_eq!(encode(&counted), "0123456789abcdef");
    }

    #[test]
    fn F10_case_dashes_blanks_and_look_alikes_are_read() {
        for typed in [
            TEXT,
            "3-0123-4567-89AB-CDEF",
            "30123456789abcdef",
            "  3 0123 4567 89ab cdef ",
            "3--01-23456789abcd-ef-",
            "3-OI23-4567-89ab-cdef",
            "3-ol23-4567-89ab-cdef",
        ] {
            assert_eq!(read(typed).as_deref(), Some(TEXT), "{typed:?}");
        }
        assert_eq!(read("O-0000-0000-0000-0000"), read("0-0000-0000-0000-0000"));
        assert_eq!(read("l-0000-0000-0000-0000"), read("1-0000-0000-0000-0000"));
    }

    #[test]
    fn F10_anything_else_is_no_code() {
        for typed in [
            "",
            "-",
            "3",
            "3-0123-4567-89ab-cde",
            "3-0123-4567-89ab-cdef0",
            "a-0123-4567-89ab-cdef",
            "3-u123-4567-89ab-cdef",
            "3_0123_4567_89ab_cdef",
            "3-0123-4567-89ab-cde\u{660}",
            "\u{ff13}-0123-4567-89ab-cdef",
            "3-0123-4567-89ab-cde\u{212a}",
            "3\t0123-4567-89ab-cdef",
        ] {
            assert_eq!(read(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn codes_differ_and_print_as_stars() {
        let [one, other] = [0, 0].map(RecoveryCode::new);
        assert_ne!(one.secret.expose(), other.secret.expose());
        assert!(!format!("{one:?}").contains(one.secret.expose()));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(slot in 0..SLOTS, bytes in any::<[u8; BYTES]>()) {
            let code = RecoveryCode { slot, secret: Secret::new(encode(&bytes)) };
            let shown = code.to_text();
            let read = RecoveryCode::read(shown.expose());
            prop_assert!(read.is_some_and(|it| it.slot == slot && it.secret.expose() == code.secret.expose()));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = RecoveryCode::read(&text);
        }
    }
}
