//! Which keys are taken, and in which wrapping.

use super::{REGISTER, creation, ending, is_not_registered, makes, signs_in};
use crate::harness::authenticator::{Key, Making, Passkey, cbor, ec2, rsa};
use crate::harness::{ADA, server};

/// What makes another object of it, and what for.
type Spoil<'a> = (&'a str, &'a dyn Fn(&Making) -> Vec<u8>);

#[tokio::test]
async fn each_algorithm_that_is_offered_signs_in() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for key in [Key::es256(), Key::es384(), Key::rs256()] {
            let options = creation(server, &token).await;
            let (passkey, making) = Passkey::make_with(&options, key);
            let body = ending(&options, &making.json());
            let answer = server.post_as(&token, REGISTER, &body).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            let answer = signs_in(server, &passkey, |_| {}).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn W8_what_was_not_offered_is_not_taken() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let point = Key::es256().cose();
        let okp = cbor::map(&[
            (cbor::int(1), cbor::int(1)),
            (cbor::int(3), cbor::int(-8)),
            (cbor::int(-1), cbor::int(6)),
            (cbor::int(-2), cbor::bytes(&[3; 32])),
        ]);
        let with_algorithm = |algorithm| {
            let mut key = point.clone();
            // The head of a map of five, then 1: 2, then 3 and its value.
            assert_eq!(&key[..5], [0xa5, 1, 2, 3, 0x26]);
            key.splice(4..5, cbor::int(algorithm));
            key
        };
        for (what, key) in [
            ("EdDSA", okp),
            ("ES512", with_algorithm(-36)),
            ("ES256K", with_algorithm(-47)),
            ("ES384 with another curve", with_algorithm(-35)),
            ("RS1", with_algorithm(-65_535)),
            ("HS256", with_algorithm(5)),
            ("no algorithm at all", with_algorithm(0)),
        ] {
            is_not_registered(
                &makes(server, &token, |making| making.key = key.clone()).await,
                what,
            );
        }
    })
    .await;
}

#[tokio::test]
async fn W14_a_key_is_a_point_of_its_curve_or_a_modulus_that_is_one() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let mut modulus = vec![0xc5; 256];
        let mut keys = vec![
            ("the point at nowhere", ec2(-7, 1, &[0; 64])),
            ("a point off the curve", ec2(-7, 1, &[1; 64])),
            ("coordinates past the field", ec2(-7, 1, &[0xff; 64])),
            ("a point of 31 bytes each", ec2(-7, 1, &[1; 62])),
            ("a point of 33 bytes each", ec2(-7, 1, &[1; 66])),
            ("no point", ec2(-7, 1, &[])),
            ("no curve that there is", ec2(-7, 9, &[1; 64])),
            ("the exponent 1", rsa(&modulus, &[0, 0, 1])),
            ("the exponent 1 in a byte", rsa(&modulus, &[1])),
            ("the exponent 3", rsa(&modulus, &[0, 0, 3])),
            ("an even exponent", rsa(&modulus, &[1, 0, 0])),
            ("a modulus of 16 Kbit", rsa(&[0xc5; 2_048], &[1, 0, 1])),
            ("a modulus of 1 Kbit", rsa(&[0xc5; 128], &[1, 0, 1])),
            ("a modulus of zeros", rsa(&[0; 256], &[1, 0, 1])),
        ];
        modulus[255] = 0;
        keys.push(("an even modulus", rsa(&modulus, &[1, 0, 1])));
        modulus.fill(0);
        modulus[255] = 1;
        keys.push(("a modulus of 1", rsa(&modulus, &[1, 0, 1])));
        for (what, key) in keys {
            is_not_registered(
                &makes(server, &token, |making| making.key = key.clone()).await,
                what,
            );
        }
    })
    .await;
}

#[tokio::test]
async fn W14_a_curve_goes_with_its_algorithm() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let mut key = Key::es384().cose();
        // ES256 over P-384, a sound point of it.
        assert_eq!(&key[..6], [0xa5, 1, 2, 3, 0x38, 0x22]);
        key.splice(4..6, [0x26]);
        is_not_registered(
            &makes(server, &token, |making| making.key = key.clone()).await,
            "P-384",
        );
    })
    .await;
}

#[tokio::test]
async fn W12_a_key_has_one_reading() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let key = Key::es256().cose();
        let entries = &key[1..];
        for (what, key) in [
            ("an indefinite map", [&[0xbf], entries, &[0xff]].concat()),
            (
                "an algorithm twice",
                [&[0xa6], entries, &[3, 0x26]].concat(),
            ),
            (
                "another algorithm beside it",
                [&[0xa6, 3, 0x27], entries].concat(),
            ),
            ("a longer head", [&[0xb8, 5], entries].concat()),
            ("a tag", [&[0xc0, 0xa5], entries].concat()),
            ("no map", vec![0x80]),
            ("nothing", vec![]),
            ("fewer entries than announced", [&[0xa7], entries].concat()),
        ] {
            is_not_registered(
                &makes(server, &token, |making| making.key = key.clone()).await,
                what,
            );
        }
    })
    .await;
}

#[tokio::test]
async fn W12_an_attestation_object_has_one_reading() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let deep = |levels: usize| [vec![0x81; levels], vec![0xa0]].concat();
        let spoil: [Spoil<'_>; 10] = [
            ("nothing", &|_| vec![]),
            ("an indefinite map", &|it| {
                [&[0xbf], &it.object()[1..], &[0xff]].concat()
            }),
            ("a byte behind it", &|it| [it.object(), vec![0]].concat()),
            ("fmt twice", &|it| {
                [
                    &[0xa4],
                    &it.object()[1..],
                    &cbor::text("fmt"),
                    &cbor::text("none"),
                ]
                .concat()
            }),
            ("authData twice", &|it| {
                let data = cbor::bytes(&it.data());
                [&[0xa4], &it.object()[1..], &cbor::text("authData"), &data].concat()
            }),
            ("depth", &|it| {
                [&[0xa4], &it.object()[1..], &cbor::text("x"), &deep(200)[..]].concat()
            }),
            ("a longer head", &|it| {
                [&[0xb8, 3], &it.object()[1..]].concat()
            }),
            ("a list", &|it| [&[0x81], &it.object()[..]].concat()),
            ("a length past all bounds", &|_| {
                vec![0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
            }),
            ("text for authData", &|_| {
                cbor::map(&[
                    (cbor::text("fmt"), cbor::text("none")),
                    (cbor::text("attStmt"), cbor::map(&[])),
                    (cbor::text("authData"), cbor::text("x")),
                ])
            }),
        ];
        for (what, spoil) in spoil {
            let answer = makes(server, &token, |making| making.object = Some(spoil(making))).await;
            is_not_registered(&answer, what);
        }
        // What is larger than any meant one is not read at all.
        for (bytes, status) in [(24_577, 400), (49_152, 413), (10_000_000, 413)] {
            let answer = makes(server, &token, |making| {
                making.object = Some(vec![0xa0; bytes]);
            })
            .await;
            assert_eq!(answer.status, status, "{bytes} bytes: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn W13_no_attestation_is_wanted_but_one_under_the_key_itself() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let options = creation(server, &token).await;
        let (passkey, mut making) = Passkey::make(&options);
        making.state_under(&passkey.key);
        let body = ending(&options, &making.json());
        assert_eq!(
            server.post_as(&token, REGISTER, &body).await.status,
            201,
            "by itself"
        );

        let chain = cbor::map(&[
            (cbor::text("alg"), cbor::int(-7)),
            (cbor::text("sig"), cbor::bytes(&[1; 70])),
            (
                cbor::text("x5c"),
                [&[0x81][..], &cbor::bytes(&[0x30; 300])].concat(),
            ),
        ]);
        let unsigned = cbor::map(&[
            (cbor::text("alg"), cbor::int(-7)),
            (cbor::text("sig"), cbor::bytes(&[1; 70])),
        ]);
        let without_algorithm = cbor::map(&[
            (cbor::text("sig"), cbor::bytes(&[1; 70])),
            (
                cbor::text("x5c"),
                [&[0x81][..], &cbor::bytes(&[0x30; 300])].concat(),
            ),
        ]);
        let empty = cbor::map(&[]);
        for (format, statement) in [
            ("none", &unsigned),
            ("packed", &empty),
            ("packed", &unsigned),
            ("packed", &chain),
            ("packed", &without_algorithm),
            ("tpm", &chain),
            ("android-key", &chain),
            ("android-safetynet", &unsigned),
            ("fido-u2f", &chain),
            ("apple", &chain),
            ("compound", &empty),
            ("None", &empty),
            ("", &empty),
            ("unknown", &empty),
        ] {
            let answer = makes(server, &token, |making| {
                making.format = format;
                making.statement.clone_from(statement);
            })
            .await;
            is_not_registered(&answer, format);
        }
        // A statement under another key than the one it is about.
        let answer = makes(server, &token, |making| making.state_under(&Key::es256())).await;
        is_not_registered(&answer, "another's statement");
    })
    .await;
}

#[tokio::test]
async fn the_credential_is_the_one_that_was_made() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let answer = makes(server, &token, |it| it.said_id = Some("AAAA".to_owned())).await;
        is_not_registered(&answer, "another id");
        for (name, value) in [
            ("id", "AAAA"),
            ("rawId", "AAAA"),
            ("type", "password"),
            ("type", ""),
        ] {
            let options = creation(server, &token).await;
            let (_, making) = Passkey::make(&options);
            let mut credential = making.json();
            credential[name] = value.into();
            let answer = server
                .post_as(&token, REGISTER, &ending(&options, &credential))
                .await;
            is_not_registered(&answer, name);
        }
    })
    .await;
}
