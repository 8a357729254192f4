//! What the browser says it did (WebAuthn level 3, section 5.8.1): the JSON that is hashed into what is signed.

use serde_json::Value;

use super::relying_party::Wrong;
use crate::http::strict_json;

/// Accepts what was done on a page of one of these origins, to the letter, and in no frame of another's.
///
/// The type and the challenge are left to the library that verifies the signature; it compares origins as URLs, which know
/// several spellings of one, and does not look at `topOrigin`.
pub(super) fn check(json: &[u8], origins: &[String]) -> Result<(), Wrong> {
    let said =
        strict_json::object(json).map_err(|_| Wrong("the client data is not one JSON object"))?;
    let is_ours = |origin: &Value| {
        let origin = origin.as_str();
        origins.iter().any(|ours| Some(ours.as_str()) == origin)
    };
    if !said.get("origin").is_some_and(is_ours) {
        return Err(Wrong(
            "its origin is neither public_url nor one of passkeys.origins",
        ));
    }
    let is_framed = said
        .get("crossOrigin")
        .is_some_and(|it| *it != Value::Bool(false));
    if is_framed || said.contains_key("topOrigin") {
        return Err(Wrong("it was made in a frame of another origin"));
    }
    Ok(())
}
