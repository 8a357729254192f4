//! What a request brings that tells its device, and how the device is to keep what tells it the next time.

use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::device::LIFETIME;
use crate::http::body::{Change, Field, Fields, Kind};
use crate::http::cookie;
use crate::http::csrf::Sender;
use crate::secret::Secret;

/// Longer texts tell of no device of ours, in characters.
const MAX_TEXT: usize = 256;

/// What a program keeps that is no browser.
pub const DEVICE_TOKEN: Field = Field::optional(
    "deviceToken",
    Kind::Text { max: MAX_TEXT },
    "What an earlier answer had as deviceToken, or null to be given one: others' failures then do not slow this device",
);

/// How a caller keeps what tells its device.
pub struct Keeping {
    brought: Option<Secret<String>>,
    in_body: bool,
    in_cookie: bool,
}

impl Keeping {
    /// Takes what the request brought. A browser on a page that may use our cookies keeps it as one; another program asks for
    /// it in the body.
    pub fn read(fields: &mut Fields, sender: &Sender, headers: &HeaderMap) -> Self {
        // Null asks for one as a text does; what is not there asks for nothing.
        let told = fields.change(DEVICE_TOKEN.name);
        let in_body = told != Change::Keep;
        let brought = match told {
            Change::Set(text) => Some(text),
            Change::Keep | Change::Clear => cookie::device(headers).map(str::to_owned),
        };
        Self {
            brought: brought.map(Secret::new),
            in_body,
            in_cookie: sender.is_page_with_cookies(),
        }
    }

    /// What it brought, unproven.
    pub fn brought(&self) -> Option<&Secret<String>> {
        self.brought.as_ref()
    }

    /// What goes into the body of the answer.
    pub fn in_body(&self, device: &Secret<String>) -> Option<Secret<String>> {
        self.in_body.then(|| device.clone())
    }

    /// Adds what goes into its headers.
    pub fn in_headers(&self, device: &Secret<String>, answer: &mut Response) {
        if self.in_cookie {
            answer
                .headers_mut()
                .append(SET_COOKIE, cookie::set_device(device, LIFETIME));
        }
    }
}
