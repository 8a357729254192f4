//! The documented call.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Attempt, Continued, Factor, Outcome};
use super::{enrol, passkeys, with_password, with_second_factor};
use crate::app::App;
use crate::attempts::extract::{DEVICE_TOKEN, Keeping};
use crate::challenges::{self, Challenge};
use crate::error::{Error, Refusal};
use crate::http::body::{Field, Fields, Kind};
use crate::http::csrf::Sender;
use crate::http::route::{Answer, Route};
use crate::http::{Asking, cookie};
use crate::passkeys::routes::{ENDING_IF_ANY, ending_if_any};
use crate::proofs::MAX_LENGTH;
use crate::recovery_codes::routes::Shown;
use crate::sessions::Carried;
use crate::sessions::extract::{SignedIn, end_replaced};
use crate::sessions::grant::Grant;
use crate::sessions::routes::{GRANT, SESSION};
use crate::totp::routes::{ENROLMENT, Enrolment};
use crate::users::Email;

/// Longer texts are no code of ours, in characters.
const MAX_CODE: usize = 64;

const PROOF: Field = Field::optional(
    "proof",
    Kind::Text { max: MAX_LENGTH },
    "The answer to a challenge of POST /auth/challenge, when a sign-in was refused as proof_required",
);

const REMEMBER: Field = Field::optional(
    "rememberDevice",
    Kind::Boolean,
    "Whether sign-ins on this device ask for no second factor for a while (second_factor.remember_device)",
);

/// What names a half-done sign-in.
pub(super) const CHALLENGE: Field = Field::required(
    "challenge",
    Kind::Text {
        max: challenges::MAX_LENGTH,
    },
    "The challenge of the answer to the password",
);

const CONTINUED: &[Field] = &[
    CHALLENGE,
    Field::optional(
        "code",
        Kind::Text { max: MAX_CODE },
        "A code of the authenticator app, or a recovery code; or else ceremonyId and credential",
    ),
    ENDING_IF_ANY[0],
    ENDING_IF_ANY[1],
    REMEMBER,
    SESSION,
    DEVICE_TOKEN,
];

const AGAIN: &[Field] = &[
    Field::optional(
        "password",
        Kind::Password,
        "The caller's password, as typed; or else ceremonyId and credential",
    ),
    ENDING_IF_ANY[0],
    ENDING_IF_ANY[1],
    Field::optional(
        "code",
        Kind::Text { max: MAX_CODE },
        "A code of the authenticator app, or a recovery code, where the account has a second factor",
    ),
    DEVICE_TOKEN,
    PROOF,
];

const ATTEMPT: &[Field] = &[
    Field::required("email", Kind::Email, "Whose account"),
    Field::required("password", Kind::Password, "The password, as typed"),
    SESSION,
    DEVICE_TOKEN,
    Field::optional(
        "code",
        Kind::Text { max: MAX_CODE },
        "A code of the authenticator app, or a recovery code, to sign in with a second factor in one request",
    ),
    REMEMBER,
    PROOF,
];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/signin", signin)
            .about("Signs in by e-mail and password and answers a token")
            .body(ATTEMPT)
            .answers([Answer::ok(GRANT, "Signed in")])
            .refuses(&[StatusCode::UNAUTHORIZED])
            .credential(),
        Route::post("/auth/signin/enrol", begin_enrolment)
            .about("Begins with an authenticator app, for a sign-in that asked to set up a second factor")
            .body(&[CHALLENGE])
            .answers([Answer::ok(
                ENROLMENT,
                "What the app has to be told; one that was begun with before is void",
            )])
            .refuses(&[StatusCode::UNAUTHORIZED])
            .credential(),
        Route::post("/auth/signin/second-factor", second_factor)
            .about("Goes on with a sign-in that asked for a second factor, or to set one up")
            .body(CONTINUED)
            .answers([Answer::ok(
                GRANT,
                "Signed in; with recovery codes where the app was set up by this, which are shown this once",
            )])
            .refuses(&[StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND])
            .credential(),
        Route::post("/auth/reauthenticate", reauthenticate)
            .about("Proves again who the caller is, for what asks for that, and begins a new session in the place of theirs")
            .signed_in()
            .body(AGAIN)
            .answers([Answer::ok(GRANT, "The new session; the one before has ended")])
            .refuses(&[StatusCode::NOT_FOUND])
            .credential(),
    ]
}

async fn signin(
    State(app): State<App>,
    asking: Asking,
    sender: Sender,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Error> {
    let keeping = Keeping::read(&mut fields, &sender, &headers);
    let attempt = Attempt {
        email: Email::parse(&fields.required("email")?)?,
        password: fields.password("password")?,
        carried: carried(&mut fields, &sender, &headers)?,
        device: keeping.brought().cloned(),
        proof: fields.text("proof"),
        code: fields.secret("code"),
        replaces: None,
        remember: fields.is_set("rememberDevice"),
    };
    let outcome = with_password(&app, attempt, &asking).await?;
    answer(&app, outcome, &keeping, &headers, &asking).await
}

async fn begin_enrolment(
    State(app): State<App>,
    asking: Asking,
    mut fields: Fields,
) -> Result<Json<Enrolment>, Error> {
    let challenge = Challenge::brought(fields.password("challenge")?);
    let (totp, user) = enrol(&app, &challenge, &asking).await?;
    Ok(Json(Enrolment::new(&app, &totp, &user)?))
}

async fn second_factor(
    State(app): State<App>,
    asking: Asking,
    sender: Sender,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Error> {
    let keeping = Keeping::read(&mut fields, &sender, &headers);
    let continued = Continued {
        challenge: Challenge::brought(fields.password("challenge")?),
        factor: factor(&mut fields)?,
        carried: fields.text("session").as_deref().and_then(Carried::named),
        may_have_cookie: may_have_cookie(&sender, &headers),
        device: keeping.brought().cloned(),
        remember: fields.is_set("rememberDevice"),
    };
    let outcome = with_second_factor(&app, continued, &asking).await?;
    answer(&app, outcome, &keeping, &headers, &asking).await
}

/// The one second factor of a body.
fn factor(fields: &mut Fields) -> Result<Factor, Error> {
    match (fields.secret("code"), ending_if_any(fields)) {
        (Some(code), None) => Ok(Factor::Code(code)),
        (None, Some(ending)) => Ok(Factor::Passkey(ending)),
        _ => Err(Refusal::invalid("either code is required, or ceremonyId and credential").into()),
    }
}

async fn reauthenticate(
    State(app): State<App>,
    asking: Asking,
    signed_in: SignedIn,
    sender: Sender,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Error> {
    let SignedIn {
        user,
        session,
        carried,
        ..
    } = signed_in;
    let keeping = Keeping::read(&mut fields, &sender, &headers);
    let device = keeping.brought().cloned();
    let outcome = match (fields.secret("password"), ending_if_any(&mut fields)) {
        (Some(password), None) => {
            let attempt = Attempt {
                email: Email::parse(&user.email)?,
                password,
                carried,
                device,
                proof: fields.text("proof"),
                code: fields.secret("code"),
                replaces: Some(session),
                remember: false,
            };
            with_password(&app, attempt, &asking).await?
        }
        (None, Some(ending)) => {
            let attempt = passkeys::Attempt {
                ending,
                again: Some((&user.id, &session)),
                carried,
                device,
            };
            passkeys::with_passkey(&app, attempt, &asking).await?
        }
        _ => {
            let words = "either password is required, or ceremonyId and credential";
            return Err(Refusal::invalid(words).into());
        }
    };
    answer(&app, outcome, &keeping, &headers, &asking).await
}

/// Gives what the outcome is, and what tells the device the next time. A session's cookie takes the place of the one that
/// the browser sent, whose session then ends.
pub(crate) async fn answer(
    app: &App,
    outcome: Outcome,
    keeping: &Keeping,
    headers: &HeaderMap,
    asking: &Asking,
) -> Result<Response, Error> {
    let (grant, device, codes) = match outcome {
        Outcome::SignedIn { grant, device } => (grant, device, None),
        Outcome::Enrolled {
            grant,
            device,
            codes,
        } => (grant, device, Some(Shown::new(&codes))),
        Outcome::SecondFactor(asked) => return Err(Refusal::SecondFactorRequired(asked).into()),
        Outcome::Enrolment(asked) => {
            return Err(Refusal::SecondFactorEnrolmentRequired(asked).into());
        }
    };
    if matches!(grant, Grant::Cookie { .. }) {
        end_replaced(app, headers, asking).await?;
    }
    let grant = grant.with_device(keeping.in_body(&device));
    let mut answer = grant.answer(codes.as_ref());
    keeping.in_headers(&device, &mut answer);
    Ok(answer)
}

/// How the caller wants the session carried. A cookie is given only to a page that may use it: one of another origin could
/// sign a browser in as somebody else. Nor to one that brings two already, of which it would replace but one.
pub(crate) fn carried(
    fields: &mut Fields,
    sender: &Sender,
    headers: &HeaderMap,
) -> Result<Carried, Error> {
    let carried = fields
        .text("session")
        .as_deref()
        .and_then(Carried::named)
        .unwrap_or(Carried::Token);
    if carried == Carried::Cookie {
        may_have_cookie(sender, headers)?;
    }
    Ok(carried)
}

fn may_have_cookie(sender: &Sender, headers: &HeaderMap) -> Result<(), Error> {
    sender.may_use_cookie()?;
    cookie::session(headers)?;
    Ok(())
}
