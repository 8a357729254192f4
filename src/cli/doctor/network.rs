//! How people come here: the certificate, the address that they know, and the proxies on the way.

use super::Finding;
use crate::config::Config;
use crate::http::tls::CertificateSource;

/// The certificate and its key, when HTTPS is served here.
pub(super) fn certificate(config: &Config) -> Option<Finding> {
    const CHECK: &str = "certificate";
    let tls = config.tls.as_ref()?;
    Some(match CertificateSource::load(&tls.cert, &tls.key) {
        Ok(_) => {
            let (cert, key) = (tls.cert.display(), tls.key.display());
            Finding::ok(CHECK, format!("{cert} and {key} belong together"))
        }
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "put the two files right; a running service goes on with those that it has read",
        ),
    })
}

pub(super) fn public_url(config: &Config) -> Finding {
    const CHECK: &str = "public_url";
    let url = &config.public_url;
    let is_here_alone = config.listen.ip().to_canonical().is_loopback();
    if config.tls.is_some() && !url.is_https() {
        return Finding::warn(
            CHECK,
            format!("{url} is plain HTTP, and HTTPS is what is served"),
            "set public_url (DOORWARD_PUBLIC_URL) to the https:// address that people see",
        );
    }
    if url.origin().is_loopback() && !is_here_alone {
        return Finding::warn(
            CHECK,
            format!("{url} is this machine alone, and {} is not", config.listen),
            "set public_url (DOORWARD_PUBLIC_URL) to the address that people see: it is in every token",
        );
    }
    Finding::ok(CHECK, url.to_string())
}

/// Whether somebody stands in front, and is known to.
pub(super) fn proxies(config: &Config) -> Finding {
    const CHECK: &str = "trusted_proxies";
    const FIX: &str = "set trusted_proxies (DOORWARD_TRUSTED_PROXIES) to the address of the proxy; until then everybody \
                       shares its address, and with it one limit on attempts";
    let proxies = &config.trusted_proxies;
    if !proxies.is_empty() {
        let proxies: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        return Finding::ok(CHECK, proxies.join(", "));
    }
    let url = config.public_url.origin();
    if config.public_url.is_https() && config.tls.is_none() {
        let found = format!(
            "{url} is HTTPS, which is not served here: somebody in front does, and is not named"
        );
        return Finding::warn(CHECK, found, FIX);
    }
    let is_here_alone = config.listen.ip().to_canonical().is_loopback();
    if is_here_alone && !url.is_loopback() {
        let found = format!(
            "only this machine reaches {}: somebody brings {url} here, and is not named",
            config.listen
        );
        return Finding::warn(CHECK, found, FIX);
    }
    Finding::ok(CHECK, "none, and nothing tells of any")
}
