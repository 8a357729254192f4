//! A proof: that whoever asks has a passkey of an account, and that its authenticator verified who they are.

use db::{Db, Unit};

use super::ceremony::{self, Begun, Ceremony, Ending, HalfDone};
use super::relying_party::{Proof, RelyingParty};
use super::{named, noted, store};
use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{PasskeyId, UserId};

/// Who proved a passkey.
pub struct Proven {
    /// The account.
    pub user: UserId,
    /// Notes that it was used; touches no row when the passkey is gone by then, or was used meanwhile. It goes behind what holds
    /// the row of the account.
    pub unit: Unit,
}

/// What a proof is verified with.
pub(super) struct Known {
    pub(super) id: PasskeyId,
    pub(super) user: UserId,
    /// Whether the account is not shut.
    pub(super) is_open: bool,
    pub(super) credential: String,
    pub(super) sign_count: i64,
    pub(super) backup_eligible: bool,
}

/// Begins with a proof, by any passkey or, for a half-done sign-in, by one of its account. Of whoever is not known nothing is
/// looked up, so that there is nothing to learn.
pub async fn options(
    db: &Db,
    relying_party: &RelyingParty,
    half_done: Option<HalfDone<'_>>,
    asking: &Asking,
) -> Result<Begun, Error> {
    let (ceremony, allowed) = match half_done {
        Some(half_done) => (
            Ceremony::Prove(half_done),
            named(store::of_user(db, half_done.user).await?),
        ),
        None => (Ceremony::SignIn, Vec::new()),
    };
    let (public_key, state) = relying_party.begin_proving(&allowed)?;
    ceremony::begin(db, ceremony, public_key, &state, asking).await
}

/// Verifies a proof, and says whose it is.
///
/// # Errors
/// [`Refusal::PasskeyUnknown`] when nobody has such a passkey; [`Refusal::PasskeyInvalid`] when it does not verify, is not of the
/// account that it should be of, or its account is shut: a browser that was told that the passkey is unknown would throw it
/// away, and the account may be opened again.
pub async fn prove(
    db: &Db,
    relying_party: &RelyingParty,
    half_done: Option<HalfDone<'_>>,
    ending: &Ending,
    asking: &Asking,
) -> Result<Proven, Error> {
    let ceremony = half_done.map_or(Ceremony::SignIn, Ceremony::Prove);
    let whom = half_done.map(|it| it.user);
    let not_proved = match whom {
        Some(_) => Event::SecondFactorFailed,
        None => Event::SignInFailed,
    };
    let invalid = Refusal::PasskeyInvalid;
    let Some(state) = ceremony::end(db, &ending.ceremony, ceremony, asking).await? else {
        return match whom {
            Some(_) => failed(db, not_proved, whom, invalid, asking).await,
            // Nobody's, and for the asking: the trail is not for strangers to fill.
            None => Err(invalid.into()),
        };
    };
    let proof = match Proof::read(&ending.credential) {
        Ok(proof) => proof,
        Err(wrong) => {
            let invalid = noted(wrong, invalid);
            return failed(db, not_proved, whom, invalid, asking).await;
        }
    };
    let Some(known) = store::known(db, proof.credential_id()).await? else {
        return failed(db, not_proved, whom, Refusal::PasskeyUnknown, asking).await;
    };
    // Whose password was shown, whosever passkey this is.
    let failing = Some(whom.unwrap_or(&known.user));
    let refused = |event| failed(db, event, failing, invalid.clone(), asking);
    let says_whose = proof.is_of(&known.user)?;
    // Whoever names no account has to be named by the authenticator.
    let is_theirs = says_whose.unwrap_or(whom.is_some()) && whom.is_none_or(|it| *it == known.user);
    if !is_theirs || !known.is_open {
        return refused(not_proved).await;
    }
    let stored = (known.credential.as_str(), known.backup_eligible);
    let seen = match relying_party.verify(&proof, &state, stored)? {
        Ok(seen) => seen,
        Err(wrong) => {
            noted(wrong, invalid.clone());
            return refused(not_proved).await;
        }
    };
    let mut unit = Unit::new();
    let mut sign_count = i64::from(seen.sign_count);
    // WebAuthn level 3, section 7.2, step 22: whoever counts neither now nor before counts never.
    let counts = sign_count > 0 || known.sign_count > 0;
    if counts && sign_count <= known.sign_count {
        if relying_party.refuses_copies() {
            return refused(Event::PasskeyCopied).await;
        }
        let about = About {
            user: Some(&known.user),
            session: None,
        };
        unit = unit.run(audit::row(Event::PasskeyCopied, By::Caller(asking), about));
        sign_count = known.sign_count;
    }
    let used = store::note_use(&known, sign_count, seen.backed_up, asking.now);
    Ok(Proven {
        unit: unit.expect(1, used),
        user: known.user,
    })
}

/// Writes a failure down, and gives the answer for it.
async fn failed<T>(
    db: &Db,
    event: Event,
    user: Option<&UserId>,
    refusal: Refusal,
    asking: &Asking,
) -> Result<T, Error> {
    let about = About {
        user,
        session: None,
    };
    db.write(audit::row(event, By::Caller(asking), about))
        .await?;
    Err(refusal.into())
}
