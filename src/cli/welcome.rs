//! What `serve` says once it serves: what it made, and what to try.

use std::net::SocketAddr;
use std::path::Path;

use crate::config::Config;

/// Says it, on standard error.
#[expect(
    clippy::print_stderr,
    reason = "this is what a command line says to whoever started it"
)]
pub(super) fn print(config: &Config, address: SocketAddr, made_secret: Option<&Path>) {
    if let Some(path) = made_secret {
        eprintln!(
            "Made the secret key {} (0600). Keep a copy: without it the signing keys cannot be opened.",
            path.display()
        );
    }
    if config.dev {
        eprint!("{}", dev(address));
    } else if !config.signup.enabled {
        eprintln!(
            "Sign-up is closed (signup.enabled). Make people with: doorward user create EMAIL"
        );
    }
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    eprintln!("Listening on {scheme}://{address}");
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
