//! The figures: their names are what dashboards are built on, and no stranger writes in them.

use axum::body::Body;
use axum::http::Request;
use doorward::figures::{self, routes};
use serde_json::json;
use tower::ServiceExt as _;

use crate::harness::{ADA, Answer, PASSWORD, server};

const NAMES: &[&str] = &[
    "doorward_build_info",
    "doorward_db_pool_read_connections",
    "doorward_password_hash_duration_seconds",
    "doorward_password_hash_queue",
    "doorward_password_hash_queue_ahead",
    "doorward_password_hash_refused_by_share_total",
    "doorward_sessions_active",
    "doorward_signins_total",
    "doorward_tokens_issued_total",
    "http_server_request_duration_seconds",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
];

#[tokio::test]
async fn they_have_their_names_and_nothing_that_a_stranger_typed() {
    let figures = figures::start().unwrap();
    server(async |server| {
        let token = server.signs_up(ADA).await;
        server.signs_in(ADA, PASSWORD).await;
        server.signs_in(ADA, PASSWORD).await;
        server.post_as(&token, "/auth/signout", &json!({})).await;
        let odd = Request::builder().method("CANARYMETHOD").uri("/canary-path?canary=query");
        server.send(odd.body(Body::empty()).unwrap()).await;
        figures::count_sessions(&server.app).await.unwrap();
        let scrape = Request::get("/metrics").body(Body::empty()).unwrap();
        let text = routes::router(&server.app, figures.clone()).oneshot(scrape).await.unwrap();
        let text = Answer::read(text).await.body;
        for name in NAMES {
            assert!(text.contains(name), "{name} is missing in\n{text}");
        }
        assert!(text.contains(r#"http_route="/auth/signin",http_request_method="POST",http_response_status_code="200""#));
        assert!(text.contains("\ndoorward_sessions_active 2\n"), "{text}");
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(!text.contains(ADA));
    })
    .await;
}
