#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt as _;

use super::*;
use crate::clock::Timestamp;
use crate::config::{self, Inputs};
use crate::http::client::Peer;

async fn panic() -> StatusCode {
    panic!("nobody is to read this");
}

/// A handler with a mistake in it, behind what stands before every other.
fn faulty() -> Front {
    let lines = Router::new().route("/", get(panic));
    let inputs = Inputs {
        dev: true,
        ..Inputs::default()
    };
    let config = config::load(&inputs).unwrap().config;
    let clock = Clock::fixed(Timestamp::from_micros(0));
    Front::before(lines, openapi::document(&table()), &config, clock)
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_for_and_nobody_is_told_why() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let front = faulty();
    let words = r#"{"statusCode":500,"message":"Internal server error","error":"Internal Server Error","code":"internal"}"#;
    for (method, body) in [("GET", words), ("HEAD", "")] {
        let request = Request::builder()
            .method(method)
            .extension(Peer {
                address: ([127, 0, 0, 1], 50_000).into(),
                tls: false,
            })
            .body(Body::empty())
            .unwrap();
        let answer = front.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(answer.headers().contains_key("x-request-id"));
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert_eq!(bytes, body);
    }
    assert!(figures.render().contains("doorward_panics_total 2"));
}
