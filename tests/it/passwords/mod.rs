//! What a password is: every character of it as it was typed, whatever stands for it in the database. What is none is
//! told in `bad_input::passwords`; ids are those of the catalogue of bad inputs.
#![expect(
    non_snake_case,
    reason = "a case is named by its id in the catalogue of bad inputs"
)]

mod breached;
mod foreign;
pub mod rehash;

use serde_json::json;

use crate::harness::{ADA, Answer, PASSWORD, Server, insist, server, together};

async fn sign_up(server: &Server, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    server.post("/auth/signup", &body).await
}

/// An account is made with `password`, which signs in to it, and none of `others` does.
async fn is_only(password: &str, others: &[&str]) {
    server(async |server| {
        let signed_up = sign_up(server, ADA, password).await;
        assert_eq!(signed_up.status, 201, "{password:?}: {signed_up:?}");
        for other in others {
            let refused = server.signs_in(ADA, other).await;
            assert_eq!(
                refused.status, 401,
                "{other:?} for {password:?}: {refused:?}"
            );
        }
        assert_eq!(
            server.signs_in(ADA, password).await.status,
            200,
            "{password:?}"
        );
    })
    .await;
}

/// An account is made with the first, and each of them signs in to it.
async fn are_one(spellings: &[&str]) {
    server(async |server| {
        assert_eq!(sign_up(server, ADA, spellings[0]).await.status, 201);
        for spelling in spellings {
            assert_eq!(
                server.signs_in(ADA, spelling).await.status,
                200,
                "{spelling:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn P2_of_any_length_that_is_long_enough() {
    server(async |server| {
        for length in [8, 14, 15, 64, 72, 73, 128, 1_000, 1_024] {
            for letters in ["correct horse ", "\u{1f511}\u{5bc6}\u{7801} \u{e9}"] {
                let password: String = letters.chars().cycle().take(length).collect();
                let email = format!("{length}-{}@example.com", letters.len());
                assert_eq!(
                    sign_up(server, &email, &password).await.status,
                    201,
                    "{password}"
                );
                assert_eq!(
                    server.signs_in(&email, &password).await.status,
                    200,
                    "{password}"
                );
                // Every character counts, the last one too.
                let shorter: String = letters.chars().cycle().take(length - 1).collect();
                assert_eq!(
                    server.signs_in(&email, &shorter).await.status,
                    401,
                    "{shorter}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn P2_one_that_is_too_short_is_refused_when_it_is_chosen_and_only_wrong_when_it_is_tried() {
    server(async |server| {
        server.signs_up(ADA).await;
        for password in [
            "x",
            "short",
            "1234567",
            "\u{1f511}\u{1f511}\u{1f511}",
            "e\u{301}e\u{301}e\u{301}e\u{301}abc",
        ] {
            let refused = sign_up(server, "new@example.com", password).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (400, "weak_password"),
                "{password}"
            );
            assert_eq!(
                server.signs_in(ADA, password).await.status,
                401,
                "{password}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn P4_only_spaces() {
    is_only(
        &" ".repeat(12),
        &[
            &" ".repeat(11),
            &" ".repeat(13),
            " ",
            "\t\t\t\t\t\t\t\t\t\t\t\t",
        ],
    )
    .await;
}

#[tokio::test]
async fn P5_spaces_around_it_are_kept() {
    is_only(
        &format!(" {PASSWORD} "),
        &[
            PASSWORD,
            &format!(" {PASSWORD}"),
            &format!("{PASSWORD} "),
            &format!("  {PASSWORD}  "),
        ],
    )
    .await;
    is_only(
        PASSWORD,
        &[
            &format!(" {PASSWORD}"),
            &format!("{PASSWORD} "),
            &PASSWORD.replace(' ', ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn P6_nul_in_the_middle() {
    is_only(
        "before it\0after",
        &[
            "before it\0other",
            "before it",
            "before it\0",
            "before it\0after\0",
            "before itafter",
        ],
    )
    .await;
    is_only("before it", &["before it\0", "before it\0before it"]).await;
}

#[tokio::test]
async fn P7_bytes_after_the_seventy_second() {
    let (front, back) = ("x".repeat(71), "y");
    let of_72 = format!("{front}{back}");
    is_only(
        &of_72,
        &[&format!("{of_72}z"), &format!("{front}z"), &front],
    )
    .await;
    is_only(&format!("{of_72}z"), &[&format!("{of_72}w"), &of_72]).await;
}

#[tokio::test]
async fn P8_seventy_two_bytes_of_emoji() {
    let keys = "\u{1f511}".repeat(17);
    let password = format!("{keys}\u{1f512}");
    assert_eq!(password.len(), 72);
    is_only(
        &password,
        &[
            &keys,
            &format!("{keys}\u{1f513}"),
            &format!("{password}\u{1f512}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn P9_one_letter_typed_in_two_ways() {
    are_one(&["caf\u{e9} au lait", "cafe\u{301} au lait"]).await;
    are_one(&["cafe\u{301} au lait", "caf\u{e9} au lait"]).await;
    // Two marks in either order.
    are_one(&[
        "le a\u{323}\u{302}utre",
        "le a\u{302}\u{323}utre",
        "le \u{1ead}utre",
    ])
    .await;
}

#[tokio::test]
async fn P10_letters_that_only_look_alike_are_others() {
    is_only(
        "\u{fb01}ne weather",
        &["fine weather", "\u{fb01}ne  weather"],
    )
    .await;
    is_only("\u{ff50}\u{ff41}\u{ff53}\u{ff53}word 12", &["password 12"]).await;
    is_only("p\u{430}ssword 12", &["password 12"]).await;
}

#[tokio::test]
async fn P11_hangul_whole_and_in_parts() {
    let whole = "\u{d55c}\u{ad6d}\u{c5b4} \u{be44}\u{bc00}";
    let parts = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165} \
        \u{1107}\u{1175}\u{1106}\u{1175}\u{11af}";
    are_one(&[&whole.repeat(2), &parts.repeat(2)]).await;
}

#[tokio::test]
async fn P14_what_anybody_would_try() {
    let settings = [("public_url", "https://accounts.lovelace-engines.example")];
    crate::harness::server_with(&settings, async |server| {
        let email = "ada.lovelace@analytical.example";
        let before = server.app.passwords.counts().done;
        for password in [
            email,
            "Ada.Lovelace@ANALYTICAL.example",
            "ada.lovelace",
            "analytical.example",
            "accounts.lovelace-engines.example",
            "lovelace-engines",
            "Lovelace-Engines",
            "doorward",
            "password",
            "PassWord",
            "12345678",
            "iloveyou1",
            "qwertyuiop",
            "11111111",
        ] {
            let refused = sign_up(server, email, password).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (400, "weak_password"),
                "{password}"
            );
            assert!(
                refused.json()["message"][0]
                    .as_str()
                    .unwrap()
                    .starts_with("password "),
                "{refused:?}"
            );
        }
        assert_eq!(
            server.app.passwords.counts().done,
            before,
            "none of them was hashed"
        );
        // Only the whole password is compared.
        assert_eq!(
            sign_up(server, email, "password of ada.lovelace")
                .await
                .status,
            201
        );
    })
    .await;
}

#[tokio::test]
async fn P15_every_printable_character_of_ascii() {
    let all: String = (' '..='~').collect();
    is_only(
        &all,
        &[
            &all.replace('\\', ""),
            &all.replace('"', "'"),
            &all.to_lowercase(),
            &all.replace('&', "&amp;"),
        ],
    )
    .await;
    is_only("' OR '1'='1' --", &["' OR '1'='1'"]).await;
}

#[tokio::test]
async fn P17_case_counts() {
    is_only(
        "A Long Walk",
        &["a long walk", "A LONG WALK", "A Long walk"],
    )
    .await;
}

#[tokio::test]
async fn P18_a_line_break_at_the_end_counts() {
    is_only(
        PASSWORD,
        &[&format!("{PASSWORD}\n"), &format!("{PASSWORD}\r\n")],
    )
    .await;
    is_only(
        &format!("{PASSWORD}\n"),
        &[
            PASSWORD,
            &format!("{PASSWORD}\r\n"),
            &format!("{PASSWORD}\n\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn P19_code_points_that_are_not_assigned_yet() {
    for unassigned in [
        "\u{378}",
        "\u{1fad0}\u{1faff}",
        "\u{2ffff}",
        "\u{e000}",
        "\u{10ffff}",
    ] {
        is_only(
            &format!("a long {unassigned} walk"),
            &["a long  walk", "a long \u{fffd} walk"],
        )
        .await;
    }
}

#[tokio::test]
async fn P20_a_hundred_long_passwords_at_once() {
    let people: Vec<(String, String)> = (0..100)
        .map(|n| {
            (
                format!("{n}@example.com"),
                "a long walk ".repeat(83) + &format!("x{n:03}"),
            )
        })
        .collect();
    assert!(people.iter().all(|(_, password)| password.len() == 1_000));
    server(async |server| {
        let made = people
            .iter()
            .map(|(email, password)| insist(async move || sign_up(server, email, password).await));
        let made = together(made).await;
        assert!(made.iter().all(|answer| answer.status == 201), "{made:?}");

        // Everybody by their own, and by their neighbour's.
        for (step, status) in [(0, 200), (1, 401)] {
            let neighbours = people.iter().zip(people.iter().cycle().skip(step));
            let tried = neighbours.map(|((email, _), (_, password))| {
                insist(async move || server.signs_in(email, password).await)
            });
            let tried = together(tried).await;
            assert!(
                tried.iter().all(|answer| answer.status == status),
                "{tried:?}"
            );
        }
    })
    .await;
}
