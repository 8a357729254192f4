//! The RFCs' own examples. Their headers and claims are not ours, so they are held against the keys directly.

use serde_json::json;

use super::keys::{bytes, key};
use crate::Algorithm::{self, EdDsa, Es256, Hs256, Rs256};
use crate::compact::Compact;
use crate::{Jwk, Rejected, decode_unverified};

/// RFC 7515 appendices A.1 to A.3 share these claims, line ends included.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const A1: (&str, &str) = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
);

const A2: (&str, &str) = (
    "eyJhbGciOiJSUzI1NiJ9",
    concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F",
        "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB",
        "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY",
        "I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
);

const A3: (&str, &str) = (
    "eyJhbGciOiJFUzI1NiJ9",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
);

/// The signature is accepted, and is refused once any one of its bits is another.
fn assert_accepted(algorithm: Algorithm, token: &str) {
    let verifying = key(algorithm).verifying_key();
    let compact = Compact::split(token).expect("three parts");
    let mut signature = bytes(compact.signature);
    assert!(verifying.accepts(compact.signed.as_bytes(), &signature));
    for bit in 0..signature.len() * 8 {
        signature[bit / 8] ^= 1 << (bit % 8);
        assert!(
            !verifying.accepts(compact.signed.as_bytes(), &signature),
            "bit {bit}"
        );
        signature[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Of the algorithms without randomness: the same bytes come out when we sign.
fn assert_made_again(algorithm: Algorithm, token: &str) {
    let compact = Compact::split(token).expect("three parts");
    let signature = key(algorithm)
        .signature(compact.signed.as_bytes())
        .expect("a signature");
    assert_eq!(signature, bytes(compact.signature));
}

#[test]
fn rfc7515_a1_hs256() {
    let token = format!("{}.{CLAIMS}.{}", A1.0, A1.1);
    assert_accepted(Hs256, &token);
    assert_made_again(Hs256, &token);
    let (header, claims) = decode_unverified(&token).expect("a token");
    assert_eq!(header, json!({"typ": "JWT", "alg": "HS256"}));
    assert_eq!(
        claims,
        json!({"iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true})
    );
}

#[test]
fn rfc7515_a2_rs256() {
    let token = format!("{}.{CLAIMS}.{}", A2.0, A2.1);
    assert_accepted(Rs256, &token);
    assert_made_again(Rs256, &token);
}

#[test]
fn rfc7515_a3_es256() {
    assert_accepted(Es256, &format!("{}.{CLAIMS}.{}", A3.0, A3.1));
}

#[test]
fn rfc7515_a5_unsecured_is_refused() {
    let token = format!("eyJhbGciOiJub25lIn0.{CLAIMS}.");
    assert_eq!(
        super::verified(&token, &key(Hs256)),
        Err(Rejected::Malformed)
    );
}

#[test]
fn rfc8037_a4_ed25519() {
    let token = concat!(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
    assert_accepted(EdDsa, token);
    assert_made_again(EdDsa, token);
}

#[test]
fn rfc8037_a3_thumbprint() {
    assert_eq!(
        key(EdDsa).kid(),
        Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
}

#[test]
fn rfc7638_thumbprint() {
    let jwk: Jwk = serde_json::from_value(json!({
        "kty": "RSA",
        "n": concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_",
            "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0",
            "_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWh",
            "AI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        ),
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }))
    .expect("the example's key");
    assert_eq!(
        jwk.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(jwk.kid(), Some("2011-04-29"));
}
