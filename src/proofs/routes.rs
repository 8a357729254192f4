//! Where challenges come from, and the script that solves them in a browser.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};

use super::{Challenge, MAX_LENGTH};
use crate::app::App;
use crate::http::Asking;
use crate::http::body::{Field, Kind};
use crate::http::route::{Answer, Content, Route, Schema};

/// The field by which a proof comes with what asks for one.
pub const PROOF: Field = Field::optional(
    "proof",
    Kind::Text { max: MAX_LENGTH },
    "The answer to a challenge of POST /auth/challenge: the base64 of a JSON object with algorithm, challenge, number, salt \
     and signature",
);

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/challenge", challenge)
            .about("Asks for a proof of work in the format of ALTCHA: the number from 0 to maxnumber whose decimal digits behind salt have the SHA-256 challenge")
            .answers([Answer::ok(CHALLENGE, "A challenge; it may be answered once, within five minutes")]),
        Route::get("/auth/proof.js", script)
            .about("A JavaScript module that solves challenges: await proof() is what a sign-in takes as proof")
            .answers([Answer {
                status: StatusCode::OK,
                content: Content::Other(SCRIPT_MEDIA),
                about: "The module",
            }]),
    ]
}

const CHALLENGE: Schema = Schema {
    name: "Challenge",
    text: r#"{
        "type": "object",
        "required": ["algorithm", "challenge", "maxnumber", "salt", "signature"],
        "properties": {
            "algorithm": {"const": "SHA-256"},
            "challenge": {"type": "string", "description": "In hexadecimal"},
            "maxnumber": {"type": "integer"},
            "salt": {"type": "string"},
            "signature": {"type": "string", "description": "To be sent back as it is"}
        }
    }"#,
};

async fn challenge(State(app): State<App>, asking: Asking) -> Json<Challenge> {
    let work = app.config.limits.proof_work;
    Json(Challenge::new(&app.stamp, work, asking.now))
}

const SCRIPT: &str = include_str!("proof.js");
const SCRIPT_MEDIA: &str = "text/javascript";

/// It changes with the version alone, and an old one still solves what a new version asks.
async fn script() -> ([(HeaderName, &'static str); 2], &'static str) {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, SCRIPT)
}
