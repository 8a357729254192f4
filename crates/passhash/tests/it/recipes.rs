//! What hashes have in common that were made alike.

use passhash::{Cost, Hasher, Pool, PoolSettings, Recipe, StoredHash};

const TAGS: [(&str, &str, &str); 8] = [
    (
        "$argon2id$v=19$m=19456,t=2,p=1$",
        "c29tZXNhbHRzb21lc2FsdA",
        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    (
        "$argon2i$m=64,t=3,p=2$",
        "c29tZXNhbHQ",
        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    (
        "$2b$04$",
        "abcdefghijklmnopqrstuu",
        "Ci15uRb1eH7NAlJ/TgeJertyknQpYn2",
    ),
    (
        "$2x$12$",
        "abcdefghijklmnopqrstuu",
        "Ci15uRb1eH7NAlJ/TgeJertyknQpYn2",
    ),
    (
        "$scrypt$ln=10,r=8,p=1$",
        "+//+NTY3ODlhYmNkZWY",
        "cC02nc/8Im1j5VDJBykkAyltybPYavwXlBm+n4FCJHM",
    ),
    (
        "$pbkdf2-sha256$i=600000,l=32$",
        "c29tZXNhbHQ",
        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    (
        "$pbkdf2-sha1$i=10000$",
        "c29tZXNhbHQ",
        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    (
        "$pbkdf2-sha256$29000$",
        "N2YMIWQsBWBMae09x1jrPQ",
        "1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",
    ),
];

fn hash(beginning: &str, salt: &str, tag: &str) -> StoredHash {
    let between = if beginning.starts_with("$2") { "" } else { "$" };
    format!("{beginning}{salt}{between}{tag}").parse().unwrap()
}

#[test]
fn a_recipe_is_what_its_hashes_begin_with_and_is_read_back() {
    for (beginning, salt, tag) in TAGS {
        let recipe = hash(beginning, salt, tag).recipe();
        assert_eq!(recipe.as_str(), beginning);
        assert_eq!(beginning.parse::<Recipe>().unwrap(), recipe);
    }
}

#[test]
fn what_we_make_is_made_by_the_recipe_that_we_name() {
    for cost in [
        Cost::default(),
        Cost {
            memory_kib: 64,
            iterations: 3,
            parallelism: 2,
        },
    ] {
        let made = Hasher::new(&cost)
            .unwrap()
            .hash(b"password", &cost)
            .unwrap();
        let made: StoredHash = made.parse().unwrap();
        assert_eq!(made.recipe(), Recipe::made_at(&cost));
    }
}

#[test]
fn nothing_else_is_a_recipe() {
    let (beginning, salt, tag) = TAGS[0];
    let whole = hash(beginning, salt, tag).to_string();
    for text in [
        "",
        "$",
        "$2b$",
        "$2b$12",
        "$2b$16$",
        "$2b$12$a",
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$argon2id$v=19$m=4194304,t=2,p=1$",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$",
        "$md5$",
        &whole,
    ] {
        assert!(text.parse::<Recipe>().is_err(), "{text}");
    }
}

#[test]
fn the_dearer_recipe_is_expected_to_take_longer() {
    let pool = Pool::start(PoolSettings::default()).unwrap();
    let expected = |text: &str| pool.expected(&text.parse().unwrap());
    for [cheap, dear] in [
        ["$2b$04$", "$2b$05$"],
        [
            "$argon2id$v=19$m=64,t=1,p=1$",
            "$argon2id$v=19$m=64,t=2,p=1$",
        ],
        ["$scrypt$ln=10,r=8,p=1$", "$scrypt$ln=11,r=8,p=1$"],
        ["$pbkdf2-sha256$29000$", "$pbkdf2-sha256$29001$"],
        // The longest tag that its text leaves open.
        ["$pbkdf2-sha256$i=1000,l=32$", "$pbkdf2-sha256$i=1000$"],
    ] {
        assert!(expected(cheap) < expected(dear), "{cheap} {dear}");
    }
    assert_eq!(
        expected("$pbkdf2-sha256$i=1000,l=64$"),
        expected("$pbkdf2-sha256$i=1000$")
    );
    // As much as can be asked for, and no more.
    expected("$pbkdf2-sha1$i=2000000$");
}
