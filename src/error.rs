//! Every answer a caller can get when the answer is no, in one list; and what went wrong on our side, kept apart from it.
//! Flows return these and never see a status code; no text in here depends on what the caller sent.

mod envelope;
mod words;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde::Serialize;

use crate::secret::Secret;

/// Why a request got no for an answer.
#[derive(Debug, Clone)]
pub enum Error {
    /// The caller's doing, and safe to show.
    Refused(Refusal),
    /// Ours: logged once at the boundary with the request's id, and shown without its cause.
    Broken(Broken),
}

/// What failed on our side. The text is for the operator's log and never reaches a caller; it holds no secret.
#[derive(Debug, Clone)]
pub enum Broken {
    /// Something we depend on does not answer now: 503, worth another try.
    Unavailable(Arc<str>),
    /// A mistake in the code or a damaged store: 500.
    Bug(Arc<str>),
}

/// The catalogue of refusals. A new one is added here, to [`Refusal::catalogue`] and to [`Refusal::said`] in `words`, and nowhere else.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The documented 401: any well-formed sign-in attempt that fails, whatever the reason.
    Unauthorized,
    /// Fields that are missing, empty, of another type or out of bounds; one sentence each, naming the field.
    Invalid(Vec<Cow<'static, str>>),
    /// The body is not one JSON object.
    BadJson {
        /// Where it stops being one, in words.
        at: String,
    },
    /// The request is not HTTP as its standard has it, in a way that a proxy on its way may have read otherwise.
    NotHttp {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Credentials came in the query string, where every log on the way keeps them.
    CredentialsInQuery,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is not of the media type that the route takes, not in UTF-8, or compressed.
    UnsupportedMediaType {
        /// The media type that it takes.
        wanted: &'static str,
    },
    /// The body is larger than any meant one.
    PayloadTooLarge,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// There is nothing at this path.
    NotFound,
    /// Too many attempts from this address.
    RateLimited {
        /// When the next one will be looked at.
        retry_after: Duration,
    },
    /// A proof of work is wanted, and none came that is right, in time and new.
    ProofRequired {
        /// When an attempt without one will be looked at, if it ever will.
        retry_after: Option<Duration>,
    },
    /// More passwords wait to be checked than can be soon.
    Overloaded {
        /// When it is worth another try.
        retry_after: Duration,
    },
    /// No bearer token where one is needed.
    TokenMissing,
    /// The bearer token is not one of ours, or was changed.
    TokenInvalid,
    /// The bearer token has expired.
    TokenExpired,
    /// The session behind the token has ended.
    SessionRevoked,
    /// The refresh token is not one of ours, or its session is over.
    RefreshTokenInvalid,
    /// The refresh token was used before, and so was what it was exchanged for: somebody has a copy, and the session ended.
    RefreshTokenReused,
    /// A page of another site made a browser send this.
    OriginNotAllowed,
    /// The cookie and the bearer token are of different people.
    TwoCallers,
    /// Not the name and the secret of one client.
    ClientInvalid,
    /// The address already has an account.
    EmailTaken,
    /// The password would be guessed.
    WeakPassword {
        /// Why, in words for the person who chose it.
        reason: Cow<'static, str>,
    },
    /// The password was found in breaches of other services, so it will be tried here too.
    BreachedPassword,
    /// The operator has not opened sign-up.
    SignupDisabled,
    /// The caller proved who they are too long ago for what they ask.
    ReauthenticationRequired,
    /// The password is right, and a second factor is wanted.
    SecondFactorRequired(Asked),
    /// The password is right, and a second factor has to be set up before there is a session.
    SecondFactorEnrolmentRequired(Asked),
    /// The code that was shown as a second factor is not right, or was used.
    SecondFactorInvalid,
    /// There is no such half-done sign-in, or it took too long or too many tries.
    ChallengeExpired,
    /// The code is not right, or was used.
    CodeInvalid,
    /// The account has an authenticator app already.
    TotpAlreadyEnabled,
    /// The account has no authenticator app.
    TotpNotEnabled,
    /// The account has no second factor that a recovery code could stand in for.
    SecondFactorNotEnabled,
    /// The account has to have a second factor, and this is the last one.
    LastSecondFactor,
    /// Browsers make no passkeys for the address that this service is reached at.
    PasskeysUnavailable,
    /// Nobody has this passkey.
    PasskeyUnknown,
    /// The proof of a passkey does not verify, took too long, or came before.
    PasskeyInvalid,
    /// The passkey that was made does not verify, took too long, or came before.
    RegistrationInvalid,
    /// The passkey is registered already, to whomever.
    PasskeyExists,
    /// The account has as many passkeys as it may have.
    PasskeysFull,
    /// There would be no way into the account any more.
    LastCredential,
}

/// What a half-done sign-in is told, beside that it is one.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What names it.
    pub challenge: Secret<String>,
    /// By what it can go on.
    pub methods: Vec<&'static str>,
    /// For how long it can.
    pub expires_in: Duration,
}

/// How a refusal is said over HTTP. It is left on the answer, for whoever has to say it in another form.
#[derive(Debug, Clone)]
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// The stable code; the documented 401 alone has none.
    pub code: Option<&'static str>,
    /// One sentence, or one for each problem.
    pub message: Message,
}

/// `message` in the envelope: a string, or as Nest's ValidationPipe gives it, an array of them.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Message {
    /// One sentence.
    One(Cow<'static, str>),
    /// One sentence for each problem.
    Many(Vec<Cow<'static, str>>),
}

impl Refusal {
    /// A problem with one field.
    pub fn invalid(problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![problem.into()])
    }

    /// One of each, for the published list of codes.
    pub fn catalogue() -> Vec<Self> {
        let retry_after = Duration::from_secs(30);
        vec![
            Self::Unauthorized,
            Self::invalid("email must be an email address"),
            Self::BadJson {
                at: "line 1, column 1".to_owned(),
            },
            Self::NotHttp {
                why: "A request must have only one Host header",
            },
            Self::CredentialsInQuery,
            Self::RequestTimeout,
            Self::UnsupportedMediaType {
                wanted: "application/json",
            },
            Self::PayloadTooLarge,
            Self::MethodNotAllowed,
            Self::NotFound,
            Self::RateLimited { retry_after },
            Self::ProofRequired {
                retry_after: Some(retry_after),
            },
            Self::Overloaded { retry_after },
            Self::TokenMissing,
            Self::TokenInvalid,
            Self::TokenExpired,
            Self::SessionRevoked,
            Self::RefreshTokenInvalid,
            Self::RefreshTokenReused,
            Self::OriginNotAllowed,
            Self::TwoCallers,
            Self::ClientInvalid,
            Self::EmailTaken,
            Self::WeakPassword {
                reason: "password must be at least 8 characters long".into(),
            },
            Self::BreachedPassword,
            Self::SignupDisabled,
            Self::ReauthenticationRequired,
            Self::SecondFactorRequired(Asked {
                challenge: Secret::new("a-challenge".to_owned()),
                methods: vec!["totp", "recovery_code"],
                expires_in: Duration::from_mins(5),
            }),
            Self::SecondFactorEnrolmentRequired(Asked {
                challenge: Secret::new("a-challenge".to_owned()),
                methods: vec!["totp"],
                expires_in: Duration::from_mins(5),
            }),
            Self::SecondFactorInvalid,
            Self::ChallengeExpired,
            Self::CodeInvalid,
            Self::TotpAlreadyEnabled,
            Self::TotpNotEnabled,
            Self::SecondFactorNotEnabled,
            Self::LastSecondFactor,
            Self::PasskeysUnavailable,
            Self::PasskeyUnknown,
            Self::PasskeyInvalid,
            Self::RegistrationInvalid,
            Self::PasskeyExists,
            Self::PasskeysFull,
            Self::LastCredential,
        ]
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Overloaded { retry_after } => {
                Some(*retry_after)
            }
            Self::ProofRequired { retry_after } => *retry_after,
            _ => None,
        }
    }

    fn asked(&self) -> Option<&Asked> {
        match self {
            Self::SecondFactorRequired(asked) | Self::SecondFactorEnrolmentRequired(asked) => {
                Some(asked)
            }
            _ => None,
        }
    }

    /// What a 401 says of how to ask: RFC 6750 section 3 (without a token there is no error to name), RFC 7617 section 2.
    fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::TokenMissing => Some("Bearer"),
            Self::TokenInvalid | Self::TokenExpired | Self::SessionRevoked => {
                Some("Bearer error=\"invalid_token\"")
            }
            Self::ClientInvalid => Some("Basic realm=\"doorward\""),
            _ => None,
        }
    }
}

impl Error {
    /// A mistake of ours, in words for the log.
    pub fn bug(what: impl std::fmt::Display) -> Self {
        Self::Broken(Broken::Bug(what.to_string().into()))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<db::Error> for Error {
    /// A store that fails is a failure, never a "no".
    fn from(error: db::Error) -> Self {
        let text = error.to_string().into();
        Self::Broken(if error.is_unavailable() {
            Broken::Unavailable(text)
        } else {
            Broken::Bug(text)
        })
    }
}

/// The code of a refusal, left on the answer for the log line and the metrics.
#[derive(Debug, Clone, Copy)]
pub struct Code(pub &'static str);
