//! `doorward openapi`: the interface as a document.

use super::{Failure, output};
use crate::http::openapi;
use crate::router;

/// Prints it.
pub(super) fn print() -> Result<(), Failure> {
    output::pretty_json(openapi::document(&router::table()).0.as_ref())
}
