//! What callers can see, kept word for word: a changed word is a change that somebody looks at.

use doorward::error::Refusal;
use doorward::http::openapi;
use doorward::router;
use serde_json::Value;

#[test]
fn the_interface_is_the_published_one() {
    let document = openapi::document(&router::table());
    insta::assert_snapshot!(
        "openapi",
        serde_json::to_string_pretty(document.0.as_ref()).unwrap()
    );
}

#[test]
fn every_refusal_is_said_as_published() {
    let said = Refusal::catalogue().into_iter().map(|refusal| {
        let said = refusal.said();
        let message = serde_json::to_value(said.message).unwrap();
        let words = match message {
            Value::Array(words) => words
                .iter()
                .map(|word| format!("  - {}", word.as_str().unwrap()))
                .collect::<Vec<_>>()
                .join("\n"),
            word => format!("  {}", word.as_str().unwrap()),
        };
        format!(
            "{} {}\n{words}\n",
            said.status.as_u16(),
            said.code.unwrap_or("(none: the documented answer)")
        )
    });
    insta::assert_snapshot!("refusals", said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_answer_of_the_table_has_a_shape_and_every_route_says_what_it_is_for() {
    for route in router::table() {
        assert!(!route.about.is_empty(), "{}", route.path);
        assert!(!route.answers.is_empty(), "{}", route.path);
    }
}
