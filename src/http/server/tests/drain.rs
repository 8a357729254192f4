//! What becomes of connections when the service is told to stop.

use super::*;

const REQUEST: &[u8] = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

async fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_has_begun_is_finished_and_nothing_else_is_taken() {
    let (waiting, app) = Waiting::app();
    let server = Running::new(app, None, Duration::from_secs(20)).await;
    let mut begun = server.connect().await;
    begun.write_all(REQUEST).await.unwrap();
    waiting.asked.notified().await;
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

    waiting.let_go.notify_one();
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
    let (waiting, app) = Waiting::app();
    let server = Running::new(app, None, Duration::ZERO).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(REQUEST).await.unwrap();
        waiting.asked.notified().await;
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
    let (waiting, app) = Waiting::app();
    let server = Running::new(app, None, Duration::ZERO).await;
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    waiting.asked.notified().await;
    drop(stream);
    // Nobody lets it go: it is over because it was dropped.
    waiting.over.notified().await;
    server.stop.send(()).unwrap();
    assert!(server.served.await.unwrap().in_flight_finished());
}
