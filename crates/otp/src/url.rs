//! The URL that tells an app all it needs ("Key Uri Format" of Google Authenticator, which others follow).

use zeroize::Zeroizing;

use crate::{PERIOD_SECONDS, Totp};

/// The URL for `account` at `issuer`. Issuer stands in it twice: some apps read the label, others the parameter.
pub(crate) fn of(totp: &Totp, issuer: &str, account: &str) -> Zeroizing<String> {
    let (issuer, account) = (encoded(issuer), encoded(account));
    let secret = totp.secret.to_base32();
    let algorithm = totp.algorithm.as_str();
    let digits = totp.digits.count();
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm={algorithm}&digits={digits}&period={PERIOD_SECONDS}",
        *secret
    ))
}

/// Percent-encoded but for the unreserved (RFC 3986 section 2.3). A colon parts issuer and account even when it is encoded, so
/// there it becomes a blank, as a control character does.
fn encoded(name: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let plain: String = name
        .chars()
        .map(|c| if c == ':' || c.is_control() { ' ' } else { c })
        .collect();
    let mut text = String::with_capacity(plain.len());
    for byte in plain.trim().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 0xf)]));
        }
    }
    text
}
