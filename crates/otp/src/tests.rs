#![expect(non_snake_case, reason = "the catalogue names its cases in capitals")]

use proptest::prelude::*;

use super::{Algorithm, Code, Digits, NotACode, Secret, TooShort, Totp, hotp, step_at};

fn secret(bytes: &[u8]) -> Secret {
    Secret::from_stored(bytes).expect("long enough")
}

fn totp() -> Totp {
    Totp {
        secret: Secret::new(*b"12345678901234567890"),
        algorithm: Algorithm::Sha1,
        digits: Digits::Six,
    }
}

/// The seed of RFC 6238 appendix B, which is as long as the hash: the RFC's program has it so, and erratum 2866 says so.
fn seed(algorithm: Algorithm) -> Secret {
    let length = match algorithm {
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
        Algorithm::Sha512 => 64,
    };
    let digits: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
    secret(&digits)
}

#[test]
fn the_vectors_of_rfc_4226_appendix_d() {
    let codes = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    let secret = Secret::new(*b"12345678901234567890");
    for (counter, code) in (0..).zip(codes) {
        let made = hotp(&secret, counter, Algorithm::Sha1, Digits::Six);
        assert_eq!(made.to_text().as_str(), code, "counter {counter}");
    }
}

#[test]
fn the_vectors_of_rfc_6238_appendix_b() {
    use Algorithm::{Sha1, Sha256, Sha512};
    for (at, codes) in [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ] {
        for (algorithm, code) in [Sha1, Sha256, Sha512].into_iter().zip(codes) {
            let totp = Totp {
                secret: seed(algorithm),
                algorithm,
                digits: Digits::Eight,
            };
            let made = totp.code(step_at(at));
            assert_eq!(made.to_text().as_str(), code, "{algorithm:?} at {at}");
            let six = hotp(&totp.secret, step_at(at), algorithm, Digits::Six);
            assert_eq!(six.to_text().as_str(), &code[2..]);
        }
    }
}

#[test]
fn a_step_is_half_a_minute_and_none_is_before_1970() {
    assert_eq!([0, 29, 30, 59, 60].map(step_at), [0, 0, 1, 1, 2]);
    assert_eq!([-1, i64::MIN].map(step_at), [0, 0]);
}

#[test]
fn F4_a_code_is_so_many_ascii_digits_and_blanks() {
    for text in ["081804", "081 804", " 0 8 1 8 0 4 "] {
        let code = Code::read(text, Digits::Six).expect("a code");
        assert_eq!(code.to_text().as_str(), "081804");
    }
    for text in [
        "",
        " ",
        "81804",
        "0081804",
        "08180",
        "0818041",
        "081-804",
        "081\t804",
        "081\u{a0}804",
        "081804\n",
        "+81804",
        "-81804",
        "0x8180",
        "8180.4",
        "1e5555",
        "081804\0",
        "٠٨١٨٠٤",
        "０８１８０４",
        "৮৮৮৮৮৮",
        "08180४",
        "①②③④⑤⑥",
        "06123456",
    ] {
        let read = Code::read(text, Digits::Six).map(drop);
        assert_eq!(read, Err(NotACode), "{text:?}");
    }
    assert!(Code::read("07081804", Digits::Eight).is_ok());
    assert!(Code::read("081804", Digits::Eight).is_err());
}

#[test]
fn F1_a_code_is_found_at_the_steps_that_are_asked_about_and_no_other() {
    let totp = totp();
    let now = step_at(1_111_111_109);
    let asked = [now, now - 1];
    for (step, found) in [
        (now - 2, None),
        (now - 1, Some(now - 1)),
        (now, Some(now)),
        (now + 1, None),
        (now + 2, None),
    ] {
        assert_eq!(totp.step_of(&totp.code(step), asked), found);
    }
}

#[test]
fn F5_the_code_of_another_algorithm_or_length_is_another() {
    let sha1 = totp();
    let step = step_at(1_111_111_109);
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let other = Totp {
            algorithm,
            ..sha1.clone()
        };
        assert_eq!(sha1.step_of(&other.code(step), [step]), None);
    }
    let eight = Totp {
        digits: Digits::Eight,
        ..sha1.clone()
    };
    assert_eq!(sha1.step_of(&eight.code(step), [step]), None);
    for name in Algorithm::NAMES {
        assert_eq!(Algorithm::named(name).map(Algorithm::as_str), Some(*name));
    }
    assert_eq!(Algorithm::named("MD5"), None);
}

#[test]
fn F14_nothing_in_a_name_gets_out_of_it() {
    let query = "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=";
    let rest = "&algorithm=SHA1&digits=6&period=30";
    for (issuer, account, encoded_issuer, encoded_account) in [
        ("Example", "ada@example.com", "Example", "ada%40example.com"),
        (
            "A & B",
            "a+b@example.com",
            "A%20%26%20B",
            "a%2Bb%40example.com",
        ),
        ("localhost:8080", "a:b", "localhost%208080", "a%20b"),
        ("<script>", "\"><img>", "%3Cscript%3E", "%22%3E%3Cimg%3E"),
        (
            "x?issuer=Bank",
            "a&secret=AAAA#",
            "x%3Fissuer%3DBank",
            "a%26secret%3DAAAA%23",
        ),
        (
            "a\r\nSet-Cookie: b",
            "c\u{0}d/../%3A",
            "a%20%20Set-Cookie%20%20b",
            "c%20d%2F..%2F%253A",
        ),
        (
            "Bücher",
            "ü@example.com",
            "B%C3%BCcher",
            "%C3%BC%40example.com",
        ),
    ] {
        assert_eq!(
            totp().url(issuer, account).as_str(),
            format!(
                "otpauth://totp/{encoded_issuer}:{encoded_account}{query}{encoded_issuer}{rest}"
            )
        );
    }
}

#[test]
fn secrets_and_codes_print_as_stars_and_short_secrets_are_none() {
    let totp = totp();
    assert!(
        format!("{totp:?} {:?}", totp.code(0))
            .matches("***")
            .count()
            == 2
    );
    assert!(!format!("{totp:?}").contains("49"));
    assert_eq!(Secret::from_stored(&[7; 15]).map(drop), Err(TooShort));
    assert_eq!(secret(&[7; 16]).expose(), [7; 16]);
    assert_eq!(Secret::new([7; 20]).to_base32().len(), 32);
}

proptest! {
    #[test]
    fn what_reads_as_a_code_is_its_digits(text in "[0-9 \\-a\u{660}-\u{669}\u{ff10}-\u{ff19}]{0,12}") {
        let bare = text.replace(' ', "");
        for digits in [Digits::Six, Digits::Eight] {
            let is_code = bare.len() == digits.count() && bare.bytes().all(|byte| byte.is_ascii_digit());
            match Code::read(&text, digits) {
                Ok(code) => prop_assert!(is_code && *code.to_text() == bare),
                Err(NotACode) => prop_assert!(!is_code),
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = Code::read(&text, Digits::Six);
    }

    #[test]
    fn every_code_is_read_back_at_its_step(bytes in any::<[u8; 20]>(), step in any::<u64>()) {
        let totp = Totp { secret: Secret::new(bytes), ..totp() };
        let code = Code::read(&totp.code(step).to_text(), Digits::Six);
        prop_assert_eq!(totp.step_of(&code.expect("what it shows"), [step]), Some(step));
    }
}
