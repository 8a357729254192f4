//! What the authenticator says of itself.

use super::{all_is_well, is_not_registered, is_refused, makes, registers, signs_in};
use crate::harness::authenticator::{
    ATTESTED, BACKED_UP, BACKUP_ELIGIBLE, Data, EXTENDED, PRESENT, Passkey, VERIFIED, cbor,
};
use crate::harness::{ADA, Server, server};

/// A passkey is neither proved nor made by an authenticator that says this.
async fn is_taken_from_nobody(server: &Server, what: &str, change: impl Fn(&mut Data)) {
    let email = format!("{}@example.com", crate::harness::unique());
    let token = server.signs_up(&email).await;
    let passkey = registers(server, &token).await;
    let answer = signs_in(server, &passkey, |proof| change(&mut proof.data)).await;
    is_refused(&answer, what);
    let answer = makes(server, &token, |making| change(&mut making.data)).await;
    is_not_registered(&answer, what);
    all_is_well(server, &token, &passkey, what).await;
}

#[tokio::test]
async fn W4_a_passkey_is_for_us_alone() {
    server(async |server| {
        for other in [
            "",
            "localhost.",
            "LOCALHOST",
            "app.localhost",
            "example.com",
            "http://localhost:8080",
        ] {
            is_taken_from_nobody(server, other, |data| other.clone_into(&mut data.rp_id)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn W5_W6_somebody_was_there_and_was_who_they_are() {
    server(async |server| {
        is_taken_from_nobody(server, "nobody was there", |data| data.flags &= !PRESENT).await;
        is_taken_from_nobody(server, "nobody was verified", |data| {
            data.flags &= !VERIFIED;
        })
        .await;
        is_taken_from_nobody(server, "neither", |data| {
            data.flags &= !(PRESENT | VERIFIED);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn W7_what_is_backed_up_may_be() {
    server(async |server| {
        is_taken_from_nobody(server, "a backup that may not be", |data| {
            data.flags &= !BACKUP_ELIGIBLE;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn W7_whether_it_may_be_backed_up_never_changes() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for (made, later) in [
            (PRESENT | VERIFIED, PRESENT | VERIFIED | BACKUP_ELIGIBLE),
            (PRESENT | VERIFIED | BACKUP_ELIGIBLE, PRESENT | VERIFIED),
            (
                PRESENT | VERIFIED,
                PRESENT | VERIFIED | BACKUP_ELIGIBLE | BACKED_UP,
            ),
        ] {
            let options = super::creation(server, &token).await;
            let (mut passkey, mut making) = Passkey::make(&options);
            making.data.flags = made | ATTESTED;
            let body = super::ending(&options, &making.json());
            assert_eq!(
                server.post_as(&token, super::REGISTER, &body).await.status,
                201
            );
            passkey.flags = later;
            is_refused(&signs_in(server, &passkey, |_| {}).await, "it changed");
            passkey.flags = made;
            assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);
        }
    })
    .await;
}

#[tokio::test]
async fn W7_a_backup_may_come_and_go() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let mut passkey = registers(server, &token).await;
        for backed_up in [false, true, false] {
            passkey.flags ^= BACKED_UP;
            assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);
            let listed = server.get_as(&token, super::PASSKEYS).await;
            assert_eq!(listed.json()["data"][0]["backedUp"], backed_up);
        }
    })
    .await;
}

#[tokio::test]
async fn W12_nothing_stands_behind_what_was_announced() {
    server(async |server| {
        let tails: [(&str, Vec<u8>); 2] = [("a byte", vec![0]), ("a map", cbor::map(&[]))];
        for (what, tail) in tails {
            is_taken_from_nobody(server, what, |data| data.tail.clone_from(&tail)).await;
        }
        for (what, tail) in [
            ("extensions that are not there", vec![]),
            ("extensions that are no map", vec![0x80]),
            ("an indefinite map", vec![0xbf, 0xff]),
            ("a key twice", vec![0xa2, 0x61, b'a', 1, 0x61, b'a', 2]),
            ("two maps", vec![0xa0, 0xa0]),
            ("a map that is cut", vec![0xa1, 0x61, b'a']),
        ] {
            let change = |data: &mut Data| {
                data.flags |= EXTENDED;
                data.tail.clone_from(&tail);
            };
            is_taken_from_nobody(server, what, change).await;
        }
        let token = server.signs_up(ADA).await;
        let answer = makes(server, &token, |making| {
            making.data.flags |= EXTENDED;
            making.data.tail = cbor::map(&[(cbor::text("credProtect"), cbor::int(3))]);
        })
        .await;
        assert_eq!(
            answer.status, 201,
            "extensions as they should be: {answer:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_registration_makes_a_credential_and_a_proof_none() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let answer = makes(server, &token, |making| making.data.flags &= !ATTESTED).await;
        is_not_registered(&answer, "no credential");
        let answer = signs_in(server, &passkey, |proof| {
            proof.data.flags |= ATTESTED;
            let id = 16_u16.to_be_bytes();
            proof.data.tail = [&[0; 16][..], &id, &[9; 16], &passkey.key.cose()].concat();
        })
        .await;
        is_refused(&answer, "a credential");
        all_is_well(server, &token, &passkey, "both").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_cut_anywhere_is_no_registration() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let options = super::creation(server, &token).await;
        let (_, making) = Passkey::make(&options);
        let length = making.object().len();
        for at in (0..length).step_by(7) {
            let answer = makes(server, &token, |making| {
                making.object = Some(making.object()[..at].to_vec());
            })
            .await;
            is_not_registered(&answer, &format!("{at} of {length} bytes"));
        }
    })
    .await;
}
