//! What becomes of connections when the service is told to stop.

use tokio::sync::Notify;

use super::*;

const REQUEST: &[u8] = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

/// An app whose `/wait` says when it has been asked and answers when it is let go.
struct Waiting {
    asked: Arc<Notify>,
    let_go: Arc<Notify>,
    app: Router,
}

fn waiting() -> Waiting {
    let asked = Arc::new(Notify::new());
    let let_go = Arc::new(Notify::new());
    let (a, b) = (Arc::clone(&asked), Arc::clone(&let_go));
    let wait = move || {
        let (asked, let_go) = (Arc::clone(&a), Arc::clone(&b));
        async move {
            asked.notify_one();
            let_go.notified().await;
            "done\n"
        }
    };
    Waiting {
        asked,
        let_go,
        app: app().route("/wait", get(wait)),
    }
}

async fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_has_begun_is_finished_and_nothing_else_is_taken() {
    let Waiting { asked, let_go, app } = waiting();
    let server = Running::new(app, None, Duration::from_secs(20)).await;
    let mut begun = server.connect().await;
    begun.write_all(REQUEST).await.unwrap();
    asked.notified().await;
    let untouched = server.connect().await;
    let mut between_requests = server.connect().await;
    between_requests
        .write_all(b"GET /number/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 15];
    between_requests.read_exact(&mut first).await.unwrap();

    server.stop.send(()).unwrap();
    // Idle connections end although a request is still in flight elsewhere.
    assert_eq!(read_to_end(untouched).await, "");
    assert!(read_to_end(between_requests).await.ends_with("[7]"));
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.served.is_finished());

    let_go.notify_one();
    let answer = read_to_end(begun).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ndone\n"), "{answer}");
    let drained = server.served.await.unwrap();
    assert_eq!(drained, Drained { abandoned: 0 });
    assert!(drained.in_flight_finished());
}

#[tokio::test]
async fn what_is_not_finished_in_time_is_counted() {
    let Waiting { asked, app, .. } = waiting();
    let server = Running::new(app, None, Duration::ZERO).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(REQUEST).await.unwrap();
        asked.notified().await;
        streams.push(stream);
    }
    server.stop.send(()).unwrap();
    let drained = server.served.await.unwrap();
    assert_eq!(drained, Drained { abandoned: 3 });
    assert!(!drained.in_flight_finished());
    for stream in streams {
        assert_eq!(read_to_end(stream).await, "");
    }
}

#[tokio::test]
async fn a_client_that_has_gone_away_is_not_worked_for() {
    let let_go = Arc::new(Notify::new());
    let dropped = Arc::new(Notify::new());
    let asked = Arc::new(Notify::new());
    struct Told(Arc<Notify>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (a, b, c) = (
        Arc::clone(&asked),
        Arc::clone(&dropped),
        Arc::clone(&let_go),
    );
    let work = move || {
        let (asked, told, let_go) = (Arc::clone(&a), Told(Arc::clone(&b)), Arc::clone(&c));
        async move {
            asked.notify_one();
            let_go.notified().await;
            drop(told);
        }
    };
    let server = Running::new(
        Router::new().route("/wait", get(work)),
        None,
        Duration::ZERO,
    )
    .await;
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    asked.notified().await;
    drop(stream);
    // Nobody lets the work go on: only its being dropped can tell us.
    dropped.notified().await;
    server.stop.send(()).unwrap();
    assert!(server.served.await.unwrap().in_flight_finished());
}
