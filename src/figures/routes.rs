//! `/metrics`, on a listener of its own.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::routing::get;

use super::Figures;
use crate::app::App;
use crate::error::Refusal;

/// The one route of the figures' listener.
pub fn router(app: &App, figures: Figures) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed })
        .with_state((app.clone(), figures))
}

async fn metrics(
    State((app, figures)): State<(App, Figures)>,
) -> ([(HeaderName, &'static str); 1], String) {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        figures.render(&app),
    )
}
