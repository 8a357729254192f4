//! How an app is told its secret, and shows that it knows it.

use std::fmt::Write as _;
use std::time::Duration;

use db::sql;
use doorward::clock::Timestamp;
use serde_json::{Value, json};

use super::owner;
use crate::harness::phone::{Phone, confirms};
use crate::harness::{ADA, PASSWORD, Server, rows, server, server_with, together};

async fn enrols(server: &Server, token: &str) -> Value {
    let answer = server.post_as(token, "/auth/totp", &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json().clone()
}

/// What a camera reads from the SVG.
fn read(svg: &str) -> String {
    let side: usize = svg
        .split_once("width=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .unwrap()
        .0
        .parse()
        .unwrap();
    let path = svg.rsplit_once("d=\"").unwrap().1;
    let path = path.split('"').next().unwrap();
    let mut dark = vec![false; side * side];
    // Each module is a rectangle: M{left} {top}h{width}v{height}H{left}V{top}.
    for module in path.split('M').skip(1) {
        let numbers: Vec<usize> = module
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        let [left, top, width, height, back, up] = numbers[..] else {
            panic!("{module}");
        };
        assert_eq!((left, top), (back, up));
        for y in top..top + height {
            dark[y * side + left..][..width].fill(true);
        }
    }
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        if dark[y * side + x] { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    let [grid] = &grids[..] else {
        panic!("one code, not {}", grids.len());
    };
    grid.decode().unwrap().1
}

#[tokio::test]
async fn an_app_is_told_160_bits_by_text_by_url_and_by_qr_code() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let told = enrols(server, &token).await;
        let secret = told["secret"].as_str().unwrap();
        let is_base32 = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
        assert_eq!(secret.len() * 5, 160);
        assert!(secret.chars().all(is_base32), "{secret}");
        let url = told["otpauthUrl"].as_str().unwrap();
        assert_eq!(
            url,
            format!(
                "otpauth://totp/localhost:ada%40example.com?secret={secret}&issuer=localhost&algorithm=SHA1&digits=6&period=30"
            )
        );
        let svg = told["qrSvg"].as_str().unwrap();
        assert_eq!(read(svg), url);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        for foreign in ["<?", "<!", "style", "<script", "href", "url("] {
            assert!(!svg.contains(foreign), "{foreign} in {svg}");
        }
    })
    .await;
}

#[tokio::test]
async fn F4_six_digits_are_a_code_and_nothing_else_is() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let mut phone = Phone::enrols(server, &token).await;
        // One with a leading zero, which may be lost.
        let again = async || {
            server
                .signs_in(ADA, PASSWORD)
                .await
                .token()
                .unwrap()
                .to_owned()
        };
        while !phone.shows_in(server, 0).starts_with('0') {
            server.wait(Duration::from_secs(30));
            phone = Phone::enrols(server, &again().await).await;
        }
        let token = again().await;
        let code = phone.shows_in(server, 0);
        let in_digits_from = |zero: char| -> String {
            let digit = |c: char| char::from_u32(u32::from(zero) + c.to_digit(10).unwrap());
            code.chars().filter_map(digit).collect()
        };
        for other in [
            code[1..].to_owned(),
            code[..5].to_owned(),
            format!("{code}0"),
            format!("0{code}"),
            in_digits_from('\u{660}'),
            in_digits_from('\u{ff10}'),
            format!("{}-{}", &code[..3], &code[3..]),
            format!("{}\u{a0}{}", &code[..3], &code[3..]),
            String::new(),
            " ".to_owned(),
            "x".repeat(64),
        ] {
            let answer = confirms(server, &token, &json!(other)).await;
            let told = (answer.status.as_u16(), answer.code());
            assert_eq!(told, (400, "code_invalid"), "{other:?}");
        }
        let number: u64 = code.parse().unwrap();
        for other in [
            json!(number),
            json!(null),
            json!([code]),
            json!("x".repeat(65)),
            json!(format!("{code}\n")),
        ] {
            let answer = confirms(server, &token, &other).await;
            let told = (answer.status.as_u16(), answer.code());
            assert_eq!(told, (400, "validation_failed"), "{other}");
        }
        let typed = format!(" {} {} ", &code[..3], &code[3..]);
        let answer = confirms(server, &token, &json!(typed)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn F6_an_app_that_was_not_confirmed_counts_for_nothing() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        Phone::enrols(server, &token).await;
        let signed_in = server.signs_in(ADA, PASSWORD).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let me = server.get_as(&token, "/auth/me").await;
        assert_eq!(me.json()["mfa"]["totp"], false);
        let codes = server
            .post_as(&token, "/auth/recovery-codes", &json!({}))
            .await;
        assert_eq!(codes.status, 409, "{codes:?}");
        let removed = server.delete_as(&token, "/auth/totp").await;
        assert_eq!(
            (removed.status.as_u16(), removed.code()),
            (409, "totp_not_enabled")
        );
    })
    .await;
}

#[tokio::test]
async fn F7_to_begin_again_voids_the_first_secret() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let nothing = confirms(server, &token, &json!("123456")).await;
        assert_eq!(
            (nothing.status.as_u16(), nothing.code()),
            (409, "totp_not_enabled")
        );
        let first = Phone::enrols(server, &token).await;
        let second = Phone::enrols(server, &token).await;
        assert_ne!(first.secret, second.secret);
        let refused = first.confirms(server, &token).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "code_invalid")
        );
        assert_eq!(second.confirms(server, &token).await.status, 200);
        let me = server.get_as(&token, "/auth/me").await;
        let mfa = json!({"totp": true, "passkeys": 0, "recoveryCodesLeft": 10});
        assert_eq!(me.json()["mfa"], mfa);
        for answer in [
            second.confirms(server, &token).await,
            server.post_as(&token, "/auth/totp", &json!({})).await,
        ] {
            let told = (answer.status.as_u16(), answer.code());
            assert_eq!(told, (409, "totp_already_enabled"));
        }
    })
    .await;
}

#[tokio::test]
async fn F13_a_secret_is_shown_once_and_kept_sealed() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let phone = Phone::enrols(server, &token).await;
        let confirmed = phone.confirms(server, &token).await;
        let bytes = decoded(&phone.secret);
        let mut hex = String::new();
        for byte in &bytes {
            write!(hex, "{byte:02x}").unwrap();
        }
        let rows = rows::all(&server.app.db).await;
        let trail = rows::trail(&server.app.db).await;
        for form in [&phone.secret, &hex, &hex.to_uppercase()] {
            assert!(!rows.hold(form) && !trail.hold(form), "in the database");
        }
        let mut answers = vec![confirmed];
        for route in doorward::router::table() {
            if route.method == "GET" {
                answers.push(server.get_as(&token, route.path).await);
            }
        }
        answers.push(server.post_as(&token, "/auth/totp", &json!({})).await);
        answers.push(server.delete_as(&token, "/auth/totp").await);
        assert!(answers.len() > 10);
        for answer in answers {
            assert!(!answer.body.contains(&phone.secret), "{answer:?}");
        }
    })
    .await;
}

fn decoded(base32: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<bool> = base32
        .chars()
        .flat_map(|c| {
            let value = alphabet.find(c).unwrap();
            (0..5).rev().map(move |bit| value >> bit & 1 == 1)
        })
        .collect();
    bits.chunks(8)
        .map(|byte| byte.iter().fold(0, |all, bit| all << 1 | u8::from(*bit)))
        .collect()
}

#[tokio::test]
async fn F13_a_secret_moved_to_the_row_of_another_account_opens_nothing() {
    server(async |server| {
        let ada = server.signs_up(ADA).await;
        let (phone, _) = Phone::is_set_up(server, &ada).await;
        let eve = server.signs_up("eve@example.com").await;
        Phone::enrols(server, &eve).await;
        let moved = sql("UPDATE totp SET sealed = (SELECT sealed FROM totp WHERE user_id = $1) WHERE user_id = $2")
            .bind(&owner(server, &ada).await)
            .bind(&owner(server, &eve).await);
        server.app.db.write(moved).await.unwrap();
        let answer = phone.confirms(server, &eve).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (500, "internal"));
    })
    .await;
}

#[tokio::test]
async fn F14_no_address_gets_out_of_the_label() {
    server(async |server| {
        for (email, label) in [
            ("a?issuer=bank@example.com", "a%3Fissuer%3Dbank%40example.com"),
            ("a&secret=aa#@example.com", "a%26secret%3Daa%23%40example.com"),
            ("a/=#{~}'*@example.com", "a%2F%3D%23%7B~%7D%27%2A%40example.com"),
        ] {
            let token = server.signs_up(email).await;
            let told = enrols(server, &token).await;
            let secret = told["secret"].as_str().unwrap();
            assert_eq!(
                told["otpauthUrl"],
                format!("otpauth://totp/localhost:{label}?secret={secret}&issuer=localhost&algorithm=SHA1&digits=6&period=30")
            );
            assert_eq!(read(told["qrSvg"].as_str().unwrap()), told["otpauthUrl"]);
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_codes_are_counted_whoever_signs_in_between() {
    let limits = [
        ("limits.enabled", "true"),
        ("limits.burst", "100000"),
        ("limits.per_minute", "100000"),
    ];
    server_with(&limits, async |server| {
        server.signs_up(ADA).await;
        let token = async || {
            server
                .signs_in(ADA, PASSWORD)
                .await
                .token()
                .unwrap()
                .to_owned()
        };
        let phone = Phone::enrols(server, &token().await).await;
        let right = phone.shows(Timestamp::from_micros(0));
        let wrong = json!(if right == "000000" {
            "000001"
        } else {
            "000000"
        });
        for n in 0..5 {
            let answer = confirms(server, &token().await, &wrong).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (400, "code_invalid"),
                "{n}"
            );
        }
        let held = phone.confirms(server, &token().await).await;
        assert_eq!((held.status.as_u16(), held.code()), (429, "rate_limited"));
        assert_eq!(held.header("retry-after"), "1");
        server.wait(Duration::from_secs(1));
        assert_eq!(phone.confirms(server, &token().await).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn X5_an_app_is_confirmed_once_by_whoever_shows_its_code() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let phone = Phone::enrols(server, &token).await;
        let code = json!(phone.shows_in(server, 0));
        let answers = together((0..16).map(|_| confirms(server, &token, &code))).await;
        let mut said: Vec<u16> = answers
            .iter()
            .map(|answer| answer.status.as_u16())
            .collect();
        said.sort_unstable();
        assert_eq!(said[0], 200, "{said:?}");
        assert!(
            said[1..].iter().all(|status| [400, 409].contains(status)),
            "{said:?}"
        );
        let left = server.get_as(&token, "/auth/recovery-codes").await;
        assert_eq!(left.json()["left"], 10);
    })
    .await;
}
