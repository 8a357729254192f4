//! What commands ask for: passwords, a word of consent, something piped in. A secret is never an argument, which
//! every process on the machine could read and the shell would keep.

use std::io::{self, IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use super::{Failure, output};
use crate::http::body::{Field, Kind};
use crate::secret::Secret;

/// Longer than anything that is meant to be piped in, in bytes.
const MOST: usize = 64 * 1024;

/// A new password: by two prompts on the terminal, or from standard input less one newline at its end.
pub(super) fn new_password(from_stdin: bool, may_ask: bool) -> Result<Secret<String>, Failure> {
    let password = if from_stdin {
        let text = piped()?;
        let line = text
            .strip_suffix("\r\n")
            .or_else(|| text.strip_suffix('\n'));
        Secret::new(line.unwrap_or(&text).to_owned())
    } else if may_ask && io::stdin().is_terminal() {
        let first = ask_hidden("Password: ")?;
        let again = ask_hidden("The same again: ")?;
        if first.expose() != again.expose() {
            return Err(Failure::failed(
                "the two are not the same; nothing was changed",
            ));
        }
        first
    } else {
        return Err(Failure::usage(
            "there is nobody to ask for the password: pipe it in and add --password-stdin",
        ));
    };
    let field = Field::required("password", Kind::Password, "");
    field.accept(password.expose())?;
    Ok(password)
}

fn ask_hidden(prompt: &str) -> Result<Secret<String>, Failure> {
    match rpassword::prompt_password(prompt) {
        Ok(password) => Ok(Secret::new(password)),
        Err(error) => Err(Failure::failed(format_args!(
            "cannot read the password from the terminal: {error}. Pipe it in and add --password-stdin"
        ))),
    }
}

/// All of standard input, which holds a secret.
pub(super) fn piped() -> Result<Zeroizing<String>, Failure> {
    let cannot =
        |error: io::Error| Failure::failed(format_args!("cannot read standard input: {error}"));
    // Of its full size at once: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(MOST + 1));
    let mut stdin = io::stdin().lock().take(MOST as u64 + 1);
    stdin.read_to_string(&mut text).map_err(cannot)?;
    if text.len() > MOST {
        return Err(Failure::usage(format_args!(
            "standard input holds more than {MOST} bytes"
        )));
    }
    Ok(text)
}

/// Asks whether to go on; without a terminal the answer has to come with `flag`.
pub(super) fn consent(question: &str, flag: &str, may_ask: bool) -> Result<(), Failure> {
    if !may_ask || !io::stdin().is_terminal() {
        return Err(Failure::usage(format_args!(
            "there is nobody to ask: add {flag} to go on"
        )));
    }
    output::talk(format_args!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(Failure::failed)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::failed("nothing was changed")),
    }
}
