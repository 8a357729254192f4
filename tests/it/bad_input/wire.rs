//! J14, J23 and M12 again where they can happen: on a socket, where a body may be announced and not sent.

use super::trial::{Trial, at_each_door};
use crate::harness::rows;
use crate::wire::line::Line;
use crate::wire::listening::{Door, Listening, listening_to};

/// Serves the trial's service on a socket for as long as `test` runs.
async fn on_a_socket(trial: &Trial<'_>, test: impl AsyncFnOnce(&Listening)) {
    listening_to(
        trial.server,
        [trial.token(), trial.token()],
        Door::default(),
        test,
    )
    .await;
}

async fn connect(on: &Listening<'_>, first: impl AsRef<[u8]>) -> Line {
    let mut line = on.connect().await;
    line.write(first.as_ref()).await;
    line
}

/// The next answer is a refusal with `status`, and nothing follows it: what was to come would be taken for a request.
async fn is_refused_at_last(trial: &Trial<'_>, status: u16, line: &mut Line, about: &str) {
    let refused = line.answer().await.expect(about);
    trial.judge(status, &refused, about);
    let next = line.answer().await;
    assert!(
        next.is_none(),
        "{about}: the connection stays open: {next:?}"
    );
}

async fn is_taken(trial: &Trial<'_>, line: &mut Line, about: &str) {
    let taken = line.answer().await.expect(about);
    assert!(trial.is_yes(&taken), "{about}: {taken:?}");
}

/// A request with all that belongs to it.
fn whole(trial: &Trial<'_>, body: &str) -> String {
    let length = body.len().to_string();
    trial.head(&[trial.told(), &[("content-length", &length)]].concat()) + body
}

#[tokio::test]
async fn J1_to_J3_and_J17_leave_the_connection_usable() {
    at_each_door(async |trial| {
        on_a_socket(trial, async |on| {
            let mut line = on.connect().await;
            for bad in ["", "null", "[]", "{\"a\":1,}"] {
                let about = format!("{trial} given {bad}");
                line.write(whole(trial, bad).as_bytes()).await;
                trial.judge(400, &line.answer().await.expect(&about), &about);
                line.write(whole(trial, &trial.good()).as_bytes()).await;
                is_taken(trial, &mut line, &about).await;
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn J14_ten_megabytes_are_refused_while_the_client_still_waits() {
    at_each_door(async |trial| {
        let before = rows::all(&trial.server.app.db).await;
        let head = trial.head(&[trial.told(), &[("content-length", "10000000")]].concat());
        on_a_socket(trial, async |on| {
            for begun in ["", "{\"email\":\"", &"a".repeat(10_000)] {
                let mut line = connect(on, format!("{head}{begun}")).await;
                is_refused_at_last(trial, 413, &mut line, "10 MB were announced").await;
            }
        })
        .await;
        assert_eq!(rows::all(&trial.server.app.db).await, before, "{trial}");
        trial.lets_in("10 MB").await;
    })
    .await;
}

#[tokio::test]
async fn J23_the_client_goes_away_after_each_byte() {
    at_each_door(async |trial| {
        let request = whole(trial, &trial.good());
        let before = rows::all(&trial.server.app.db).await;
        on_a_socket(trial, async |on| {
            for length in 0..request.len() {
                let mut line = connect(on, &request.as_bytes()[..length]).await;
                line.finish().await;
                if let Some(refused) = line.answer().await {
                    trial.judge(400, &refused, &format!("{trial} cut at {length}"));
                    assert!(line.answer().await.is_none(), "{trial} cut at {length}");
                }
            }
        })
        .await;
        assert_eq!(rows::all(&trial.server.app.db).await, before, "{trial}");
        on_a_socket(trial, async |on| {
            is_taken(trial, &mut connect(on, &request).await, "the whole of it").await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn M12_a_client_that_waits_to_be_asked_for_its_body() {
    at_each_door(async |trial| {
        let good = trial.good();
        let length = good.len().to_string();
        let waiting = [
            ("content-length", length.as_str()),
            ("expect", "100-continue"),
        ];
        let unwanted = trial.head(&[&[("content-type", "text/plain")], &waiting[..]].concat());
        let wanted = trial.head(&[trial.told(), &waiting[..]].concat());
        let before = rows::all(&trial.server.app.db).await;
        on_a_socket(trial, async |on| {
            let mut line = connect(on, &unwanted).await;
            is_refused_at_last(trial, 415, &mut line, "text/plain was announced").await;

            let mut line = connect(on, &wanted).await;
            assert_eq!(line.answer().await.unwrap().status, 100);
            line.finish().await;
            if let Some(refused) = line.answer().await {
                trial.judge(400, &refused, "nothing came of it");
            }
        })
        .await;
        assert_eq!(rows::all(&trial.server.app.db).await, before, "{trial}");
        on_a_socket(trial, async |on| {
            let mut line = connect(on, &wanted).await;
            assert_eq!(line.answer().await.unwrap().status, 100);
            line.write(good.as_bytes()).await;
            is_taken(trial, &mut line, "the body that was asked for").await;
        })
        .await;
    })
    .await;
}
