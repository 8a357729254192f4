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
