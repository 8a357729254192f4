//! The caller's own passkeys. Whoever changes them is told what the browser's authenticators are to be told.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::relying_party::handle;
use super::{Begun, Ending, Passkey, Registered};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::http::body::{Field, Fields, Kind};
use crate::http::route::{Answer, Content, Route, Schema};
use crate::http::{Asking, LastSegment};
use crate::ids::PasskeyId;
use crate::recovery_codes::routes::Shown;
use crate::second_factors::Owner;
use crate::secret::Secret;
use crate::sessions::extract::{Fresh, SignedIn};
use crate::users::User;

/// No credential that anybody means comes near this, in bytes as JSON.
const MAX_CREDENTIAL: usize = 32 * 1024;
/// Longer names are not read whole by anybody, in characters.
const MAX_NAME: usize = 100;

/// What ends a ceremony, in a body.
pub const ENDING: [Field; 2] = [
    Field::required(
        "ceremonyId",
        Kind::Text { max: 64 },
        "What the options came with; it counts once, and for five minutes",
    ),
    Field::required(
        "credential",
        Kind::Object {
            max: MAX_CREDENTIAL,
        },
        "What the browser made of the options, as PublicKeyCredential.toJSON() writes it",
    ),
];

/// The same, where something else may stand in its place.
pub const ENDING_IF_ANY: [Field; 2] = [
    Field {
        required: false,
        about: "Of the options that the browser was asked by, for a proof by a passkey",
        ..ENDING[0]
    },
    Field {
        required: false,
        ..ENDING[1]
    },
];

const REGISTRATION: &[Field] = &[
    ENDING[0],
    ENDING[1],
    Field::optional(
        "name",
        Kind::Text { max: MAX_NAME },
        "What its owner calls it",
    ),
];

const RENAMING: &[Field] = &[Field::required(
    "name",
    Kind::Text { max: MAX_NAME },
    "What its owner calls it",
)];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    let fresh_refuses = &[
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::CONFLICT,
    ];
    vec![
        Route::post("/auth/passkeys/register/options", begin)
            .about("Begins with a new passkey: what the browser is to be asked")
            .signed_in()
            .answers([Answer::ok(CREATION, "For navigator.credentials.create()")])
            .refuses(fresh_refuses)
            .credential(),
        Route::post("/auth/passkeys/register", register)
            .about("Registers the passkey that the browser made")
            .signed_in()
            .body(REGISTRATION)
            .answers([Answer {
                status: StatusCode::CREATED,
                content: Content::Json(REGISTERED),
                about: "It counts, alone and as a second factor",
            }])
            .refuses(fresh_refuses)
            .credential(),
        Route::get("/auth/passkeys", list)
            .about("The caller's passkeys, oldest first")
            .signed_in()
            .answers([Answer::ok(PASSKEYS, "The passkeys")]),
        Route::patch("/auth/passkeys/{id}", rename)
            .about("Gives a passkey another name")
            .signed_in()
            .body(RENAMING)
            .answers([Answer::ok(PASSKEYS, "The passkeys as they are now")])
            .refuses(&[StatusCode::NOT_FOUND]),
        Route::delete("/auth/passkeys/{id}", remove)
            .about("Removes a passkey, unless it is the last way into the account")
            .signed_in()
            .answers([Answer::ok(PASSKEYS, "The passkeys that are left")])
            .refuses(fresh_refuses),
    ]
}

const CREATION: Schema = Schema {
    name: "PasskeyCreation",
    text: r#"{
        "type": "object",
        "required": ["ceremonyId", "publicKey"],
        "properties": {
            "ceremonyId": {"type": "string", "description": "Goes with the credential; it counts once, and for five minutes"},
            "publicKey": {"type": "object", "description": "PublicKeyCredentialCreationOptionsJSON, for PublicKeyCredential.parseCreationOptionsFromJSON()"}
        }
    }"#,
};

const REGISTERED: Schema = Schema {
    name: "PasskeyRegistered",
    text: r##"{
        "type": "object",
        "required": ["passkey", "signal"],
        "properties": {
            "passkey": {"$ref": "#/components/schemas/Passkeys/properties/data/items"},
            "recoveryCodes": {
                "type": "array",
                "description": "Ten, shown this once, when it is the first second factor of the account",
                "items": {"type": "string"}
            },
            "signal": {"$ref": "#/components/schemas/Passkeys/properties/signal"}
        }
    }"##,
};

const PASSKEYS: Schema = Schema {
    name: "Passkeys",
    text: r#"{
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "credentialId", "name", "backedUp", "createdAt", "lastUsedAt"],
                "properties": {
                    "id": {"type": "string"},
                    "credentialId": {"type": "string", "description": "What the authenticator calls it, in base64url"},
                    "name": {"type": "string"},
                    "backedUp": {"type": "boolean", "description": "Whether there is a copy of it elsewhere, with its owner's provider"},
                    "createdAt": {"type": "string", "format": "date-time"},
                    "lastUsedAt": {"type": ["string", "null"], "format": "date-time"}
                }
            }},
            "signal": {
                "type": "object",
                "description": "For PublicKeyCredential.signalAllAcceptedCredentials() and signalCurrentUserDetails(), as it is; missing where there can be no passkeys",
                "required": ["rpId", "userId", "allAcceptedCredentialIds", "name", "displayName"],
                "properties": {
                    "rpId": {"type": "string"},
                    "userId": {"type": "string", "description": "In base64url"},
                    "allAcceptedCredentialIds": {"type": "array", "items": {"type": "string"}},
                    "name": {"type": "string"},
                    "displayName": {"type": "string"}
                }
            }
        }
    }"#,
};

/// What a browser is asked, and what goes back with its answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Creation {
    ceremony_id: String,
    public_key: Value,
}

/// A passkey as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: PasskeyId,
    credential_id: String,
    name: String,
    backed_up: bool,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

impl From<Passkey> for Listed {
    fn from(passkey: Passkey) -> Self {
        Self {
            credential_id: passkey.credential_id(),
            id: passkey.id,
            name: passkey.name,
            backed_up: passkey.backed_up,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        }
    }
}

/// What authenticators are told of an account (WebAuthn level 3, section 5.1.10), so that they offer no passkey that is gone
/// and show no name that was.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signal {
    rp_id: String,
    user_id: String,
    all_accepted_credential_ids: Vec<String>,
    name: String,
    display_name: String,
}

impl Signal {
    fn new(app: &App, user: &User, passkeys: &[Passkey]) -> Result<Option<Self>, Error> {
        let Some(relying_party) = &app.relying_party else {
            return Ok(None);
        };
        Ok(Some(Self {
            rp_id: relying_party.id().to_owned(),
            user_id: URL_SAFE_NO_PAD.encode(handle(&user.id)?),
            all_accepted_credential_ids: passkeys.iter().map(Passkey::credential_id).collect(),
            name: user.email.clone(),
            display_name: user.email.clone(),
        }))
    }
}

#[derive(Serialize)]
struct List {
    data: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<Signal>,
}

#[derive(Serialize)]
struct New {
    passkey: Listed,
    #[serde(flatten)]
    codes: Option<Shown>,
    signal: Option<Signal>,
}

async fn begin(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
) -> Result<Json<Creation>, Error> {
    let relying_party = app.relying_party()?;
    let SignedIn { user, session, .. } = &caller;
    let owner = Owner { user, session };
    let begun = super::begin_registration(&app.db, relying_party, owner, &asking).await?;
    let Begun {
        ceremony,
        public_key,
    } = begun;
    Ok(Json(Creation {
        ceremony_id: ceremony.expose().clone(),
        public_key,
    }))
}

/// What ends a ceremony, from the body of a request.
pub(crate) fn ending(fields: &mut Fields) -> Result<Ending, Error> {
    let [ceremony, credential] = ENDING.map(|field| field.name);
    Ok(Ending {
        ceremony: Secret::new(fields.required(ceremony)?),
        credential: fields.object(credential).unwrap_or_default(),
    })
}

/// The same, where something else may stand in its place; half of one is none.
pub(crate) fn ending_if_any(fields: &mut Fields) -> Option<Ending> {
    let [ceremony, credential] = ENDING_IF_ANY.map(|field| field.name);
    let (ceremony, credential) = (fields.secret(ceremony), fields.object(credential));
    Some(Ending {
        ceremony: ceremony?,
        credential: credential?,
    })
}

async fn register(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
    mut fields: Fields,
) -> Result<(StatusCode, Json<New>), Error> {
    let SignedIn { user, session, .. } = &caller;
    let ending = ending(&mut fields)?;
    let name = fields.text("name").filter(|name| !name.trim().is_empty());
    let rooms = (&app.db, &app.passwords);
    let owner = Owner { user, session };
    let relying_party = app.relying_party()?;
    let Registered { passkey, codes } =
        super::register(rooms, relying_party, owner, &ending, name, &asking).await?;
    let all = super::list(&app.db, &user.id).await?;
    let new = New {
        signal: Signal::new(&app, user, &all)?,
        passkey: passkey.into(),
        codes: codes.as_ref().map(Shown::new),
    };
    Ok((StatusCode::CREATED, Json(new)))
}

async fn list(State(app): State<App>, caller: SignedIn) -> Result<Json<List>, Error> {
    listed(&app, &caller.user).await
}

async fn listed(app: &App, user: &User) -> Result<Json<List>, Error> {
    let passkeys = super::list(&app.db, &user.id).await?;
    Ok(Json(List {
        signal: Signal::new(app, user, &passkeys)?,
        data: passkeys.into_iter().map(Listed::from).collect(),
    }))
}

async fn rename(
    State(app): State<App>,
    asking: Asking,
    caller: SignedIn,
    LastSegment(id): LastSegment,
    mut fields: Fields,
) -> Result<Json<List>, Error> {
    let SignedIn { user, session, .. } = &caller;
    let name = fields.required("name")?;
    if name.trim().is_empty() {
        return Err(Refusal::invalid("name should not be empty").into());
    }
    let owner = Owner { user, session };
    super::rename(&app.db, owner, &PasskeyId::from_stored(id), &name, &asking).await?;
    listed(&app, user).await
}

async fn remove(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
    LastSegment(id): LastSegment,
) -> Result<Json<List>, Error> {
    let SignedIn { user, session, .. } = &caller;
    let owner = Owner { user, session };
    let config = &app.config.second_factor;
    super::remove(&app.db, config, owner, &PasskeyId::from_stored(id), &asking).await?;
    listed(&app, user).await
}
