//! Where a token may stand: in one `Authorization` header, and nowhere else.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Builder;
use axum::http::{Method, Request};

use super::forge::is_refusal;
use crate::harness::{ADA, Answer, Server, log, server};

const ROUTES: [Method; 2] = [Method::GET, Method::PATCH];

/// The answer of each bearer route to a request that `change` has added to.
async fn answers(server: &Server, change: impl Fn(Builder) -> Builder) -> Vec<Answer> {
    let mut answers = Vec::new();
    for method in ROUTES {
        let request = Request::builder()
            .method(method)
            .uri("/auth/me")
            .header("content-type", "application/json");
        let request = change(request).body(Body::from("{}")).unwrap();
        answers.push(server.send(request).await);
    }
    answers
}

#[tokio::test]
async fn T31_a_token_anywhere_else_is_none() {
    server(async |server| {
        let token = &server.signs_up(ADA).await;
        server.must_stay_unseen(token);
        let mut without = Vec::new();
        for place in ["token", "access_token", "authorization", "bearer", "jwt"] {
            without.extend(answers(server, |it| it.uri(format!("/auth/me?{place}={token}"))).await);
            without
                .extend(answers(server, |it| it.header(COOKIE, format!("{place}={token}"))).await);
            without.extend(answers(server, |it| it.header(format!("x-{place}"), token)).await);
        }
        without.extend(
            answers(server, |it| {
                it.header("proxy-authorization", format!("Bearer {token}"))
            })
            .await,
        );
        without.extend(answers(server, |it| it).await);
        for answer in without {
            assert!(!answer.body.contains(token));
            // A route that reads a body says that its query is no place for it.
            if answer.code() == "validation_failed" {
                assert_eq!(answer.status, 400);
                continue;
            }
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (401, "token_missing")
            );
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        assert!(!log::holds(token));
    })
    .await;
}

#[tokio::test]
async fn T32_one_header_one_scheme_one_token() {
    server(async |server| {
        let token = &server.signs_up(ADA).await;
        let other = &server.signs_up("eve@example.com").await;
        for good in ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "] {
            for answer in answers(server, |it| {
                it.header(AUTHORIZATION, format!("{good}{token}"))
            })
            .await
            {
                assert_eq!(answer.status, 200, "{good:?}: {answer:?}");
                assert_eq!(answer.json()["email"], ADA);
            }
        }
        for wrong in [
            String::new(),
            "Bearer".into(),
            "Bearer ".into(),
            token.clone(),
            format!("Bearer{token}"),
            format!("Bearer\t{token}"),
            format!("Bearer: {token}"),
            format!(" Bearer {token}"),
            format!("Bearer {token} "),
            format!("Bearer {token}\t"),
            format!("Bearer {token} {other}"),
            format!("Bearer {token},{other}"),
            format!("Bearer {token}, Bearer {other}"),
            format!("Bearer \"{token}\""),
            format!("Bearer token={token}"),
            format!("Basic {token}"),
            format!("DPoP {token}"),
            format!("JWT {token}"),
            format!("Token {token}"),
        ] {
            for answer in answers(server, |it| it.header(AUTHORIZATION, &wrong)).await {
                is_refusal(&answer, "token_invalid", token, &wrong);
            }
        }
        for second in [token, other, ""] {
            let both = answers(server, |it| {
                it.header(AUTHORIZATION, format!("Bearer {token}"))
                    .header(AUTHORIZATION, format!("Bearer {second}"))
            });
            for answer in both.await {
                is_refusal(&answer, "token_invalid", token, "two headers");
            }
        }
    })
    .await;
}
