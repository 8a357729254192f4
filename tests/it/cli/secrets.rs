//! No command and no log says a secret, whatever is asked of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;

use super::{bare, call, creates, ends, me, prints, signs_in, token_of};
use crate::harness::process::{Ended, Place};
use crate::harness::{ADA, PASSWORD};

const SECRET_KEY: &str = "the operator's own secret key, long enough";
const SHARED: &str = "the secret that the back end has as well";
const WRONG: &str = "a wrong guess that somebody makes";

#[tokio::test]
async fn what_is_secret_is_in_no_output_and_in_no_log() {
    let place = Place::new()
        .await
        .with("log.filter", "debug")
        .with("tokens.hs256_secret", SHARED);
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let token = token_of(&server, ADA, PASSWORD);
    let mut all: Vec<Ended> = Vec::new();
    assert_eq!(signs_in(&server, ADA, WRONG).status, 401);
    assert_eq!(me(&server, &token).status, 200);
    call(
        &server,
        "GET",
        &format!("/auth/me?token={token}&password={WRONG}"),
        None,
        None,
    );

    for (arguments, input) in [
        (&["user", "list"][..], ""),
        (&["user", "list", "--json"], ""),
        (&["user", "get", ADA, "--json"], ""),
        (&["user", "create", ADA, "--password-stdin"], PASSWORD),
        (
            &[
                "user",
                "create",
                "eve@example.com",
                "--password-stdin",
                "--json",
            ],
            WRONG,
        ),
        (
            &["user", "set-password", ADA, "--password-stdin", "--json"],
            PASSWORD,
        ),
        (&["key", "list", "--json"], ""),
        (&["key", "rotate"], ""),
        (&["token", "inspect"], &token),
        (&["token", "verify"], &token),
        (&["token", "verify", &token], ""),
        (&["config", "show", "--origin"], ""),
        (&["config", "check"], ""),
        (&["doctor"], ""),
        (&["doctor", "--json"], ""),
        (&["user", "disable", ADA], ""),
        (&["user", "delete", ADA, "--yes", "--json"], ""),
    ] {
        all.push(place.run(arguments, input));
    }
    let too_short = [
        ("DOORWARD_SECRET_KEY", "hunter22"),
        ("DOORWARD_TOKENS__HS256_SECRET", "hunter22"),
    ];
    all.push(ends(bare(&place, &too_short, &["doctor"]), ""));
    let mut command = place.command(&["serve"]);
    command.env("DOORWARD_SECRET_KEY", SECRET_KEY);
    all.push(ends(command, ""));
    server.signal(Signal::TERM);
    all.push(server.ended());

    let all = format!("{all:?}");
    let (_, signature) = token.rsplit_once('.').unwrap();
    for secret in [
        PASSWORD,
        WRONG,
        SHARED,
        SECRET_KEY,
        signature,
        "hunter22",
        "$argon2id$",
    ] {
        assert!(!all.contains(secret), "{secret} was said");
        assert!(
            !all.contains(&STANDARD.encode(secret)),
            "{secret} was said in base64"
        );
    }
    assert_eq!(
        prints(&place, &["key", "secret"], ""),
        format!("{SHARED}\n"),
        "but when it is asked for"
    );
}
