//! Passwords that came with the hash of another system: what it took is taken, and what it did not is not.

use doorward::password::Norm;

use super::rehash::{imported, stored};
use crate::harness::{ADA, server};

/// bcrypt's hashes of what their names say, made by the package of that name for Python; norm raw.
const OF_72_BYTES: &str = "$2b$04$M60RLSPx1wxvS6Qh71bHSO3D10yM.r1LuXRBzZwhAWwKWOyk.sYZW";
const OF_18_KEYS: &str = "$2b$04$FOFWH.0gL9zfrq8invmde.WzZOk5hqXypMb0loEkByPssfDlgwLke";
const OF_DECOMPOSED_CAFE: &str = "$2b$04$TaPnX7g9JCfJQjxyz0SaYOnutRkQKiu2NnkzjyusdS/acU1lJ6Wnm";
const OF_NUL: &str = "$2b$04$se5msHq0FIQXST4FDS2FHuA49ZWiC4/2y2cMSbXr8LeQ98wWnFUE.";

/// Signs in with each of `right` and none of `wrong`, twice around, since the first time may change what is stored.
/// Says whether it did.
async fn takes(hash: &str, right: &[&str], wrong: &[&str]) -> bool {
    let mut is_replaced = false;
    server(async |server| {
        imported(server, hash, Norm::Raw).await;
        for _ in 0..2 {
            for password in wrong {
                assert_eq!(
                    server.signs_in(ADA, password).await.status,
                    401,
                    "{password:?}"
                );
            }
            for password in right {
                assert_eq!(
                    server.signs_in(ADA, password).await.status,
                    200,
                    "{password:?}"
                );
            }
        }
        let (now, norm) = stored(server).await;
        assert_eq!(norm, Norm::Raw, "what was typed was hashed as it was");
        is_replaced = now != hash;
    })
    .await;
    is_replaced
}

#[tokio::test]
async fn P6_nul_in_the_middle_of_a_bcrypt_password() {
    let is_replaced = takes(
        OF_NUL,
        &["before\0after it"],
        &["before", "before\0", "before\0other it"],
    )
    .await;
    assert!(
        !is_replaced,
        "bcrypt takes repetitions of a key with NULs, Argon2 does not"
    );
}

#[tokio::test]
async fn P7_bcrypt_reads_seventy_two_bytes() {
    let of_72 = format!("{}y", "x".repeat(71));
    let right = [
        of_72.as_str(),
        &format!("{of_72}z"),
        &format!("{of_72}{of_72}"),
    ];
    let wrong = [
        "x".repeat(71),
        "x".repeat(72),
        format!("{}z", "x".repeat(71)),
    ];
    let is_replaced = takes(OF_72_BYTES, &right, &wrong.each_ref().map(String::as_str)).await;
    assert!(
        !is_replaced,
        "somebody whose habit is a longer password would be shut out"
    );
}

#[tokio::test]
async fn P8_bcrypt_of_seventy_two_bytes_of_emoji() {
    let keys = "\u{1f511}".repeat(18);
    let right = [keys.as_str(), &format!("{keys}\u{1f512}")];
    let is_replaced = takes(
        OF_18_KEYS,
        &right,
        &[
            &"\u{1f511}".repeat(17),
            &keys.replacen('\u{1f511}', "\u{1f512}", 1),
        ],
    )
    .await;
    assert!(!is_replaced);
}

#[tokio::test]
async fn P12_a_decomposed_password_is_taken_as_it_was_typed_then_and_ever_after() {
    let is_replaced = takes(
        OF_DECOMPOSED_CAFE,
        &["cafe\u{301} au lait"],
        &["caf\u{e9} au lait", "cafe au lait"],
    )
    .await;
    assert!(
        is_replaced,
        "Argon2id of the same bytes takes the same password"
    );
}
