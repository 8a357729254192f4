//! Tokens that were verified before.

use serde_json::Value;

use super::keys::{ALGORITHMS, KEY_PAIRS, key};
use super::{NOW, good_claims, header_of, policy, signed, verified_by};
use crate::{Rejected, verify};

#[test]
fn what_was_right_once_is_held_against_everything_else_each_time() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm);
        let token = signed(&key, &header_of(&key), &good_claims().to_string());
        let keys = [key.verifying_key().remembering()];
        for _ in 0..2 {
            assert_eq!(verified_by(&token, &keys), Ok(good_claims()));
        }
        let later = verify::<Value>(&token, keys.iter(), &policy(), NOW + 600);
        assert_eq!(later, Err(Rejected::Expired));
        let mut other = policy();
        other.audience = "another".into();
        let other = verify::<Value>(&token, keys.iter(), &other, NOW);
        assert_eq!(other, Err(Rejected::Audience));
        assert_eq!(verified_by(&token, &[]), Err(Rejected::UnknownKey));
    }
}

#[test]
fn what_was_wrong_once_stays_wrong_beside_what_was_right() {
    for algorithm in KEY_PAIRS {
        let key = key(algorithm);
        let keys = [key.verifying_key().remembering()];
        let token = signed(&key, &header_of(&key), &good_claims().to_string());
        let mut claims = good_claims();
        claims["sub"] = "somebody else".into();
        let signature = token.rsplit('.').next().expect("a signature");
        let others = signed(&key, &header_of(&key), &claims.to_string());
        let forged = format!(
            "{}.{signature}",
            &others[..others.rfind('.').expect("a dot")]
        );
        for _ in 0..3 {
            assert_eq!(verified_by(&forged, &keys), Err(Rejected::Signature));
            verified_by(&token, &keys).expect("the true one");
        }
    }
}
