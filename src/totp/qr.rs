//! The QR code of a text, as SVG that a page may hold inline under any content security policy: no styles, no scripts, and
//! nothing to fetch.

use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

use crate::error::Error;
use crate::secret::Secret;

/// The least width and height, in pixels; a page may scale it.
const SIDE: u32 = 240;

/// Dark on white whatever the page's colours, with the margin that readers need (ISO/IEC 18004 section 6.3.8).
pub(super) fn svg(text: &str) -> Result<Secret<String>, Error> {
    // The names of who asks may be long, and nothing covers a part of a screen: the level that leaves most room.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(Error::bug)?;
    let document = code
        .render::<Color<'_>>()
        .min_dimensions(SIDE, SIDE)
        .build();
    // Within a page there is no XML declaration.
    let element = document
        .find("<svg")
        .map_or(document.as_str(), |at| &document[at..]);
    Ok(Secret::new(element.to_owned()))
}
