//! Makes tokens that the service would never make, some under a true signature by its own key.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::tokens::store;
use jose::Algorithm;
use serde_json::{Value, json};

use crate::harness::{ADA, Answer, Server, server_with};

/// How tokens can be signed.
pub const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Hs256,
    Algorithm::Es256,
    Algorithm::Rs256,
    Algorithm::EdDsa,
];

/// The bearer routes' way of saying that a token is not one.
pub const INVALID: &str = "Bearer error=\"invalid_token\"";

/// A server, the token that it gave to somebody, and its own key in the wrong hands.
pub struct Forger<'a> {
    pub server: &'a Server,
    pub algorithm: Algorithm,
    /// What the service itself signed.
    pub token: String,
    pub header: Value,
    pub claims: Value,
    key: Vec<u8>,
}

/// Runs `test` against a service for each algorithm.
pub async fn for_each_algorithm(test: impl AsyncFn(&Forger)) {
    for algorithm in ALGORITHMS {
        with(algorithm, async |forger| test(forger).await).await;
    }
}

/// Runs `test` against a service that signs by `algorithm`, where somebody has an account.
pub async fn with(algorithm: Algorithm, test: impl AsyncFnOnce(&Forger)) {
    server_with(
        &[("tokens.algorithm", algorithm.as_str())],
        async |server| {
            let token = server.signs_up(ADA).await;
            test(&Forger::new(server, algorithm, token).await).await;
        },
    )
    .await;
}

impl<'a> Forger<'a> {
    pub async fn new(server: &'a Server, algorithm: Algorithm, token: String) -> Self {
        let (header, claims) = jose::decode_unverified(&token).unwrap();
        let stored = store::all(&server.app.db, algorithm).await.unwrap();
        let newest = stored.first().unwrap();
        let place = store::place(algorithm, newest.generation);
        let key = server.app.sealer().open(&place, &newest.sealed).unwrap();
        Self {
            server,
            algorithm,
            token,
            header,
            claims,
            key: key.expose().clone(),
        }
    }

    /// The key as it is stored: the secret itself, or PKCS#8.
    pub fn stored_key(&self) -> &[u8] {
        &self.key
    }

    /// The public half as SubjectPublicKeyInfo, the DER inside of a PEM file.
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der = match self.algorithm {
            Algorithm::Hs256 => unreachable!("a shared secret has no public half"),
            Algorithm::Es256 => es256(&self.key).public_key().as_der().unwrap(),
            Algorithm::Rs256 => rs256(&self.key).public_key().as_der().unwrap(),
            Algorithm::EdDsa => eddsa(&self.key).public_key().as_der().unwrap(),
        };
        der.as_ref().to_vec()
    }

    /// What the service's own key signs over these very bytes.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        sign(self.algorithm, &self.key, message)
    }

    /// Header and claims as they are given, under a true signature.
    pub fn signed(&self, header: &str, claims: &str) -> String {
        token_by(header, claims, |message| self.signature(message))
    }

    /// The true header and claims, under a signature by somebody else.
    pub fn signed_by(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        token_by(&self.header.to_string(), &self.claims.to_string(), sign)
    }

    /// A true signature under a header with `name` set.
    pub fn with_header(&self, name: &str, value: Value) -> String {
        let header = set(&self.header, name, value);
        self.signed(&header.to_string(), &self.claims.to_string())
    }

    /// A true signature under claims with `name` set.
    pub fn with_claim(&self, name: &str, value: Value) -> String {
        let claims = set(&self.claims, name, value);
        self.signed(&self.header.to_string(), &claims.to_string())
    }

    /// A true signature under claims without `name`.
    pub fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        self.signed(&self.header.to_string(), &claims.to_string())
    }

    /// Calls the bearer routes with `token`, whatever its bytes.
    pub async fn call(&self, method: Method, token: impl AsRef<[u8]>) -> Answer {
        let value = [b"Bearer ", token.as_ref()].concat();
        let request = Request::builder()
            .method(method)
            .uri("/auth/me")
            .header(AUTHORIZATION, HeaderValue::from_bytes(&value).unwrap())
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(r#"{"name":"somebody else"}"#));
        self.server.send(request.unwrap()).await
    }

    /// Shows that what is refused elsewhere is refused for its own fault: `token` is good.
    pub async fn accepted(&self, token: &str, why: &str) {
        let answer = self.call(Method::GET, token).await;
        assert_eq!(answer.status, 200, "{} {why}: {answer:?}", self.algorithm);
        assert_eq!(answer.json()["id"], self.claims["sub"], "{why}");
    }

    /// Expects `token` to be refused as invalid by each of its readers.
    pub async fn refused(&self, token: &str, why: &str) {
        self.refused_as("token_invalid", token, why).await;
    }

    /// Expects `token` to be refused with `code` by each of its readers.
    pub async fn refused_as(&self, code: &str, token: &str, why: &str) {
        let why = format!("{} {why}", self.algorithm);
        for method in [Method::GET, Method::PATCH] {
            is_refusal(&self.call(method, token).await, code, token, &why);
        }
        let app = &self.server.app;
        let is_verified = app.tokens.verify(token, app.clock.now()).is_ok();
        // The one refusal that is the session's and not the token's.
        assert_eq!(is_verified, code == "session_revoked", "{why}");
    }
}

/// The 401 of a bearer route: our envelope, the challenge, and nothing of what was sent.
pub fn is_refusal(answer: &Answer, code: &str, token: &str, why: &str) {
    assert_eq!(answer.status, 401, "{why}: {answer:?}");
    assert_eq!(answer.code(), code, "{why}: {answer:?}");
    assert_eq!(answer.header("www-authenticate"), INVALID, "{why}");
    assert_eq!(answer.header("content-type"), "application/json", "{why}");
    let message = answer.json()["message"].as_str().unwrap();
    let envelope =
        json!({"statusCode": 401, "message": message, "error": "Unauthorized", "code": code});
    // To the byte, and so without a word of what was sent.
    assert_eq!(answer.body, envelope.to_string(), "{why}");
    assert!(token.len() < 12 || !message.contains(token), "{why}");
}

/// A token of these parts, under whatever `sign` gives.
pub fn token_by(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", encode(signature))
}

/// Base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// HMAC-SHA256 under any secret, however short.
pub fn hmac_by(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

/// What the stored key of `algorithm` signs over `message`.
pub fn sign(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Hs256 => hmac_by(key)(message),
        Algorithm::Es256 => {
            let signature = es256(key).sign(&random(), message).unwrap();
            signature.as_ref().to_vec()
        }
        Algorithm::Rs256 => {
            let pair = rs256(key);
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random(), message, &mut signature)
                .unwrap();
            signature
        }
        Algorithm::EdDsa => eddsa(key).sign(message).as_ref().to_vec(),
    }
}

/// What the library asks for beside a key.
#[expect(
    clippy::disallowed_methods,
    reason = "a forger's randomness is not the service's"
)]
pub fn random() -> SystemRandom {
    SystemRandom::new()
}

fn es256(key: &[u8]) -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key).unwrap()
}

fn rs256(key: &[u8]) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(key).unwrap()
}

fn eddsa(key: &[u8]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8(key).unwrap()
}

fn set(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}
