//! Randomness, and values that must not be seen: made here, compared here, sealed here.
//! A `Secret` prints as `***`; what it holds is reached by `expose` alone, so that each place that looks can be found.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

/// A value that is never printed and is wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into custody.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Each call is a place to review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// `N` unpredictable bytes.
///
/// # Panics
/// When the operating system gives no randomness: nothing that depends on a secret may go on without one.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks for randomness"
    )]
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    assert!(filled.is_ok(), "the operating system gave no randomness");
    bytes
}

/// A new 256-bit secret as text: 43 characters of unpadded base64url (RFC 4648 section 5).
pub fn token() -> Secret<String> {
    Secret::new(URL_SAFE_NO_PAD.encode(bytes::<32>()))
}

/// SHA-256 of a secret that is all chance, by which a row may know it: nobody guesses what it was made from.
pub fn fingerprint(secret: &[u8]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut fingerprint = [0; digest::SHA256_OUTPUT_LEN];
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    fingerprint
}

/// A key of our own for one purpose, from the operator's secret key (HKDF-SHA256, RFC 5869).
fn derive<L: hkdf::KeyType, K: for<'a> From<hkdf::Okm<'a, L>>>(
    secret_key: &Secret<String>,
    purpose: &'static [u8],
    length: L,
) -> K {
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(secret_key.expose().as_bytes())
        .expand(&[purpose], length)
        .map(K::from)
        .expect("HKDF-SHA256 gives any key of ours its length")
}

/// What proves that we made something which others keep for us (HMAC-SHA256, RFC 2104).
pub struct Stamp(hmac::Key);

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stamp(***)")
    }
}

impl Stamp {
    /// The stamp of a secret key of at least 32 characters.
    pub fn new(secret_key: &Secret<String>) -> Self {
        Self(derive(
            secret_key,
            b"doorward stamping key v1",
            hmac::HMAC_SHA256,
        ))
    }

    /// The tag of `said` in one `place`; elsewhere it proves nothing.
    pub fn tag(&self, place: &str, said: &[u8]) -> [u8; digest::SHA256_OUTPUT_LEN] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(place.as_bytes());
        context.update(&[0]);
        context.update(said);
        let mut tag = [0; digest::SHA256_OUTPUT_LEN];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag`, which may be cut to half its length at most (RFC 2104 section 5), is that of `said` in `place`.
    pub fn is_genuine(&self, place: &str, said: &[u8], tag: &[u8]) -> bool {
        let whole = self.tag(place, said);
        tag.len() * 2 >= whole.len()
            && whole.get(..tag.len()).is_some_and(|expected| {
                constant_time::verify_slices_are_equal(expected, tag).is_ok()
            })
    }
}

/// What seals the keys in the database. It is derived from the operator's secret key, which lives outside the database,
/// so that a stolen database alone signs nothing.
pub struct Sealer(LessSafeKey);

/// The sealed bytes are not what this key sealed in this place: another key, another place, or changed bytes.
#[derive(Debug, thiserror::Error)]
#[error("sealed under another key, or changed since")]
pub struct CannotOpen;

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

impl Sealer {
    /// The sealer for a secret key of at least 32 characters (HKDF-SHA256, RFC 5869, then AES-256-GCM).
    pub fn new(secret_key: &Secret<String>) -> Self {
        let key: UnboundKey = derive(secret_key, b"doorward sealing key v1", &AES_256_GCM);
        Self(LessSafeKey::new(key))
    }

    /// Seals `plain` for one `place` (a table and row); elsewhere it does not open.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = bytes::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut sealed,
            )
            .expect("AES-256-GCM seals anything shorter than 64 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`Sealer::seal`] made for the same `place`.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, CannotOpen> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut plain = sealed.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(place), &mut plain)
            .map_err(|_| CannotOpen)?
            .len();
        plain.truncate(length);
        Ok(Secret::new(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "***");
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_under_its_key_unchanged_and_nowhere_else() {
        let sealer = Sealer::new(&token());
        let sealed = sealer.seal("keys/1", b"plain");
        assert_eq!(
            sealer
                .open("keys/1", &sealed)
                .expect("the same key and place")
                .expose(),
            b"plain"
        );
        assert!(sealer.open("keys/2", &sealed).is_err());
        assert!(Sealer::new(&token()).open("keys/1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(
                sealer.open("keys/1", &changed).is_err(),
                "byte {at} was changed"
            );
            assert!(sealer.open("keys/1", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn tokens_are_43_characters_and_differ() {
        assert_eq!(token().expose().len(), 43);
        assert_ne!(token().expose(), token().expose());
    }
}
