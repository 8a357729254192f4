//! What a new password must be: long enough, and not among the first that anybody would try. No rules on its letters
//! (NIST SP 800-63B section 3.1.1.2). A password that exists already is never judged.
//!
//! `common.txt` holds, in lower case and sorted, of each of two lists the entries of eight characters or more: the first
//! 15,000 of the one of zxcvbn-ts, which is ordered by how common they are (`@zxcvbn-ts/language-common` 4.1.3, MIT), and
//! all of Royce Williams' list as Django ships it (BSD 3-clause). The licences are in `NOTICE`.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::secret::Secret;
use crate::users::Email;

static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// What a new password must be, here.
pub struct Policy {
    min_length: u32,
    /// The host that people reach the service by, in lower case.
    site: String,
}

impl Policy {
    /// At least `min_length` characters, on the site at `host`.
    pub fn new(min_length: u32, host: &str) -> Self {
        Self {
            min_length,
            site: host.to_ascii_lowercase(),
        }
    }

    /// Accepts a new password for the account at `email`, or says what is wrong with it.
    pub fn check(&self, password: &Secret<String>, email: &Email) -> Result<(), Refusal> {
        let password: Zeroizing<String> = Zeroizing::new(password.expose().nfc().collect());
        let lower = Zeroizing::new(password.to_lowercase());
        let reason = if password.chars().count() < self.min_length as usize {
            format!(
                "password must be at least {} characters long",
                self.min_length
            )
            .into()
        } else if is_whole_or_part(&lower, email.key().as_str(), '@') {
            "password must not be the e-mail address or a part of it".into()
        } else if is_whole_or_part(&lower, &self.site, '.') || lower.as_str() == OURS {
            "password must not be the name of this service".into()
        } else if COMMON.binary_search(&lower.as_str()).is_ok() {
            "password is among the most common ones; choose one that nobody would try".into()
        } else {
            return Ok(());
        };
        Err(Refusal::WeakPassword { reason })
    }
}

/// Our own name, which people see on the pages of every installation.
const OURS: &str = "doorward";

fn is_whole_or_part(password: &str, whole: &str, separator: char) -> bool {
    password == whole || whole.split(separator).any(|part| part == password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(password: &str) -> Result<(), Refusal> {
        Policy::new(8, "accounts.engines.example").check(
            &Secret::new(password.to_owned()),
            &Email::parse("ada.lovelace@example.com").expect("an address"),
        )
    }

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(COMMON.is_sorted_by(|one, next| one < next));
        assert!(COMMON.iter().all(|one| one.to_lowercase() == **one));
    }

    #[test]
    fn ten_thousand_are_refused_for_being_common_and_not_for_their_length() {
        let refused = COMMON.iter().filter(|one| match judge(one) {
            Err(Refusal::WeakPassword { reason }) => reason.contains("most common"),
            _ => false,
        });
        assert!(refused.count() >= 10_000);
    }

    #[test]
    fn what_anybody_would_try_is_refused_whole_and_in_any_case() {
        for password in [
            "password",
            "PassWord",
            "iloveyou1",
            "Ada.Lovelace@Example.com",
            "ada.lovelace",
            "aaaaaaaa",
            "Accounts",
            "accounts.engines.example",
            "Doorward",
            "kurz",
        ] {
            assert!(judge(password).is_err(), "{password}");
        }
    }

    #[test]
    fn what_merely_contains_such_a_word_is_not() {
        for password in [
            "password is not my password",
            "            ",
            "ada.lovelace wrote notes",
            "日本語のパスワード",
        ] {
            assert!(judge(password).is_ok(), "{password}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_after_normalising() {
        assert!(
            judge("e\u{301}e\u{301}e\u{301}e\u{301}abc").is_err(),
            "seven characters"
        );
        assert!(judge("éèêëabcd").is_ok());
    }
}
