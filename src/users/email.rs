//! One person, one address, one spelling. An address is written to as it was given (its domain in ASCII) and found by
//! its key, so that no second spelling makes a second account.
//!
//! The rule: an ASCII local part without quotes or comments, its case ignored; a domain name of two labels or more,
//! international ones by UTS 46. Dots and `+tags` are left alone: what they mean is the mail provider's business.

use std::fmt;

use db::{Kind, ToValue, Value};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::error::Refusal;

/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL: usize = 64;
/// RFC 5321 section 4.5.3.1.3, less the angle brackets.
const MAX_ADDRESS: usize = 254;

/// An e-mail address that mail can go to.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    address: String,
    key: EmailKey,
}

/// The one spelling by which an address is found.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailKey(String);

impl Email {
    /// Reads an address; refuses what is not one.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::read(text).ok_or_else(|| Refusal::invalid("email must be an email address"))
    }

    fn read(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let domain = domain_to_ascii(domain)?;
        if !is_local(local) || local.len() + 1 + domain.len() > MAX_ADDRESS {
            return None;
        }
        let key = EmailKey(format!("{}@{domain}", local.to_ascii_lowercase()));
        Some(Self {
            address: format!("{local}@{domain}"),
            key,
        })
    }

    /// The address as mail is sent to it.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The spelling by which it is found.
    pub fn key(&self) -> &EmailKey {
        &self.key
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.address.split_once('@').map_or("", |(local, _)| local)
    }
}

impl EmailKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    /// Not the address: a log is no address book.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(***)")
    }
}

impl ToValue for &EmailKey {
    const KIND: Kind = Kind::Text;

    fn to_value(self) -> Value {
        Value::Text(self.0.clone())
    }
}

/// RFC 5321's Dot-string, less what mail programs have taken for a route, a command, an option or an encoded word.
fn is_local(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_{}~".contains(&byte))
    };
    local.len() <= MAX_LOCAL
        && local.split('.').all(is_atom)
        && !local.starts_with('-')
        && !local.starts_with("=?")
}

fn domain_to_ascii(domain: &str) -> Option<String> {
    if domain.chars().any(is_invisible) {
        return None;
    }
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .ok()?;
    // An address in numbers, however its last one is written, begins its last label with a digit; a name does not.
    let (_, top) = ascii.rsplit_once('.')?;
    top.starts_with(|first: char| first.is_ascii_alphabetic())
        .then(|| ascii.into_owned())
}

/// What an eye does not see and UTS 46 drops without a word: Unicode's Default_Ignorable_Code_Point.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text).expect(text).key().as_str().to_owned()
    }

    #[test]
    fn two_spellings_of_one_address_have_one_key() {
        for (one, other) in [
            ("Ada@Example.COM", "ada@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@bücher.example"),
            ("ada@bu\u{308}cher.example", "ada@bücher.example"),
            ("ada@example。com", "ada@example.com"),
            ("ada@ｅｘａｍｐｌｅ．com", "ada@example.com"),
            ("ada@\u{212a}elvin.example", "ada@kelvin.example"),
        ] {
            assert_eq!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn no_character_can_be_added_and_not_seen() {
        // Between these two ranges there are ideographs and nothing else.
        for code in (0x80..=0x2_0000_u32).chain(0xe_0000..=0xe_1000) {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let domain = domain_to_ascii(&format!("ex{character}ample.com"));
            assert_ne!(domain.as_deref(), Some("example.com"), "U+{code:04X}");
        }
    }

    #[test]
    fn providers_rules_are_not_ours() {
        assert_ne!(key("ada+shop@example.com"), key("ada@example.com"));
        assert_ne!(key("a.da@example.com"), key("ada@example.com"));
    }

    #[test]
    fn the_local_part_is_written_as_it_was_given() {
        assert_eq!(
            Email::parse("Ada.L@Example.COM")
                .expect("an address")
                .as_str(),
            "Ada.L@example.com"
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_a_key_is_its_own_key(text in "\\PC{0,80}", address in "[a-z.+-]{1,20}@[a-zü.-]{1,30}") {
            for text in [text, address] {
                if let Ok(email) = Email::parse(&text) {
                    prop_assert_eq!(key(email.as_str()), email.key().as_str());
                    prop_assert_eq!(key(email.key().as_str()), email.key().as_str());
                }
            }
        }
    }
}
