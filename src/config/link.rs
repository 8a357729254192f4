//! The address of a page of the operator's, as it is told to others.

use super::origin::Origin;
use super::values::Value;

/// A page: an origin and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    origin: Origin,
    text: String,
}

impl Link {
    /// Where the page is from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Value for Link {
    const FORM: &'static str = "the address of a page, such as https://app.example.com/passkeys";

    fn from_text(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("has no scheme, such as https://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let origin = Origin::parse(&format!("{scheme}://{host}"))?;
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has blanks or other letters in its path that must be escaped".to_owned());
        }
        Ok(Self {
            text: format!("{origin}{path}"),
            origin,
        })
    }

    fn to_text(&self) -> String {
        self.text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_an_origin_and_a_path() {
        for (text, told) in [
            (
                "HTTPS://App.Example.com/a?b#c",
                "https://app.example.com/a?b#c",
            ),
            ("https://app.example.com", "https://app.example.com"),
            (
                "https://app.example.com:8443/%20",
                "https://app.example.com:8443/%20",
            ),
        ] {
            let link = Link::from_text(text).expect("a page");
            assert_eq!(link.as_str(), told, "{text}");
        }
        for text in [
            "app.example.com",
            "/passkeys",
            "https://a@b/",
            "https:///x",
            "https://a/b c",
            "https://a/\u{e9}",
        ] {
            assert!(Link::from_text(text).is_err(), "{text}");
        }
    }
}
