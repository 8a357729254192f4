//! What happened, to whom, from where: one row, written in the same unit as the change it tells of, so that there is
//! no change without its row. It holds no secret and nothing that a stranger typed.

mod store;

use crate::clock::Timestamp;
use crate::http::Asking;
use crate::ids::{SessionId, UserId};

pub use store::{delete_older, newest, row};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody signed in.
    SignedIn,
    /// A well-formed attempt to sign in failed.
    SignInFailed,
    /// Somebody signed out.
    SignedOut,
    /// Somebody signed out of all their sessions but one.
    SignedOutOthers,
    /// Somebody signed out of all their sessions.
    SignedOutEverywhere,
    /// Somebody ended one of their sessions from another.
    SessionEnded,
    /// Somebody has a copy of a refresh token or a cookie that was renewed since; its session ended.
    RefreshReused,
    /// Somebody made an account.
    SignedUp,
    /// Somebody tried to make an account with an address that has one, and was not told.
    SignedUpAgain,
    /// The operator made an account.
    UserCreated,
    /// A name, a locale or metadata changed.
    ProfileChanged,
    /// A password was set; all sessions ended.
    PasswordSet,
    /// A password was hashed anew at today's cost.
    PasswordRehashed,
    /// Somebody began with an authenticator app, which counts for nothing yet.
    TotpBegun,
    /// An authenticator app counts.
    TotpEnabled,
    /// An authenticator app was removed.
    TotpDisabled,
    /// Recovery codes were made; those before them are void.
    RecoveryCodesMade,
    /// A recovery code stood in for a second factor.
    RecoveryCodeUsed,
    /// A password was right, and a second factor is asked for.
    SecondFactorAsked,
    /// A password was right, and a second factor has to be set up first.
    EnrolmentAsked,
    /// A code that was shown as a second factor was not right.
    SecondFactorFailed,
    /// Somebody proved again who they are; the session before has ended.
    Reauthenticated,
    /// No second factor is asked for on a device from here on, for a while.
    DeviceTrusted,
    /// A device is trusted no more.
    DeviceRevoked,
    /// The operator took the second factors from an account.
    SecondFactorRemoved,
    /// The operator let somebody in without any proof.
    GlassBroken,
    /// A passkey was registered.
    PasskeyAdded,
    /// A passkey was given another name.
    PasskeyRenamed,
    /// A passkey was removed.
    PasskeyRemoved,
    /// A passkey proved itself with a count that it was past: there may be a copy of it.
    PasskeyCopied,
    /// Strangers may try the password of an account again at once.
    AttemptsForgotten,
    /// An account was shut; all its sessions ended.
    UserDisabled,
    /// An account was opened again.
    UserEnabled,
    /// An account is gone, and all that belonged to it.
    UserDeleted,
    /// A signing key was made.
    KeyCreated,
    /// The database had forgotten that sessions were ended, so all were.
    AllSessionsEnded,
}

impl Event {
    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignedOut => "signed_out",
            Self::SignedOutOthers => "signed_out_others",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::SessionEnded => "session_ended",
            Self::RefreshReused => "refresh_reused",
            Self::SignedUp => "signed_up",
            Self::SignedUpAgain => "signed_up_again",
            Self::UserCreated => "user_created",
            Self::ProfileChanged => "profile_changed",
            Self::PasswordSet => "password_set",
            Self::PasswordRehashed => "password_rehashed",
            Self::TotpBegun => "totp_begun",
            Self::TotpEnabled => "totp_enabled",
            Self::TotpDisabled => "totp_disabled",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::SecondFactorAsked => "second_factor_asked",
            Self::EnrolmentAsked => "second_factor_enrolment_asked",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::Reauthenticated => "reauthenticated",
            Self::DeviceTrusted => "device_trusted",
            Self::DeviceRevoked => "device_revoked",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::GlassBroken => "glass_broken",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRenamed => "passkey_renamed",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasskeyCopied => "passkey_copied",
            Self::AttemptsForgotten => "attempts_forgotten",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::KeyCreated => "key_created",
            Self::AllSessionsEnded => "all_sessions_ended",
        }
    }
}

/// Whose doing it was, and from where.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Whoever sent this request.
    Caller(&'a Asking),
    /// Whoever runs the service, at its command line.
    Operator(Timestamp),
    /// The service itself.
    Service(Timestamp),
}

impl By<'_> {
    /// When.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Caller(asking) => asking.now,
            Self::Operator(now) | Self::Service(now) => *now,
        }
    }
}

/// Whom an event concerns.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The account, when one is known.
    pub user: Option<&'a UserId>,
    /// The session, when there is one.
    pub session: Option<&'a SessionId>,
}
