//! Public keys as JSON (RFC 7517), for the three kinds of key pair. A shared secret has no form here.

use aws_lc_rs::digest;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::compact::{decode_into, decode_slice, encode};
use crate::signing::KeyError;

/// A public key (RFC 7517 section 4; RFC 7518 section 6, RFC 8037 section 2), written with `kid`, `alg` and
/// `use: "sig"`.
///
/// Reading refuses: another kind or curve (`oct` among them), coordinates that are not exactly 32 bytes of
/// canonical base64url, an `alg` that is not the one for this kind of key, a `use` other than `sig`,
/// `key_ops` without `verify`, and any private member. That the numbers make a key is found out by
/// [`VerifyingKey::from_jwk`](crate::VerifyingKey::from_jwk).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Read")]
pub struct Jwk {
    pub(crate) parameters: Parameters,
    kid: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// A point on P-256, big-endian.
    Ec { x: [u8; 32], y: [u8; 32] },
    /// A point on edwards25519, as RFC 8032 encodes it.
    Okp { x: [u8; 32] },
    /// Modulus and exponent, big-endian, without a zero in front.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl Jwk {
    /// With the thumbprint as its `kid`.
    pub(crate) fn named_by_thumbprint(parameters: Parameters) -> Self {
        let mut jwk = Self {
            parameters,
            kid: None,
        };
        jwk.kid = Some(jwk.thumbprint());
        jwk
    }

    /// The one algorithm that this kind of key is used with.
    pub fn algorithm(&self) -> Algorithm {
        match self.parameters {
            Parameters::Ec { .. } => Algorithm::Es256,
            Parameters::Okp { .. } => Algorithm::EdDsa,
            Parameters::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The key's name, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The SHA-256 thumbprint (RFC 7638 section 3, RFC 8037 appendix A.3) as base64url, 43 characters.
    pub fn thumbprint(&self) -> String {
        let canonical = match &self.parameters {
            Parameters::Ec { x, y } => {
                format!(
                    r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                    encode(x),
                    encode(y)
                )
            }
            Parameters::Okp { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
            Parameters::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
        };
        encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
    }
}

/// A set of public keys (RFC 7517 section 5). Reading passes over the keys that a [`Jwk`] cannot hold, as the
/// section asks: a publisher may add a kind that we do not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys, in the order of publication.
    #[serde(deserialize_with = "known_keys")]
    pub keys: Vec<Jwk>,
}

fn known_keys<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Jwk>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Known(Jwk),
        Unknown(IgnoredAny),
    }
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Known(jwk) => Some(jwk),
            Entry::Unknown(_) => None,
        })
        .collect())
}

#[derive(Serialize)]
struct Written {
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    alg: &'static str,
    r#use: &'static str,
}

impl From<Jwk> for Written {
    fn from(jwk: Jwk) -> Self {
        let alg = jwk.algorithm().as_str();
        let written = |kty| Self {
            kty,
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
            kid: jwk.kid,
            alg,
            r#use: "sig",
        };
        match jwk.parameters {
            Parameters::Ec { x, y } => Self {
                crv: Some("P-256"),
                x: Some(encode(&x)),
                y: Some(encode(&y)),
                ..written("EC")
            },
            Parameters::Okp { x } => Self {
                crv: Some("Ed25519"),
                x: Some(encode(&x)),
                ..written("OKP")
            },
            Parameters::Rsa { n, e } => Self {
                n: Some(encode(&n)),
                e: Some(encode(&e)),
                ..written("RSA")
            },
        }
    }
}

#[derive(Deserialize)]
struct Read {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    /// The private part of a key pair, under this name for all kinds (RFC 7518 section 6).
    d: Option<IgnoredAny>,
}

impl TryFrom<Read> for Jwk {
    type Error = KeyError;

    fn try_from(read: Read) -> Result<Self, KeyError> {
        if read.d.is_some() {
            return Err(KeyError::Jwk("a private key"));
        }
        if read.r#use.is_some_and(|purpose| purpose != "sig")
            || read
                .key_ops
                .is_some_and(|uses| !uses.iter().any(|name| name == "verify"))
        {
            return Err(KeyError::Jwk("not for signatures"));
        }
        let parameters = match (read.kty.as_str(), read.crv.as_deref()) {
            ("EC", Some("P-256")) => Parameters::Ec {
                x: point(read.x)?,
                y: point(read.y)?,
            },
            ("OKP", Some("Ed25519")) => Parameters::Okp { x: point(read.x)? },
            ("RSA", _) => Parameters::Rsa {
                n: integer(read.n)?,
                e: integer(read.e)?,
            },
            _ => return Err(KeyError::Jwk("not P-256, Ed25519 or RSA")),
        };
        let jwk = Self {
            parameters,
            kid: read.kid,
        };
        if read.alg.is_some_and(|alg| alg != jwk.algorithm().as_str()) {
            return Err(KeyError::Jwk("for another algorithm"));
        }
        Ok(jwk)
    }
}

fn point(member: Option<String>) -> Result<[u8; 32], KeyError> {
    let text = member.ok_or(KeyError::Jwk("a coordinate is missing"))?;
    let mut bytes = [0; 32];
    match decode_slice(&text, &mut bytes) {
        Ok(decoded) if decoded.len() == 32 => Ok(bytes),
        _ => Err(KeyError::Jwk("a coordinate is not 32 bytes of base64url")),
    }
}

fn integer(member: Option<String>) -> Result<Vec<u8>, KeyError> {
    let text = member.ok_or(KeyError::Jwk("n or e is missing"))?;
    let mut bytes = Vec::new();
    match decode_into(&text, &mut bytes) {
        Ok(()) if bytes.first().is_some_and(|first| *first != 0) => Ok(bytes),
        _ => Err(KeyError::Jwk(
            "n or e is not a positive integer in base64url",
        )),
    }
}
