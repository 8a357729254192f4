//! Published vectors of each scheme, and hashes that other implementations made.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use passhash::{Scheme, StoredHash};

use crate::verify;

/// Each is the hash of "password", from the reference implementation's test.c.
const ARGON2_REFERENCE: [(&str, Scheme); 9] = [
    (
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        Scheme::Argon2id,
    ),
    (
        "$argon2id$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow",
        Scheme::Argon2id,
    ),
    (
        "$argon2d$v=19$m=65536,t=2,p=1$YzI5dFpYTmhiSFFBQUFBQUFBQUFBQQ$Jxy74cswY2mq9y+u+iJcJy8EqOp4t/C7DWDzGwGB3IM",
        Scheme::Argon2d,
    ),
    (
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        Scheme::Argon2i,
    ),
    (
        "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        Scheme::Argon2i,
    ),
    (
        "$argon2i$v=16$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs",
        Scheme::Argon2i,
    ),
    // Without a version: 1.0.
    (
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        Scheme::Argon2i,
    ),
    (
        "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs",
        Scheme::Argon2i,
    ),
    (
        "$argon2i$m=65536,t=1,p=1$c29tZXNhbHQ$gWMFUrjzsfSM2xmSxMZ4ZD1JCytetP9sSzQ4tWIXJLI",
        Scheme::Argon2i,
    ),
];

#[test]
fn argon2_as_the_reference_implementation() {
    for (stored, scheme) in ARGON2_REFERENCE {
        assert_eq!(stored.parse::<StoredHash>().unwrap().scheme(), scheme);
        assert!(verify("password", stored), "{stored}");
        assert!(!verify("sassword", stored), "{stored}");
    }
}

/// Made by argon2-cffi 25.1, which runs the C implementation.
#[test]
fn argon2_with_lanes_and_awkward_passwords() {
    for (password, stored) in [
        (
            "abc\0x",
            "$argon2d$v=19$m=256,t=2,p=4$c29tZXNhbHQ$DlNopDpONGHlreoz54jQo7+5VHdoV0sdRYGxVuwuDr4",
        ),
        (
            "abc\0x",
            "$argon2i$v=19$m=256,t=2,p=4$c29tZXNhbHQ$Lgdiicht8hrWjTz2zRhVMkLpLuFMHjY1YuTgxtSpxIc",
        ),
        (
            "abc\0x",
            "$argon2id$v=19$m=256,t=2,p=4$c29tZXNhbHQ$DdQUfAREpMQ8JibGNIfskfK64D1Hsxnkzx34HrlAKmE",
        ),
        (
            &*"é".repeat(40),
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$VsHMDVdN/1eBDa5Ymo94CVPY0mQiJv+TJaAlTPj9E7c",
        ),
        (
            "",
            "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$0SB9LsMHDsTbrVmlB7ZwGw",
        ),
    ] {
        assert!(verify(password, stored), "{stored}");
        assert!(!verify(format!("{password}y"), stored), "{stored}");
    }
}

/// From crypt_blowfish's wrapper.c, but for its `$2a$` countermeasure, and from jBCrypt's tests.
#[test]
fn bcrypt_as_crypt_blowfish_and_jbcrypt() {
    let past_72 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
    let vectors: [(&[u8], &str); 17] = [
        (
            b"U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
        (
            b"U*U*",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
        ),
        (
            b"U*U*U",
            "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        ),
        (
            b"",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
        ),
        (
            past_72.as_bytes(),
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
        ),
        (
            b"\xff\xff\xa3",
            "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
        ),
        (
            b"\xff\xff\xa3",
            "$2b$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
        ),
        (
            b"\xa3",
            "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
        ),
        (
            b"\xa3",
            "$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
        ),
        (
            b"\xa3",
            "$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
        ),
        (
            b"\xa3",
            "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
        ),
        (
            b"\xff\xff\xa3",
            "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
        ),
        (
            b"1\xa3345",
            "$2x$05$/OK.fbVrR/bpIqNJ5ianF.o./n25XVfn6oAPaUvHe.Csk4zRfsYPi",
        ),
        (
            b"\xff\xa3345",
            "$2x$05$/OK.fbVrR/bpIqNJ5ianF.o./n25XVfn6oAPaUvHe.Csk4zRfsYPi",
        ),
        (
            b"\xd1\x91",
            "$2x$05$6bNw2HLQYeqHYyBfLMsv/OiwqTymGIGzFsA4hOTWebfehXHNprcAS",
        ),
        (
            b"\xd0\xc1\xd2\xcf\xcc\xd8",
            "$2x$05$6bNw2HLQYeqHYyBfLMsv/O9LIGgn8OMzuDoHfof8AQimSGfcSWxnS",
        ),
        (
            b"abcdefghijklmnopqrstuvwxyz",
            "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.",
        ),
    ];
    for (password, stored) in vectors {
        assert_eq!(
            stored.parse::<StoredHash>().unwrap().scheme(),
            Scheme::Bcrypt
        );
        assert!(verify(password, stored), "{stored}");
        assert!(!verify([b"x", password].concat(), stored), "{stored}");
    }
    assert!(!verify(
        b"\xa3",
        "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"
    ));
}

/// The last character of a bcrypt salt has four bits that no verifier reads.
#[test]
fn bcrypt_salts_may_end_in_noise() {
    let clean = "$2b$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2";
    let noisy = "$2b$04$abcdefghijklmnopqrstuzCi15uRb1eH7NAlJ/TgeJertyknQpYn2";
    assert!(verify("abc", clean));
    assert!(verify("abc", noisy));
    assert_eq!(noisy.parse::<StoredHash>().unwrap().to_string(), noisy);
}

fn phc(prefix: &str, salt: &str, tag_hex: &str) -> String {
    let tag: Vec<u8> = (0..tag_hex.len() / 2)
        .map(|byte| u8::from_str_radix(&tag_hex[2 * byte..2 * byte + 2], 16).unwrap())
        .collect();
    let (salt, tag) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(tag));
    format!("{prefix}${salt}${tag}")
}

#[test]
fn pbkdf2_as_rfc_6070_and_rfc_7914() {
    for (password, salt, prefix, tag) in [
        (
            "password",
            "salt",
            "$pbkdf2$i=1,l=20",
            "0c60c80f961f0e71f3a9b524af6012062fe037a6",
        ),
        (
            "password",
            "salt",
            "$pbkdf2-sha1$i=2",
            "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
        ),
        (
            "password",
            "salt",
            "$pbkdf2-sha1$i=4096,l=20",
            "4b007901b765489abead49d926f721d065a429c1",
        ),
        (
            "passwordPASSWORDpassword",
            "saltSALTsaltSALTsaltSALTsaltSALTsalt",
            "$pbkdf2-sha1$i=4096,l=25",
            "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
        ),
        (
            "pass\0word",
            "sa\0lt",
            "$pbkdf2-sha1$i=4096",
            "56fa6aa75548099dcc37d7f03425e0c3",
        ),
        (
            "passwd",
            "salt",
            "$pbkdf2-sha256$i=1",
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
             49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        ),
        (
            "Password",
            "NaCl",
            "$pbkdf2-sha256$i=80000,l=64",
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56\
             a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
        ),
    ] {
        let stored = phc(prefix, salt, tag);
        assert!(verify(password, &stored), "{stored}");
        assert!(!verify("Password!", &stored), "{stored}");
    }
}

/// The vectors of section 12 that keep this crate's bounds: the first has no salt, the last has ln
/// 20.
#[test]
fn scrypt_as_rfc_7914() {
    for (password, salt, prefix, tag) in [
        (
            "password",
            "NaCl",
            "$scrypt$ln=10,r=8,p=16",
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
             2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
        ),
        (
            "pleaseletmein",
            "SodiumChloride",
            "$scrypt$ln=14,r=8,p=1",
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
             d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
        ),
    ] {
        let stored = phc(prefix, salt, tag);
        assert!(verify(password, &stored), "{stored}");
        assert!(!verify("Password!", &stored), "{stored}");
    }
}

/// From passlib 1.7.4's documentation, and made by it.
#[test]
fn pbkdf2_and_scrypt_as_passlib() {
    for (password, stored, scheme) in [
        (
            "toomanysecrets",
            "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",
            Scheme::Pbkdf2Sha256,
        ),
        (
            "password",
            "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww",
            Scheme::Pbkdf2Sha512,
        ),
        (
            "pässword",
            "$pbkdf2-sha512$1212$.//.NTY3ODlhYmNkZWY$P70U0DzxAwUXlk7x7zyBBRM9upGTHDr9nCG2TBjYxmPJFxq.DDeg/KuA1Hp8jDESQp2COdIleiQP4DLy4FARKA",
            Scheme::Pbkdf2Sha512,
        ),
        (
            "password",
            "$pbkdf2$1212$.vv8/f7/MDEyMzQ1Njc4OQ$WaeFuwUUEkZoxwLGNBDpy/6r/kQ",
            Scheme::Pbkdf2Sha1,
        ),
        (
            "password",
            "$scrypt$ln=10,r=8,p=1$+//+NTY3ODlhYmNkZWY$cC02nc/8Im1j5VDJBykkAyltybPYavwXlBm+n4FCJHM",
            Scheme::Scrypt,
        ),
    ] {
        assert_eq!(stored.parse::<StoredHash>().unwrap().scheme(), scheme);
        assert!(verify(password, stored), "{stored}");
        assert!(!verify(format!("{password} "), stored), "{stored}");
    }
}
