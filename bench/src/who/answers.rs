//! Whether two answers are the same to whoever reads them.

use super::adapter::Server;
use crate::http::Answer;

/// What tells `one` from `other`, if anything does.
pub(super) fn difference(one: &Answer, other: &Answer, server: &Server) -> Option<String> {
    if one.status != other.status {
        return Some(format!("{} and {}", one.status, other.status));
    }
    let told = |answer: &Answer| -> Vec<(String, String)> {
        let is_aside = |name| server.aside.contains(name);
        let headers = answer.headers.iter().filter(|(name, _)| !is_aside(name));
        headers.cloned().collect()
    };
    let (ones, others) = (told(one), told(other));
    let names = |headers: &[(String, String)]| -> Vec<String> {
        headers.iter().map(|(name, _)| name.clone()).collect()
    };
    if names(&ones) != names(&others) {
        return Some(format!(
            "headers {:?} and {:?}",
            names(&ones),
            names(&others)
        ));
    }
    for ((name, value), (_, other)) in ones.iter().zip(&others) {
        let is_near = server.seconds.contains(name) && a_second_apart(value, other);
        if value != other && !is_near {
            return Some(format!("{name}: {value} and {other}"));
        }
    }
    if one.body == other.body {
        return None;
    }
    let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    Some(format!("{} and {}", text(one), text(other)))
}

fn a_second_apart(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.abs_diff(other) <= 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::Took;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let took = Took {
            first: Duration::ZERO,
            last: Duration::ZERO,
        };
        Answer {
            status,
            headers: headers.iter().map(owned).collect(),
            body: body.into(),
            took,
        }
    }

    #[test]
    fn every_byte_counts_but_those_of_the_stated_headers() {
        let server = Server {
            name: String::new(),
            aside: vec!["date".into()],
            seconds: vec!["retry-after".into()],
        };
        let headers = [("date", "now"), ("retry-after", "9"), ("vary", "origin")];
        let one = answer(401, &headers, "no");
        let differs = |status, headers: &[_], body| {
            difference(&one, &answer(status, headers, body), &server).is_some()
        };
        let later = [("date", "later"), ("retry-after", "8"), ("vary", "origin")];
        assert!(!differs(401, &later, "no"));
        assert!(differs(429, &headers, "no"));
        assert!(differs(401, &headers, "No"));
        assert!(differs(401, &headers[..2], "no"), "a header is missing");
        assert!(
            differs(401, &[headers[0], headers[2], headers[1]], "no"),
            "another order"
        );
        assert!(differs(
            401,
            &[headers[0], ("retry-after", "7"), headers[2]],
            "no"
        ));
        assert!(differs(
            401,
            &[headers[0], headers[1], ("vary", "cookie")],
            "no"
        ));
    }
}
