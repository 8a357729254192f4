//! The keys of the RFCs' own examples, whose private parts are public, as PKCS#8.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};

use crate::compact::decode_into;
use crate::{Algorithm, SigningKey};

pub(super) fn bytes(base64url: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    decode_into(base64url, &mut bytes).expect("base64url");
    bytes
}

pub(super) const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Hs256,
    Algorithm::Es256,
    Algorithm::Rs256,
    Algorithm::EdDsa,
];

pub(super) const KEY_PAIRS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa];

pub(super) fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_stored(algorithm, &stored(algorithm)).expect("a sound key")
}

pub(super) fn stored(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::Hs256 => bytes(HS256_SECRET),
        Algorithm::Es256 => es256().to_pkcs8v1().expect("PKCS#8").as_ref().to_vec(),
        Algorithm::Rs256 => {
            let der: Pkcs8V1Der = rs256().as_der().expect("PKCS#8");
            der.as_ref().to_vec()
        }
        Algorithm::EdDsa => eddsa().to_pkcs8v1().expect("PKCS#8").as_ref().to_vec(),
    }
}

/// The public key of a pair as SubjectPublicKeyInfo, the DER inside of a PEM file.
pub(super) fn public_der(algorithm: Algorithm) -> Vec<u8> {
    let der = match algorithm {
        Algorithm::Hs256 => unreachable!("a shared secret has no public half"),
        Algorithm::Es256 => AsDer::as_der(es256().public_key()),
        Algorithm::Rs256 => AsDer::as_der(rs256().public_key()),
        Algorithm::EdDsa => AsDer::as_der(eddsa().public_key()),
    };
    der.expect("SubjectPublicKeyInfo").as_ref().to_vec()
}

/// RFC 7515 appendix A.1.1.
const HS256_SECRET: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

/// RFC 7515 appendix A.3.1.
fn es256() -> EcdsaKeyPair {
    let private = bytes("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    let x = bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &private,
        &[vec![4], x, y].concat(),
    )
    .expect("the example's key")
}

/// RFC 8037 appendix A.1.
fn eddsa() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_and_public_key(
        &bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
        &bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
    )
    .expect("the example's key")
}

/// RFC 7515 appendix A.2.1.
fn rs256() -> RsaKeyPair {
    let n = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B",
        "m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5",
        "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7",
        "aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    let d = concat!(
        "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2N",
        "XOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M",
        "_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x",
        "_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    );
    let p = concat!(
        "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py",
        "5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    );
    let q = concat!(
        "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQ",
        "eZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    );
    let d_mod_p = concat!(
        "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu",
        "1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    );
    let d_mod_q = concat!(
        "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0a",
        "jaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    );
    let q_inverse = concat!(
        "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY",
        "7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
    );
    RsaKeyPair::from_components(&KeyPairComponents {
        public_key: aws_lc_rs::rsa::PublicKeyComponents {
            n: bytes(n),
            e: vec![1, 0, 1],
        },
        d: bytes(d),
        p: bytes(p),
        q: bytes(q),
        dP: bytes(d_mod_p),
        dQ: bytes(d_mod_q),
        qInv: bytes(q_inverse),
    })
    .expect("the example's key")
}
