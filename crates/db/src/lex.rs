//! The words of a statement: just enough of SQL to tell code from text in quotes and comments.
//!
//! What only one of the two databases understands is `Foreign`, with the reason.

/// A piece of SQL. The pieces of a text follow each other without gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, a name or a number.
    Word,
    /// `$n`.
    Placeholder(usize),
    Semicolon,
    /// Space or a comment.
    Blank,
    /// A string or a quoted name.
    Quoted,
    /// An operator or another sign.
    Sign,
    /// Outside the shared dialect.
    Foreign(&'static str),
}

/// Cuts SQL into its tokens.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (kind, length) = first_token(rest, first);
        let (text, behind) = rest.split_at(length);
        rest = behind;
        Some(Token { kind, text })
    })
}

/// The kind and the length in bytes of the token at the start.
fn first_token(text: &str, first: char) -> (Kind, usize) {
    let to_end_of = |part: fn(char) -> bool| text.find(|c| !part(c)).unwrap_or(text.len());
    match first {
        _ if first.is_whitespace() => (Kind::Blank, to_end_of(char::is_whitespace)),
        _ if is_word(first) => {
            let length = to_end_of(is_word);
            if text[length..].starts_with('\'') {
                return (Kind::Foreign("a string with a prefix"), length);
            }
            (Kind::Word, length)
        }
        '-' if text.starts_with("--") => (Kind::Blank, text.find('\n').unwrap_or(text.len())),
        '/' if text.starts_with("/*") => block_comment(text),
        '\'' | '"' => quoted(text, first),
        '$' => placeholder(text),
        ';' => (Kind::Semicolon, 1),
        '?' | ':' | '@' | '[' | '`' => (
            Kind::Foreign("a sign that only one of the databases knows"),
            1,
        ),
        _ => (Kind::Sign, first.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// PostgreSQL nests comments and SQLite does not, so neither do we.
fn block_comment(text: &str) -> (Kind, usize) {
    match text.find("*/") {
        Some(end) if text[2..end].contains("/*") => {
            (Kind::Foreign("a comment in a comment"), end + 2)
        }
        Some(end) => (Kind::Blank, end + 2),
        None => (Kind::Foreign("a comment without end"), text.len()),
    }
}

/// A doubled quote stands for itself: it reads as two quoted pieces side by side, which is as good.
fn quoted(text: &str, quote: char) -> (Kind, usize) {
    match text[1..].find(quote) {
        Some(end) => (Kind::Quoted, end + 2),
        None => (Kind::Foreign("a quote without end"), text.len()),
    }
}

/// SQLite takes what stands behind the `$` for a name, so a number is written in one way only.
fn placeholder(text: &str) -> (Kind, usize) {
    let length = 1 + text[1..].find(|c| !is_word(c)).unwrap_or(text.len() - 1);
    match text[1..length].parse() {
        Ok(number) if !text[1..].starts_with('0') => (Kind::Placeholder(number), length),
        _ => (Kind::Foreign("a `$` that is no placeholder"), length),
    }
}

/// Cuts a migration into its statements, without those that are only blank.
pub(crate) fn statements(text: &str) -> Result<Vec<&str>, String> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut position = 0;
    let mut first_word = None;
    for token in tokens(text) {
        match token.kind {
            Kind::Semicolon => {
                if first_word.take().is_some() {
                    statements.push(text[start..position].trim());
                }
                start = position + token.text.len();
            }
            Kind::Foreign(what) => return Err(format!("it contains {what}")),
            Kind::Placeholder(_) => return Err("it contains a placeholder".to_owned()),
            Kind::Blank => {}
            Kind::Word | Kind::Quoted | Kind::Sign => {
                if *first_word.get_or_insert(token.text) == token.text && is_transaction(token.text)
                {
                    return Err(format!(
                        "it contains {}; the runner makes the transaction",
                        token.text
                    ));
                }
            }
        }
        position += token.text.len();
    }
    if first_word.is_some() {
        statements.push(text[start..].trim());
    }
    Ok(statements)
}

/// Whether a statement that begins with this word would end the transaction of the migration or change the session.
fn is_transaction(word: &str) -> bool {
    const WORDS: [&str; 9] = [
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
        "pragma",
    ];
    WORDS.iter().any(|it| word.eq_ignore_ascii_case(it))
}

/// Replaces a word wherever it is code.
pub(crate) fn replace_word(text: &str, word: &str, by: &str) -> String {
    tokens(text)
        .map(|token| match token.kind {
            Kind::Word if token.text.eq_ignore_ascii_case(word) => by,
            _ => token.text,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text)
            .map(|token| token.kind)
            .filter(|kind| *kind != Kind::Blank)
            .collect()
    }

    #[test]
    fn pieces_follow_each_other_without_gaps() {
        let texts = [
            "",
            "a",
            "a 'b",
            "/* a",
            "-- a",
            "$",
            "$1",
            "é\u{a0}ß",
            "\"a\"\"b\"",
            "E'a'",
            "a;;b -- c\n;",
        ];
        for text in texts {
            let joined: String = tokens(text).map(|token| token.text).collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn code_is_told_from_text() {
        use Kind::{Placeholder, Quoted, Semicolon, Sign, Word};
        assert_eq!(kinds("a = $12;"), [Word, Sign, Placeholder(12), Semicolon]);
        assert_eq!(
            kinds("'$1;' \"$2;\" /* $3; */ -- $4;\n b"),
            [Quoted, Quoted, Word]
        );
        assert_eq!(kinds("'it''s $1'"), [Quoted, Quoted]);
        assert_eq!(kinds("a--b\n$1"), [Word, Placeholder(1)]);
    }

    #[test]
    fn what_one_database_alone_understands_is_foreign() {
        let foreign = [
            "?",
            ":a",
            "@a",
            "a::b",
            "[a]",
            "`a`",
            "$a",
            "$",
            "$$a$$",
            "$01",
            "$0",
            "$1a",
            "E'a'",
            "x'00'",
            "'a",
            "\"a",
            "/* a",
            "/* /* a */ */",
            "a[1]",
        ];
        for text in foreign {
            let is_foreign = kinds(text)
                .iter()
                .any(|kind| matches!(kind, Kind::Foreign(_)));
            assert!(is_foreign, "{text}: {:?}", kinds(text));
        }
    }

    #[test]
    fn statements_are_cut_where_they_end() {
        let text = "; a 'b;' ; -- c;\n /* d; */ e \";\";;\n f -- g";
        let cut = statements(text).expect("it is all of the dialect");
        assert_eq!(cut, ["a 'b;'", "-- c;\n /* d; */ e \";\"", "f -- g"]);
    }

    #[test]
    fn words_are_replaced_in_code_only() {
        let text = "a BYTEA, bytea2 Bytea, 'BYTEA' \"bytea\" -- BYTEA";
        let replaced = "a BLOB, bytea2 BLOB, 'BYTEA' \"bytea\" -- BYTEA";
        assert_eq!(replace_word(text, "BYTEA", "BLOB"), replaced);
    }
}
