//! A good token with one thing changed.

use axum::http::{HeaderValue, Method};

use super::forge::{for_each_algorithm, is_refusal};

#[tokio::test]
async fn T27_every_prefix() {
    for_each_algorithm(async |forger| {
        let (app, token) = (&forger.server.app, &forger.token);
        let now = app.clock.now();
        assert!(app.tokens.verify(token, now).is_ok());
        for length in 0..token.len() {
            assert!(
                app.tokens.verify(&token[..length], now).is_err(),
                "{length}"
            );
            assert!(
                app.tokens.verify(&token[length + 1..], now).is_err(),
                "{length}"
            );
        }
        let dots = token.match_indices('.').flat_map(|(at, _)| [at, at + 1]);
        for length in dots.chain([1, token.len() - 1]) {
            forger
                .refused(&token[..length], &format!("{length} bytes"))
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn T27_every_bit() {
    for_each_algorithm(async |forger| {
        let (app, token) = (&forger.server.app, forger.token.as_bytes());
        let now = app.clock.now();
        for bit in 0..token.len() * 8 {
            let mut flipped = token.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match String::from_utf8(flipped) {
                Ok(text) => assert!(app.tokens.verify(&text, now).is_err(), "bit {bit}"),
                // No text at all; a header may still carry it.
                Err(error) => assert!(HeaderValue::from_bytes(error.as_bytes()).is_ok()),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn T27_a_bit_of_each_byte_over_http() {
    for_each_algorithm(async |forger| {
        let token = forger.token.as_bytes();
        for at in 0..token.len() {
            let mut flipped = token.to_vec();
            // The top bit makes it no text; the others take turns.
            for bit in [7, at % 7] {
                flipped[at] = token[at] ^ 1 << bit;
                // A control character is not for this test: no header can carry it.
                if HeaderValue::from_bytes(&flipped).is_ok() {
                    let answer = forger.call(Method::GET, &flipped).await;
                    let shown = String::from_utf8_lossy(&flipped);
                    is_refusal(
                        &answer,
                        "token_invalid",
                        &shown,
                        &format!("bit {bit} of {at}"),
                    );
                }
            }
        }
    })
    .await;
}
