//! What each refusal says. No text in here depends on what the caller sent.

use std::borrow::Cow;

use axum::http::StatusCode;

use super::{Message, Refusal, Said};

impl Refusal {
    /// Status, code and words of each refusal.
    #[expect(clippy::too_many_lines, reason = "a table, a few lines a refusal")]
    pub fn said(&self) -> Said {
        use StatusCode as S;
        let (status, code, message): (_, _, Cow<'static, str>) = match self {
            Self::Unauthorized => (S::UNAUTHORIZED, None, "Unauthorized".into()),
            Self::Invalid(problems) => {
                let message = Message::Many(problems.clone());
                return Said {
                    status: S::BAD_REQUEST,
                    code: Some("validation_failed"),
                    message,
                };
            }
            Self::BadJson { at } => {
                let words = format!("The body must be one JSON object; it is not one at {at}");
                (S::BAD_REQUEST, Some("bad_json"), words.into())
            }
            Self::NotHttp { why } => (S::BAD_REQUEST, Some("bad_request"), (*why).into()),
            Self::CredentialsInQuery => (
                S::BAD_REQUEST,
                Some("validation_failed"),
                "Send credentials in the body: a query string ends in logs".into(),
            ),
            Self::RequestTimeout => (
                S::REQUEST_TIMEOUT,
                Some("request_timeout"),
                "The body did not arrive in time".into(),
            ),
            Self::UnsupportedMediaType { wanted } => (
                S::UNSUPPORTED_MEDIA_TYPE,
                Some("unsupported_media_type"),
                format!("Send the body uncompressed, in UTF-8, with Content-Type: {wanted}").into(),
            ),
            Self::PayloadTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                Some("payload_too_large"),
                "The body is too large".into(),
            ),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                Some("method_not_allowed"),
                "This path does not take this method; the Allow header lists those it takes".into(),
            ),
            Self::NotFound => (
                S::NOT_FOUND,
                Some("not_found"),
                "There is nothing at this path".into(),
            ),
            Self::RateLimited { .. } => (
                S::TOO_MANY_REQUESTS,
                Some("rate_limited"),
                "Too many attempts; wait as long as the Retry-After header says".into(),
            ),
            Self::ProofRequired { .. } => (
                S::TOO_MANY_REQUESTS,
                Some("proof_required"),
                "Solve a challenge of POST /auth/challenge and send the answer as proof, once; or, where there is a \
                 Retry-After header, wait as long as it says"
                    .into(),
            ),
            Self::Overloaded { .. } => (
                S::SERVICE_UNAVAILABLE,
                Some("overloaded"),
                "Too busy to check a password now; wait as long as the Retry-After header says"
                    .into(),
            ),
            Self::TokenMissing => (
                S::UNAUTHORIZED,
                Some("token_missing"),
                "Send the token of a sign-in as Authorization: Bearer <token>".into(),
            ),
            Self::TokenInvalid => (
                S::UNAUTHORIZED,
                Some("token_invalid"),
                "The token is not valid; sign in".into(),
            ),
            Self::TokenExpired => (
                S::UNAUTHORIZED,
                Some("token_expired"),
                "The token has expired; sign in".into(),
            ),
            Self::SessionRevoked => (
                S::UNAUTHORIZED,
                Some("session_revoked"),
                "The session has ended; sign in".into(),
            ),
            Self::RefreshTokenInvalid => (
                S::UNAUTHORIZED,
                Some("refresh_token_invalid"),
                "The refresh token is not valid, or its session has ended; sign in".into(),
            ),
            Self::RefreshTokenReused => (
                S::UNAUTHORIZED,
                Some("refresh_token_reused"),
                "The refresh token was used before, so the session has ended; sign in".into(),
            ),
            Self::OriginNotAllowed => (
                S::FORBIDDEN,
                Some("origin_not_allowed"),
                "A page of another origin may not do this with a cookie; its origin has to be listed in cors.origins"
                    .into(),
            ),
            Self::TwoCallers => (
                S::FORBIDDEN,
                Some("forbidden"),
                "The cookie and the token belong to different people; send one of them".into(),
            ),
            Self::ClientInvalid => (
                S::UNAUTHORIZED,
                Some("invalid_client"),
                "Send the name and the secret of one of introspection.clients as Authorization: Basic".into(),
            ),
            Self::EmailTaken => (
                S::CONFLICT,
                Some("email_taken"),
                "This address has an account; sign in instead".into(),
            ),
            Self::WeakPassword { reason } => {
                let message = Message::Many(vec![reason.clone()]);
                return Said {
                    status: S::BAD_REQUEST,
                    code: Some("weak_password"),
                    message,
                };
            }
            Self::BreachedPassword => {
                let reason = "password was found in breaches of other services; choose one that you use nowhere else";
                return Said {
                    status: S::BAD_REQUEST,
                    code: Some("breached_password"),
                    message: Message::Many(vec![reason.into()]),
                };
            }
            Self::SignupDisabled => (
                S::FORBIDDEN,
                Some("signup_disabled"),
                "Sign-up is closed; ask whoever runs this service for an account".into(),
            ),
            Self::ReauthenticationRequired => (
                S::FORBIDDEN,
                Some("reauthentication_required"),
                "Sign in again; this is for whoever did so in the last ten minutes".into(),
            ),
            Self::SecondFactorRequired(_) => (
                S::UNAUTHORIZED,
                Some("second_factor_required"),
                "Second factor required".into(),
            ),
            Self::SecondFactorEnrolmentRequired(_) => (
                S::UNAUTHORIZED,
                Some("second_factor_enrolment_required"),
                "A second factor has to be set up first; POST /auth/signin/enrol begins with one".into(),
            ),
            Self::SecondFactorInvalid => (
                S::UNAUTHORIZED,
                Some("code_invalid"),
                "The code is not right, or was used before; wait for the next one".into(),
            ),
            Self::ChallengeExpired => (
                S::UNAUTHORIZED,
                Some("challenge_expired"),
                "This sign-in took too long or too many tries; begin anew with the password".into(),
            ),
            Self::CodeInvalid => (
                S::BAD_REQUEST,
                Some("code_invalid"),
                "The code is not right, or was used already".into(),
            ),
            Self::TotpAlreadyEnabled => (
                S::CONFLICT,
                Some("totp_already_enabled"),
                "There is an authenticator app already; remove it first".into(),
            ),
            Self::TotpNotEnabled => (
                S::CONFLICT,
                Some("totp_not_enabled"),
                "There is no authenticator app".into(),
            ),
            Self::SecondFactorNotEnabled => (
                S::CONFLICT,
                Some("second_factor_not_enabled"),
                "There is no second factor that a recovery code could stand in for".into(),
            ),
            Self::LastSecondFactor => (
                S::CONFLICT,
                Some("last_second_factor"),
                "This account has to have a second factor; add another one first, or ask whoever runs this service"
                    .into(),
            ),
            Self::PasskeysUnavailable => (
                S::NOT_FOUND,
                Some("passkeys_unavailable"),
                "Browsers make passkeys under https:// and a host name alone; public_url is another address".into(),
            ),
            Self::PasskeyUnknown => (
                S::UNAUTHORIZED,
                Some("passkey_unknown"),
                "Nobody has this passkey; it may be forgotten".into(),
            ),
            Self::PasskeyInvalid => (
                S::UNAUTHORIZED,
                Some("passkey_invalid"),
                "The passkey could not be verified; begin again".into(),
            ),
            Self::RegistrationInvalid => (
                S::BAD_REQUEST,
                Some("passkey_invalid"),
                "The passkey could not be verified; begin again".into(),
            ),
            Self::PasskeyExists => (
                S::CONFLICT,
                Some("passkey_exists"),
                "This passkey is registered already".into(),
            ),
            Self::PasskeysFull => (
                S::CONFLICT,
                Some("passkeys_full"),
                "There are as many passkeys as an account may have; remove one first".into(),
            ),
            Self::LastCredential => (
                S::CONFLICT,
                Some("last_credential"),
                "This is the last way into the account; add another one first".into(),
            ),
        };
        Said {
            status,
            code,
            message: Message::One(message),
        }
    }
}
