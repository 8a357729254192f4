//! A browser and an authenticator in software: they make passkeys and prove them as WebAuthn level 3 has it, and let a test
//! change every part of what they say before it is encoded and signed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 1 << 2;
pub const BACKUP_ELIGIBLE: u8 = 1 << 3;
pub const BACKED_UP: u8 = 1 << 4;
pub const ATTESTED: u8 = 1 << 6;
pub const EXTENDED: u8 = 1 << 7;

/// The page that a test's browser is on, and whom its passkeys are for.
pub const ORIGIN: &str = "http://localhost:8080";
pub const RP_ID: &str = "localhost";

/// CBOR (RFC 8949), an item a function.
pub mod cbor {
    pub fn head(major: u8, number: usize) -> Vec<u8> {
        let major = major << 5;
        match number {
            0..24 => vec![major + u8::try_from(number).unwrap()],
            24..0x100 => vec![major + 24, u8::try_from(number).unwrap()],
            _ => {
                let number = u16::try_from(number).unwrap();
                [&[major + 25][..], &number.to_be_bytes()].concat()
            }
        }
    }

    pub fn int(number: i64) -> Vec<u8> {
        match usize::try_from(number) {
            Ok(number) => head(0, number),
            Err(_) => head(1, usize::try_from(-1 - number).unwrap()),
        }
    }

    pub fn bytes(bytes: &[u8]) -> Vec<u8> {
        [head(2, bytes.len()), bytes.to_vec()].concat()
    }

    pub fn text(text: &str) -> Vec<u8> {
        [head(3, text.len()), text.as_bytes().to_vec()].concat()
    }

    pub fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let items = entries.iter().flat_map(|(key, value)| [key, value]);
        let items: Vec<u8> = items.flatten().copied().collect();
        [head(5, entries.len()), items].concat()
    }
}

/// A key of an authenticator.
pub enum Key {
    Es256(EcdsaKeyPair),
    Es384(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl Key {
    pub fn es256() -> Self {
        Self::Es256(ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING))
    }

    pub fn es384() -> Self {
        Self::Es384(ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING))
    }

    pub fn rs256() -> Self {
        Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// COSE_Key (RFC 9052 section 7).
    pub fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(key) => ec2(-7, 1, &key.public_key().as_ref()[1..]),
            Self::Es384(key) => ec2(-35, 2, &key.public_key().as_ref()[1..]),
            Self::Rs256(key) => {
                let modulus = key.public_key().modulus();
                rsa(modulus.big_endian_without_leading_zero(), &[1, 0, 1])
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "signatures take no randomness but this"
    )]
    fn sign(&self, said: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(key) | Self::Es384(key) => {
                key.sign(&random, said).unwrap().as_ref().to_vec()
            }
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, said, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    EcdsaKeyPair::generate(algorithm).unwrap()
}

/// A point of an elliptic curve, as COSE has it.
pub fn ec2(algorithm: i64, curve: i64, point: &[u8]) -> Vec<u8> {
    let (x, y) = point.split_at(point.len() / 2);
    cbor::map(&[
        (cbor::int(1), cbor::int(2)),
        (cbor::int(3), cbor::int(algorithm)),
        (cbor::int(-1), cbor::int(curve)),
        (cbor::int(-2), cbor::bytes(x)),
        (cbor::int(-3), cbor::bytes(y)),
    ])
}

/// A modulus and an exponent, as COSE has them.
pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    cbor::map(&[
        (cbor::int(1), cbor::int(3)),
        (cbor::int(3), cbor::int(-257)),
        (cbor::int(-1), cbor::bytes(modulus)),
        (cbor::int(-2), cbor::bytes(exponent)),
    ])
}

/// A passkey where it is kept.
pub struct Passkey {
    pub id: Vec<u8>,
    pub key: Key,
    /// Whose it is, as the service calls them.
    pub user_handle: Vec<u8>,
    pub flags: u8,
    /// How often it has signed; one that stays at zero does not count.
    pub sign_count: u32,
}

/// What is said of a passkey that was made.
pub struct Making {
    pub client: Client,
    pub data: Data,
    pub id: Vec<u8>,
    /// What comes as `id` and `rawId`, when that is another.
    pub said_id: Option<String>,
    /// A COSE key.
    pub key: Vec<u8>,
    pub format: &'static str,
    pub statement: Vec<u8>,
    /// The whole attestation object, when it is to be another than the parts make.
    pub object: Option<Vec<u8>>,
}

/// What is said to prove a passkey.
pub struct Proving<'a> {
    pub client: Client,
    pub data: Data,
    pub key: &'a Key,
    pub id: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
}

/// What the browser says.
pub struct Client {
    pub said: Value,
    /// The JSON itself, when it is to be what no browser writes.
    pub json: Option<Vec<u8>>,
}

/// What the authenticator says.
pub struct Data {
    pub rp_id: String,
    pub flags: u8,
    pub sign_count: u32,
    /// What stands behind everything else.
    pub tail: Vec<u8>,
}

impl Client {
    fn new(kind: &str, public_key: &Value) -> Self {
        let said = json!({
            "type": kind,
            "challenge": public_key["challenge"],
            "origin": ORIGIN,
            "crossOrigin": false,
        });
        Self { said, json: None }
    }

    fn bytes(&self) -> Vec<u8> {
        let written = || self.said.to_string().into_bytes();
        self.json.clone().unwrap_or_else(written)
    }
}

impl Data {
    fn bytes(&self, attested: &[u8]) -> Vec<u8> {
        let hash = digest(&SHA256, self.rp_id.as_bytes());
        let count = self.sign_count.to_be_bytes();
        [hash.as_ref(), &[self.flags], &count, attested, &self.tail].concat()
    }
}

impl Passkey {
    /// Makes a passkey as it is asked for, and says so.
    pub fn make(options: &Value) -> (Self, Making) {
        Self::make_with(options, Key::es256())
    }

    pub fn make_with(options: &Value, key: Key) -> (Self, Making) {
        let public_key = &options["publicKey"];
        let passkey = Self {
            id: doorward::secret::bytes::<32>().to_vec(),
            user_handle: unwritten(&public_key["user"]["id"]),
            flags: PRESENT | VERIFIED | BACKUP_ELIGIBLE | BACKED_UP,
            sign_count: 0,
            key,
        };
        let making = Making {
            client: Client::new("webauthn.create", public_key),
            data: passkey.data(ATTESTED),
            id: passkey.id.clone(),
            said_id: None,
            key: passkey.key.cose(),
            format: "none",
            statement: cbor::map(&[]),
            object: None,
        };
        (passkey, making)
    }

    /// Proves the passkey as it is asked for.
    pub fn prove(&self, options: &Value) -> Proving<'_> {
        Proving {
            client: Client::new("webauthn.get", &options["publicKey"]),
            data: self.data(0),
            key: &self.key,
            id: self.id.clone(),
            user_handle: Some(self.user_handle.clone()),
        }
    }

    fn data(&self, flags: u8) -> Data {
        Data {
            rp_id: RP_ID.to_owned(),
            flags: self.flags | flags,
            sign_count: self.sign_count,
            tail: Vec::new(),
        }
    }
}

impl Making {
    /// The authenticator data.
    pub fn data(&self) -> Vec<u8> {
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let attested = [&[0; 16][..], &length, &self.id, &self.key].concat();
        let is_attested = self.data.flags & ATTESTED != 0;
        self.data.bytes(if is_attested { &attested } else { &[] })
    }

    /// Makes the statement one under the passkey's own key.
    pub fn state_under(&mut self, key: &Key) {
        let hash = digest(&SHA256, &self.client.bytes());
        let signature = key.sign(&[&self.data(), hash.as_ref()].concat());
        self.format = "packed";
        self.statement = cbor::map(&[
            (cbor::text("alg"), cbor::int(-7)),
            (cbor::text("sig"), cbor::bytes(&signature)),
        ]);
    }

    /// The attestation object.
    pub fn object(&self) -> Vec<u8> {
        let made = || {
            cbor::map(&[
                (cbor::text("fmt"), cbor::text(self.format)),
                (cbor::text("attStmt"), self.statement.clone()),
                (cbor::text("authData"), cbor::bytes(&self.data())),
            ])
        };
        self.object.clone().unwrap_or_else(made)
    }

    /// As `PublicKeyCredential.toJSON()` writes it.
    pub fn json(&self) -> Value {
        let id = self.said_id.clone().unwrap_or_else(|| written(&self.id));
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": true}},
            "response": {
                "clientDataJSON": written(&self.client.bytes()),
                "attestationObject": written(&self.object()),
                "authenticatorData": written(&self.data()),
                "publicKeyAlgorithm": -7,
                "transports": ["internal", "hybrid"],
            },
        })
    }
}

impl Proving<'_> {
    /// As `PublicKeyCredential.toJSON()` writes it.
    pub fn json(&self) -> Value {
        let client = self.client.bytes();
        let data = self.data.bytes(&[]);
        let hash = digest(&SHA256, &client);
        let signature = self.key.sign(&[&data, hash.as_ref()].concat());
        let mut response = json!({
            "clientDataJSON": written(&client),
            "authenticatorData": written(&data),
            "signature": written(&signature),
        });
        if let Some(handle) = &self.user_handle {
            response["userHandle"] = written(handle).into();
        }
        json!({
            "id": written(&self.id),
            "rawId": written(&self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": response,
        })
    }
}

/// Bytes as JSON has them.
pub fn written(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// And back.
pub fn unwritten(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}
