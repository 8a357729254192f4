//! What `serve` says once it serves: what it made, and what to try.

use std::net::SocketAddr;
use std::path::Path;

use super::output::talk;
use crate::config::Config;
use crate::revocations::Recovered;

/// Says it.
pub(super) fn print(config: &Config, address: SocketAddr, made_secret: Option<&Path>) {
    if let Some(path) = made_secret {
        tell_of_secret(path);
    }
    if config.dev {
        talk(dev(address));
    } else if !config.signup.enabled {
        talk("Sign-up is closed (signup.enabled). Make people with: doorward user create EMAIL");
    }
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    talk(format_args!("Listening on {scheme}://{address}"));
}

/// Says that a secret key was made, and what it is worth.
pub(super) fn tell_of_secret(path: &Path) {
    talk(format_args!(
        "Made the secret key {} (0600). Keep a copy: without it the signing keys cannot be opened.",
        path.display()
    ));
}

/// Says that all sessions were ended, why, and what else to look at; in the log as well, which may be elsewhere.
pub(super) fn tell_of_recovery(recovered: &Recovered) {
    let Recovered { found, sessions } = recovered;
    tracing::error!(%found, sessions, "all sessions were ended: which of them were ended before is not known");
    talk(format_args!(
        "
  ALL SESSIONS WERE ENDED ({sessions}). Reason: {found}.

  This is so after a backup of the database was put back, or when a disk lost what was written last. Which sessions
  had been ended before is not known any more, so everybody has to sign in again. There is nothing to do about
  sessions. Look at accounts: whoever was made, shut, deleted or given a new password since is as the database has it
  (doorward user list).
"
    ));
}

fn dev(address: SocketAddr) -> String {
    let url = format!("http://localhost:{}", address.port());
    format!(
        "
  ############################################################################
  #  DEVELOPMENT MODE. Anybody on this machine can make an account, without  #
  #  a proof of their address, and any page on localhost may call.           #
  #  Never run it like this where others can reach it.                       #
  ############################################################################

  Make an account, sign in, and ask who you are:

    curl {url}/auth/signup -H 'Content-Type: application/json' \\
      -d '{{\"email\":\"user@example.com\",\"password\":\"correct horse\"}}'

    curl {url}/auth/signin -H 'Content-Type: application/json' \\
      -d '{{\"email\":\"user@example.com\",\"password\":\"correct horse\"}}'

    curl {url}/auth/me -H 'Authorization: Bearer <token>'

  Every route: {url}/auth/docs
"
    )
}
