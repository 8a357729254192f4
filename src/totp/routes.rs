//! An authenticator app of the caller's: enrolled, confirmed, removed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use otp::Totp;
use serde::Serialize;

use super::qr;
use crate::app::App;
use crate::attempts::Permit;
use crate::audit::By;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::http::body::{Field, Fields, Kind};
use crate::http::route::{Answer, Route, Schema};
use crate::password;
use crate::recovery_codes;
use crate::recovery_codes::routes::{CODES, Shown};
use crate::second_factors::Owner;
use crate::sessions::extract::{Fresh, SignedIn};
use crate::users::User;

/// Longer texts are no code of any kind, in characters.
pub const MAX_CODE: usize = 64;

const CONFIRM: &[Field] = &[Field::required(
    "code",
    Kind::Text { max: MAX_CODE },
    "The code that the app shows; blanks in it do not count",
)];

/// What an app is told.
pub const ENROLMENT: Schema = Schema {
    name: "TotpEnrolment",
    text: r#"{
        "type": "object",
        "required": ["secret", "otpauthUrl", "qrSvg"],
        "properties": {
            "secret": {"type": "string", "description": "The secret in base 32, to be typed into an app; shown this once"},
            "otpauthUrl": {"type": "string", "description": "The same with the account's name, for an app on the same device"},
            "qrSvg": {"type": "string", "description": "That URL as a QR code: an SVG element for a page to hold, without styles and scripts"}
        }
    }"#,
};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/totp", enrol)
            .about("Begins with an authenticator app, which counts once it is confirmed")
            .signed_in()
            .answers([Answer::ok(
                ENROLMENT,
                "What the app has to be told; one that was begun with before is void",
            )])
            .refuses(&[StatusCode::FORBIDDEN, StatusCode::CONFLICT])
            .credential(),
        Route::post("/auth/totp/confirm", confirm)
            .about("Lets the app count that shows the right code, and makes recovery codes")
            .signed_in()
            .body(CONFIRM)
            .answers([Answer::ok(
                CODES,
                "It counts; the codes are shown this once, and those before them are void",
            )])
            .refuses(&[StatusCode::FORBIDDEN, StatusCode::CONFLICT])
            .credential(),
        Route::delete("/auth/totp", disable)
            .about(
                "Removes the authenticator app, and with the last second factor the recovery codes",
            )
            .signed_in()
            .answers([Answer::nothing("It is gone")])
            .refuses(&[StatusCode::FORBIDDEN, StatusCode::CONFLICT]),
    ]
}

/// What an app is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    secret: String,
    otpauth_url: String,
    qr_svg: String,
}

impl Enrolment {
    /// For the one answer that shows it.
    pub fn new(app: &App, totp: &Totp, user: &User) -> Result<Self, Error> {
        let url = totp.url(app.config.public_url.origin().host(), &user.email);
        Ok(Self {
            secret: totp.secret.to_base32().to_string(),
            qr_svg: qr::svg(&url)?.expose().clone(),
            otpauth_url: url.to_string(),
        })
    }
}

async fn enrol(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
) -> Result<Json<Enrolment>, Error> {
    let SignedIn { user, session, .. } = &caller;
    let owner = Owner { user, session };
    let config = &app.config.second_factor;
    let totp = super::enrol(&app.db, app.sealer(), config, owner, &asking).await?;
    Ok(Json(Enrolment::new(&app, &totp, user)?))
}

async fn confirm(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
    mut fields: Fields,
) -> Result<Json<Shown>, Error> {
    let SignedIn { user, session, .. } = &caller;
    let code = fields.password("code")?;
    let begun = super::begun(&app.db, &user.id).await?;
    let (limits, turn) = (&app.config.limits, password::turn(By::Caller(&asking)));
    let permit = Permit::for_code(&app.db, limits, &app.stamp, &user.id, turn, asking.now).await?;
    let step = super::shown(app.sealer(), &user.id, &begun, &code, asking.now)?;
    let step = step.ok_or(Refusal::CodeInvalid)?;
    let codes = match recovery_codes::make(&app.passwords, permit.turn()).await {
        Ok(codes) => codes,
        Err(error) => {
            permit.give_back().await?;
            return Err(error);
        }
    };
    let owner = Owner { user, session };
    super::confirm(&app.db, &permit, owner, (&begun, step), &codes, &asking).await?;
    Ok(Json(Shown::new(&codes)))
}

async fn disable(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
) -> Result<StatusCode, Error> {
    let SignedIn { user, session, .. } = &caller;
    let config = &app.config.second_factor;
    super::disable(&app.db, config, Owner { user, session }, &asking).await?;
    Ok(StatusCode::NO_CONTENT)
}
