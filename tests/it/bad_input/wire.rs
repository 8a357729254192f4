//! J14, J23 and M12 again where they can happen: on a socket, where a body may be announced and not sent.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use doorward::http::server::{Limits, Listener};
use doorward::router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::trial::{JSON, Trial, at_each_door};
use crate::harness::Answer;
use crate::harness::wire::Connection;

/// Serves the trial's service on a socket for as long as `test` runs. The test's side of it blocks, so the runtime
/// needs a thread beside the test's.
async fn on_a_socket(trial: &Trial<'_>, test: impl AsyncFnOnce(SocketAddr)) {
    let app = &trial.server.app;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener {
        socket,
        tls: None,
        limits: Limits::default(),
        is_proxy: router::is_proxy(&app.config),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let stop_asked = async {
        stopped.await.expect("the test stops it");
    };
    let served =
        tokio::spawn(listener.serve(router::router(app), stop_asked, Duration::from_secs(20)));
    test(address).await;
    stop.send(()).expect("it serves until it is stopped");
    assert!(served.await.unwrap().in_flight_finished());
}

fn connect(address: SocketAddr, first: impl AsRef<[u8]>) -> Connection {
    let mut connection = Connection::open(address).unwrap();
    connection.send(first.as_ref()).unwrap();
    connection
}

/// The next answer; `None` when the server closed the connection instead.
fn answer(connection: &mut Connection) -> Option<Answer> {
    match connection.answer() {
        Ok(answer) => Some(answer),
        Err(error) => {
            let is_end = matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            );
            assert!(is_end, "neither an answer nor an end: {error}");
            None
        }
    }
}

/// A request with all that belongs to it.
fn whole(trial: &Trial<'_>, body: &str) -> String {
    let length = body.len().to_string();
    trial.head(&[JSON, &[("content-length", &length)]].concat()) + body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn J1_to_J3_and_J17_leave_the_connection_usable() {
    at_each_door(async |trial| {
        on_a_socket(trial, async |address| {
            let mut connection = Connection::open(address).unwrap();
            for bad in ["", "null", "[]", "{\"a\":1,}"] {
                connection.send(whole(trial, bad).as_bytes()).unwrap();
                let refused = answer(&mut connection).unwrap();
                trial.judge(400, &refused, &format!("{trial} given {bad}"));
                let good = whole(trial, &trial.good());
                connection.send(good.as_bytes()).unwrap();
                let taken = answer(&mut connection).unwrap();
                assert!(trial.is_yes(&taken), "{trial} after {bad}: {taken:?}");
            }
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn J14_ten_megabytes_are_refused_while_the_client_still_waits() {
    at_each_door(async |trial| {
        on_a_socket(trial, async |address| {
            let before = trial.rows().await;
            let head = trial.head(&[JSON, &[("content-length", "10000000")]].concat());
            for begun in ["", "{\"email\":\"", &"a".repeat(10_000)] {
                let mut connection = connect(address, format!("{head}{begun}"));
                let refused = answer(&mut connection).unwrap();
                trial.judge(413, &refused, &format!("{trial} told of 10 MB"));
                // What was to come would be taken for the next request.
                let next = answer(&mut connection);
                assert!(next.is_none(), "{trial} left the connection open: {next:?}");
            }
            assert_eq!(trial.rows().await, before, "{trial}");
        })
        .await;
        trial.lets_in("10 MB").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn J23_the_client_goes_away_after_each_byte() {
    at_each_door(async |trial| {
        let request = whole(trial, &trial.good());
        let before = trial.rows().await;
        on_a_socket(trial, async |address| {
            for length in 0..request.len() {
                let mut connection = connect(address, &request.as_bytes()[..length]);
                connection.finish().unwrap();
                if let Some(refused) = answer(&mut connection) {
                    trial.judge(400, &refused, &format!("{trial} cut at {length}"));
                    let next = answer(&mut connection);
                    assert!(next.is_none(), "{trial} left the connection open: {next:?}");
                }
            }
        })
        .await;
        assert_eq!(trial.rows().await, before, "{trial}");
        on_a_socket(trial, async |address| {
            let taken = answer(&mut connect(address, &request)).unwrap();
            assert!(trial.is_yes(&taken), "{trial}: {taken:?}");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn M12_a_client_that_waits_to_be_asked_for_its_body() {
    at_each_door(async |trial| {
        let good = trial.good();
        let length = good.len().to_string();
        let waiting = [
            ("content-length", length.as_str()),
            ("expect", "100-continue"),
        ];
        let unwanted = trial.head(&[&[("content-type", "text/plain")], &waiting[..]].concat());
        let wanted = trial.head(&[JSON, &waiting[..]].concat());
        let before = trial.rows().await;
        on_a_socket(trial, async |address| {
            let mut connection = connect(address, &unwanted);
            let refused = answer(&mut connection).unwrap();
            trial.judge(415, &refused, &format!("{trial} asked for text/plain"));
            let next = answer(&mut connection);
            assert!(next.is_none(), "{trial} left the connection open: {next:?}");

            let mut connection = connect(address, &wanted);
            assert_eq!(answer(&mut connection).unwrap().status, 100);
            connection.finish().unwrap();
            if let Some(refused) = answer(&mut connection) {
                trial.judge(400, &refused, &format!("{trial} asked and given nothing"));
            }
        })
        .await;
        assert_eq!(trial.rows().await, before, "{trial}");
        on_a_socket(trial, async |address| {
            let mut connection = connect(address, &wanted);
            assert_eq!(answer(&mut connection).unwrap().status, 100);
            connection.send(good.as_bytes()).unwrap();
            let taken = answer(&mut connection).unwrap();
            assert!(trial.is_yes(&taken), "{trial}: {taken:?}");
        })
        .await;
    })
    .await;
}
