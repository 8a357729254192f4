//! Recovery codes. The numbers are those of one catalogue of bad inputs.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use db::sql;
use doorward::attempts::Permit;
use doorward::audit::By;
use doorward::ids::UserId;
use doorward::password;
use doorward::recovery_codes;
use doorward::secret::Secret;
use serde_json::json;

use crate::harness::phone::{self, Phone};
use crate::harness::{ADA, Server, asking, rows, server, together};
use crate::totp::owner;

/// Whether a code is taken from whoever signs in with it now.
async fn takes(server: &Server, user: &UserId, code: &str) -> bool {
    let app = &server.app;
    let asking = asking(server.clock.now());
    let permit = Permit::unlimited(password::turn(By::Caller(&asking)));
    let code = Secret::new(code.to_owned());
    let unit = recovery_codes::check(&app.db, &app.passwords, &permit, user, &code, &asking);
    match unit.await.unwrap() {
        None => false,
        Some(unit) => server.writes(unit).await,
    }
}

/// Somebody with a second factor.
async fn somebody(server: &Server) -> (UserId, String, Vec<String>) {
    let token = server.signs_up(ADA).await;
    let (_, codes) = Phone::is_set_up(server, &token).await;
    (owner(server, &token).await, token, codes)
}

async fn left(server: &Server, token: &str) -> u64 {
    let answer = server.get_as(token, "/auth/recovery-codes").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["left"].as_u64().unwrap()
}

#[tokio::test]
async fn F10_each_of_ten_codes_counts_once_however_it_is_typed() {
    server(async |server| {
        let (user, token, codes) = somebody(server).await;
        assert_eq!(codes.len(), 10);
        let typed = |code: &str, n: usize| match n % 4 {
            0 => code.to_owned(),
            1 => code.to_uppercase(),
            2 => code.replace('-', ""),
            _ => code.replace('-', " ").replace('0', "O").replace('1', "l"),
        };
        for (n, code) in codes.iter().enumerate() {
            assert!(code.starts_with(&n.to_string()), "{n}");
            assert!(takes(server, &user, &typed(code, n)).await, "code {n}");
            assert!(!takes(server, &user, code).await, "code {n} twice");
            assert_eq!(left(server, &token).await, 9 - n as u64);
        }
    })
    .await;
}

#[tokio::test]
async fn F10_no_other_code_counts() {
    server(async |server| {
        let (user, token, codes) = somebody(server).await;
        let eve = server.signs_up("eve@example.com").await;
        let (_, of_eve) = Phone::is_set_up(server, &eve).await;
        let other_slot = format!("4{}", &codes[3][1..]);
        let changed = format!(
            "{}{}",
            &codes[3][..20],
            if codes[3].ends_with('0') { "1" } else { "0" }
        );
        for code in [
            other_slot.as_str(),
            &changed,
            &of_eve[3],
            &codes[3][..20],
            "",
            "3",
            "3-",
        ] {
            assert!(!takes(server, &user, code).await, "{code}");
        }
        assert_eq!(left(server, &token).await, 10);
    })
    .await;
}

#[tokio::test]
async fn F11_new_codes_void_the_old_ones() {
    server(async |server| {
        let (user, token, old) = somebody(server).await;
        assert!(takes(server, &user, &old[0]).await);
        let answer = server
            .post_as(&token, "/auth/recovery-codes", &json!({}))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let new = phone::recovery_codes(server, &answer);
        assert_eq!(left(server, &token).await, 10);
        assert!(!takes(server, &user, &old[1]).await);
        assert!(takes(server, &user, &new[1]).await);
    })
    .await;
}

#[tokio::test]
async fn F12_a_code_is_written_down_and_switches_nothing_off() {
    server(async |server| {
        let (user, token, codes) = somebody(server).await;
        assert!(takes(server, &user, &codes[7]).await);
        let begun = server.post_as(&token, "/auth/totp", &json!({})).await;
        assert_eq!(begun.code(), "totp_already_enabled");
        let used = sql("SELECT user_id FROM audit WHERE event = 'recovery_code_used'");
        let used = server.app.db.all(used, |row| row.text("user_id")).await;
        assert_eq!(used.unwrap(), [user.as_str()]);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_kept_as_a_salted_hash_and_in_no_other_form() {
    server(async |server| {
        let (_, _, codes) = somebody(server).await;
        let hashes = sql("SELECT hash FROM recovery_codes ORDER BY slot");
        let hashes = server
            .app
            .db
            .all(hashes, |row| row.text("hash"))
            .await
            .unwrap();
        assert_eq!(hashes.len(), 10);
        for hash in hashes {
            assert!(hash.starts_with("$argon2id$"), "{hash}");
        }
        let rows = rows::all(&server.app.db).await;
        let trail = rows::trail(&server.app.db).await;
        for code in &codes {
            for form in [code.clone(), code[2..].replace('-', "")] {
                assert!(!rows.hold(&form) && !trail.hold(&form));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_try_costs_one_hash_whether_there_is_such_a_code_or_not() {
    server(async |server| {
        let (user, _, codes) = somebody(server).await;
        assert!(takes(server, &user, &codes[0]).await);
        let nobody = UserId::from_stored("nobody".to_owned());
        let done = || server.app.passwords.counts().done;
        for (whose, code) in [
            (&user, &codes[0]),
            (&user, &codes[1]),
            (&user, &format!("5{}", &codes[1][1..])),
            (&nobody, &codes[1]),
        ] {
            let before = done();
            takes(server, whose, code).await;
            assert_eq!(done() - before, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn who_has_no_second_factor_has_no_codes() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let answer = server
            .post_as(&token, "/auth/recovery-codes", &json!({}))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (409, "second_factor_not_enabled")
        );
        assert_eq!(left(server, &token).await, 0);
        let (_, codes) = Phone::is_set_up(server, &token).await;
        assert_eq!(server.delete_as(&token, "/auth/totp").await.status, 204);
        assert_eq!(left(server, &token).await, 0);
        assert!(!takes(server, &owner(server, &token).await, &codes[0]).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn X6_of_sixty_four_who_use_one_code_at_once_one_is_let_in() {
    server(async |server| {
        let (user, token, codes) = somebody(server).await;
        for code in &codes {
            let all = together((0..64).map(|_| takes(server, &user, code))).await;
            let taken = all.into_iter().filter(|taken| *taken).count();
            assert_eq!(taken, 1);
        }
        assert_eq!(left(server, &token).await, 0);
    })
    .await;
}
