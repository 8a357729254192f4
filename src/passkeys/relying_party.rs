//! Whom passkeys are made for: our name and our origins, and what a browser's answer is worth under them. Signatures, keys
//! and statements are verified by webauthn-rs; what WebAuthn level 3 asks beyond that is asked here, before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    COSEAlgorithm, COSEKey, COSEKeyType, CreationChallengeResponse, Credential,
    DiscoverableAuthentication, DiscoverableKey, ECDSACurve, Passkey, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse, Url, Uuid,
    Webauthn, WebauthnBuilder,
};

use super::authenticator_data::AuthenticatorData;
use super::cbor::{self, Item};
use super::ceremony::LIFETIME;
use super::client_data;
use crate::config::{Config, CounterRegression, Origin};
use crate::error::Error;
use crate::ids::UserId;
use crate::users::User;

/// Kinds of connection that an authenticator may be told to have (WebAuthn level 3, section 5.8.4).
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// Us, as browsers and authenticators know us.
pub struct RelyingParty {
    webauthn: Webauthn,
    id: String,
    /// Each to the letter.
    origins: Vec<String>,
    counter_regression: CounterRegression,
}

/// Why a browser's answer is not taken, in words of ours: for the log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) &'static str);

/// What is known of a credential, to name it to a browser.
pub(super) struct Named {
    /// The id that its authenticator gave it.
    pub(super) credential_id: Vec<u8>,
    /// How its authenticator may be reached: words between blanks.
    pub(super) transports: String,
}

/// A credential that was made, and verified to be what it says.
pub(super) struct Made {
    pub(super) named: Named,
    /// What later proofs are verified with, as JSON. It counts as one that has never signed: the counter is ours to judge.
    pub(super) credential: String,
    pub(super) sign_count: u32,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
}

/// What a browser sent to prove a passkey, read and not yet verified.
pub(super) struct Proof(PublicKeyCredential);

/// A proof that was verified: what is new about the credential.
pub(super) struct Seen {
    pub(super) sign_count: u32,
    pub(super) backed_up: bool,
}

impl RelyingParty {
    /// As configured; `None` where browsers make no passkeys: under an IP address, and without HTTPS but on this machine.
    ///
    /// # Errors
    /// A mistake of ours: the rules of the configuration let nothing pass that is refused here.
    pub fn of(config: &Config) -> Result<Option<Self>, Error> {
        let origin = config.public_url.origin();
        if !origin.may_have_passkeys() {
            return Ok(None);
        }
        let settings = &config.passkeys;
        let id = settings
            .rp_id
            .clone()
            .unwrap_or_else(|| origin.host().to_owned());
        let origins: Vec<&Origin> = [origin].into_iter().chain(&settings.origins).collect();
        let urls = origins.iter().map(|origin| Url::parse(origin.as_str()));
        let urls: Vec<Url> = urls.collect::<Result<_, _>>().map_err(Error::bug)?;
        let builder = WebauthnBuilder::new(&id, &urls[0]).map_err(Error::bug)?;
        let builder = urls[1..].iter().fold(
            builder.timeout(LIFETIME),
            WebauthnBuilder::append_allowed_origin,
        );
        Ok(Some(Self {
            webauthn: builder.build().map_err(Error::bug)?,
            origins: origins.iter().map(ToString::to_string).collect(),
            id,
            counter_regression: settings.counter_regression,
        }))
    }

    /// The name that credentials are bound to.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether a credential that may have been copied is refused.
    pub(super) fn refuses_copies(&self) -> bool {
        self.counter_regression == CounterRegression::Refuse
    }

    /// What a browser is to make a passkey for `user` by, and what verifies it later. An authenticator that has one of `known`
    /// makes no second.
    pub(super) fn begin_making(
        &self,
        user: &User,
        known: &[Named],
    ) -> Result<(Value, String), Error> {
        let excluded = known.iter().map(|it| it.credential_id.clone()).collect();
        let (CreationChallengeResponse { mut public_key }, state) = self
            .webauthn
            .start_passkey_registration(handle(&user.id)?, &user.email, &user.email, Some(excluded))
            .map_err(Error::bug)?;
        if let Some(extensions) = &mut public_key.extensions {
            extensions.uvm = None;
        }
        let mut public_key = serde_json::to_value(public_key).map_err(Error::bug)?;
        // A passkey that its authenticator does not list can sign nobody in who names no account.
        let selection = &mut public_key["authenticatorSelection"];
        selection["residentKey"] = "required".into();
        selection["requireResidentKey"] = true.into();
        public_key["excludeCredentials"] = known.iter().map(Named::descriptor).collect();
        let state = serde_json::to_string::<PasskeyRegistration>(&state).map_err(Error::bug)?;
        Ok((public_key, state))
    }

    /// The credential that a browser says was made, if it was, by what [`RelyingParty::begin_making`] began.
    pub(super) fn made(&self, sent: &str, state: &str) -> Result<Result<Made, Wrong>, Error> {
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(Error::bug)?;
        Ok(self.verify_making(sent, &state))
    }

    fn verify_making(&self, sent: &str, state: &PasskeyRegistration) -> Result<Made, Wrong> {
        let (sent, transports): (RegisterPublicKeyCredential, _) = read(sent)?;
        is_named_once(&sent.id, &sent.raw_id, &sent.type_)?;
        client_data::check(&sent.response.client_data_json, &self.origins)?;
        let object = cbor::whole(&sent.response.attestation_object)
            .map_err(|_| Wrong("the attestation object is not in its one form"))?;
        states_nothing_else(&object)?;
        let Some(Item::Bytes(data)) = object.member("authData") else {
            return Err(Wrong("there is no authenticator data"));
        };
        let data = AuthenticatorData::read(data)?;
        if data.made != Some(sent.raw_id.as_slice()) {
            return Err(Wrong("the credential made is another than the one named"));
        }
        let passkey = self.webauthn.finish_passkey_registration(&sent, state);
        let passkey = passkey.map_err(|_| Wrong("webauthn-rs refuses the credential"))?;
        is_usual_key(passkey.get_public_key())?;
        let mut credential = Credential::from(passkey);
        credential.counter = 0;
        let credential = serde_json::to_string(&Passkey::from(credential))
            .map_err(|_| Wrong("webauthn-rs cannot write the credential down"))?;
        Ok(Made {
            named: Named {
                credential_id: sent.raw_id,
                transports,
            },
            credential,
            sign_count: data.sign_count,
            backup_eligible: data.backup_eligible,
            backed_up: data.backed_up,
        })
    }

    /// What a browser is to prove a passkey by, and what verifies it later: any passkey of ours that its owner picks, or one of
    /// `allowed` where there are such.
    pub(super) fn begin_proving(&self, allowed: &[Named]) -> Result<(Value, String), Error> {
        let (RequestChallengeResponse { mut public_key, .. }, state) = self
            .webauthn
            .start_discoverable_authentication()
            .map_err(Error::bug)?;
        public_key.extensions = None;
        let mut public_key = serde_json::to_value(public_key).map_err(Error::bug)?;
        public_key["allowCredentials"] = allowed.iter().map(Named::descriptor).collect();
        let state = serde_json::to_string(&state).map_err(Error::bug)?;
        Ok((public_key, state))
    }

    /// Verifies a proof by what [`RelyingParty::begin_proving`] began, with the credential as it was made.
    pub(super) fn verify(
        &self,
        Proof(sent): &Proof,
        state: &str,
        (credential, backup_eligible): (&str, bool),
    ) -> Result<Result<Seen, Wrong>, Error> {
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(Error::bug)?;
        let passkey: Passkey = serde_json::from_str(credential).map_err(Error::bug)?;
        let verify = || {
            client_data::check(&sent.response.client_data_json, &self.origins)?;
            let data = AuthenticatorData::read(&sent.response.authenticator_data)?;
            if data.made.is_some() {
                return Err(Wrong("a proof makes no credential"));
            }
            if data.backup_eligible != backup_eligible {
                return Err(Wrong("whether it may be backed up has changed"));
            }
            self.webauthn
                .finish_discoverable_authentication_v2(sent, state, DiscoverableKey::from(passkey))
                .map_err(|_| Wrong("webauthn-rs refuses the proof"))?;
            Ok(Seen {
                sign_count: data.sign_count,
                backed_up: data.backed_up,
            })
        };
        Ok(verify())
    }
}

impl Proof {
    /// Reads what a browser sent.
    pub(super) fn read(sent: &str) -> Result<Self, Wrong> {
        let (sent, _): (PublicKeyCredential, _) = read(sent)?;
        is_named_once(&sent.id, &sent.raw_id, &sent.type_)?;
        Ok(Self(sent))
    }

    /// Which credential it says to be of.
    pub(super) fn credential_id(&self) -> &[u8] {
        &self.0.raw_id
    }

    /// Whether it says whose credential that is, and says `user`; `None` when it does not say.
    pub(super) fn is_of(&self, user: &UserId) -> Result<Option<bool>, Error> {
        let handle = handle(user)?;
        let said = self.0.response.user_handle.as_deref();
        Ok(said.map(|said| said == handle.as_bytes()))
    }
}

impl Named {
    /// As WebAuthn level 3 section 5.8.3 has it, in JSON.
    fn descriptor(&self) -> Value {
        let transports: Vec<&str> = self.transports.split_whitespace().collect();
        json!({
            "type": "public-key",
            "id": URL_SAFE_NO_PAD.encode(&self.credential_id),
            "transports": transports,
        })
    }
}

/// The id of an account as authenticators keep it (WebAuthn level 3, section 14.6.1): sixteen bytes, which are all chance.
pub(super) fn handle(user: &UserId) -> Result<Uuid, Error> {
    user.as_str().parse().map_err(Error::bug)
}

/// Reads what `PublicKeyCredential.toJSON()` makes, and how its authenticator may be reached. What extensions gave is left out:
/// nothing is asked of them, and no version of them then keeps anybody out.
fn read<T: serde::de::DeserializeOwned>(sent: &str) -> Result<(T, String), Wrong> {
    let malformed = |_| Wrong("the credential is not what PublicKeyCredential.toJSON() makes");
    let mut sent: Value = serde_json::from_str(sent).map_err(malformed)?;
    if sent["id"] != sent["rawId"] {
        return Err(Wrong("id and rawId differ"));
    }
    if let Some(sent) = sent.as_object_mut() {
        sent.retain(|name, _| ["id", "rawId", "type", "response"].contains(&name.as_str()));
    }
    let told = sent["response"]["transports"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let is_told = |known: &&str| told.iter().any(|told| told == known);
    let transports: Vec<&str> = TRANSPORTS.into_iter().filter(is_told).collect();
    if let Some(Value::Object(response)) = sent.get_mut("response") {
        response.remove("transports");
    }
    let read = serde_json::from_value(sent).map_err(malformed)?;
    Ok((read, transports.join(" ")))
}

fn is_named_once(id: &str, raw_id: &[u8], kind: &str) -> Result<(), Wrong> {
    if kind != "public-key" {
        return Err(Wrong("it is no public-key credential"));
    }
    if URL_SAFE_NO_PAD.encode(raw_id) != id {
        return Err(Wrong("its id is not in base64url"));
    }
    Ok(())
}

/// Whether a key is of the one curve of its algorithm (WebAuthn level 3, section 5.8.5), or of the one public exponent that
/// anybody uses: the library takes any curve that it knows, and any exponent of three bytes.
fn is_usual_key(key: &COSEKey) -> Result<(), Wrong> {
    match (key.type_, &key.key) {
        (COSEAlgorithm::ES256, COSEKeyType::EC_EC2(key)) if key.curve == ECDSACurve::SECP256R1 => {
            Ok(())
        }
        (COSEAlgorithm::ES384, COSEKeyType::EC_EC2(key)) if key.curve == ECDSACurve::SECP384R1 => {
            Ok(())
        }
        (COSEAlgorithm::RS256, COSEKeyType::RSA(key)) if key.e == [1, 0, 1] => Ok(()),
        _ => Err(Wrong(
            "its key is not of the curve or the exponent of its algorithm",
        )),
    }
}

/// We ask for no attestation, so a browser takes away what an authenticator states of its make (WebAuthn level 3, section
/// 5.1.3), but for a statement under the new key itself. Chains of certificates are read from nobody.
fn states_nothing_else(object: &Item) -> Result<(), Wrong> {
    let fmt = object.member("fmt");
    let entries = |statement: &Item| match fmt {
        Some(Item::Text("none")) => Some(0),
        Some(Item::Text("packed")) => statement
            .member("alg")
            .and(statement.member("sig"))
            .and(Some(2)),
        _ => None,
    };
    match object.member("attStmt") {
        Some(statement) if entries(statement).is_some_and(|it| statement.entries() == Some(it)) => {
            Ok(())
        }
        _ => Err(Wrong("it comes with an attestation that was not asked for")),
    }
}
