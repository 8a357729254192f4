//! What an operator does for somebody whose second factor is lost.

use serde_json::json;

use super::{call, creates, me, prints, refuses, signs_in, token_of};
use crate::harness::phone::Phone;
use crate::harness::process::{Place, Process};
use crate::harness::{ADA, PASSWORD};

/// Sets up an authenticator app, as the holder of a token.
fn sets_up(server: &Process, token: &str) {
    let begun = call(server, "POST", "/auth/totp", Some(token), Some(&json!({})));
    assert_eq!(begun.status, 200, "{begun:?}");
    let phone = Phone::told(begun.json()["otpauthUrl"].as_str().unwrap());
    let code = json!({"code": phone.shows(doorward::clock::Clock::system().now())});
    let confirmed = call(
        server,
        "POST",
        "/auth/totp/confirm",
        Some(token),
        Some(&code),
    );
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
}

#[tokio::test]
async fn a_second_factor_is_taken_away_and_its_owner_signed_out() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let token = token_of(&server, ADA, PASSWORD);
    sets_up(&server, &token);
    assert_eq!(
        signs_in(&server, ADA, PASSWORD).code(),
        "second_factor_required"
    );

    let ended = place.run(&["user", "remove-second-factor", ADA], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.said.contains("has no second factor any more"),
        "{ended:?}"
    );
    assert_eq!(me(&server, &token).code(), "session_revoked");
    let again = token_of(&server, ADA, PASSWORD);
    assert_eq!(
        me(&server, &again).json()["mfa"],
        json!({"totp": false, "passkeys": 0, "recoveryCodesLeft": 0})
    );
    let ended = place.run(&["user", "remove-second-factor", ADA], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.said.contains("had no second factor"), "{ended:?}");
    assert_eq!(
        me(&server, &again).status,
        200,
        "nothing was ended for that"
    );
}

#[tokio::test]
async fn somebody_is_let_in_without_a_password_or_a_second_factor() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    sets_up(&server, &token_of(&server, ADA, PASSWORD));

    let token = prints(&place, &["user", "let-in", ADA], "");
    let token = token.trim_end();
    assert_eq!(me(&server, token).json()["email"], ADA);
    let (_, claims) = jose::decode_unverified(token).unwrap();
    assert_eq!(claims["amr"], json!([]), "nothing was proved");
    let listed = call(&server, "GET", "/auth/sessions", Some(token), None);
    assert_eq!(
        listed.json()["data"][0]["userAgent"],
        "doorward user let-in"
    );
    // Enough to take away what is lost.
    let gone = call(&server, "DELETE", "/auth/totp", Some(token), None);
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(signs_in(&server, ADA, PASSWORD).status, 200);

    prints(&place, &["user", "disable", ADA], "");
    refuses(
        &place.run(&["user", "let-in", ADA], ""),
        1,
        "is shut: `doorward user enable` opens it",
    );
    refuses(
        &place.run(&["user", "let-in", "eve@example.com"], ""),
        4,
        "has no account here",
    );
}
