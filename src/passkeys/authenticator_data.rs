//! What an authenticator says of itself and of what it did (WebAuthn level 3, section 6.1), to the last byte.

use super::cbor::{self, Item};
use super::relying_party::Wrong;

/// Longer ids are none (WebAuthn level 3, section 7.1, step 27).
const MAX_CREDENTIAL_ID: usize = 1_023;

const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENDED: u8 = 1 << 7;

/// The parts that are looked at here; who it is for, and whether somebody was there and was verified, is looked at by the
/// library that verifies the signature.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    /// How often it has signed, if it counts.
    pub(super) sign_count: u32,
    /// Whether the key may be copied to other devices; what never changes.
    pub(super) backup_eligible: bool,
    /// Whether it was.
    pub(super) backed_up: bool,
    /// The id of the credential that it made.
    pub(super) made: Option<&'a [u8]>,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads `bytes`, all of them.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Wrong> {
        let data =
            Self::parse(bytes).ok_or(Wrong("the authenticator data is not in its one form"))?;
        if data.backed_up && !data.backup_eligible {
            return Err(Wrong("it is backed up and may not be"));
        }
        Ok(data)
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (_rp_id_hash, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (sign_count, mut rest) = rest.split_first_chunk()?;
        let has = |flag| flags & flag != 0;
        let mut made = None;
        if has(ATTESTED) {
            let (_aaguid, behind) = rest.split_at_checked(16)?;
            let (length, behind) = behind.split_first_chunk()?;
            let (id, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let (key, behind) = cbor::first(behind).ok()?;
            if !matches!(key, Item::Map(_)) || !(1..=MAX_CREDENTIAL_ID).contains(&id.len()) {
                return None;
            }
            (made, rest) = (Some(id), behind);
        }
        if has(EXTENDED) {
            let (extensions, behind) = cbor::first(rest).ok()?;
            if !matches!(extensions, Item::Map(_)) {
                return None;
            }
            rest = behind;
        }
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            sign_count: u32::from_be_bytes(*sign_count),
            backup_eligible: has(BACKUP_ELIGIBLE),
            backed_up: has(BACKED_UP),
            made,
        })
    }
}
