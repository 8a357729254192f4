//! M1 to M12: bodies that are called something else, or are something else than they are called.

use serde_json::json;

use super::bodies::{Pulled, silent};
use super::trial::{at_each_door, at_each_json_door};

#[tokio::test]
async fn M1_no_content_type() {
    at_each_door(async |trial| {
        trial.refuses_as(415, &[], trial.good()).await;
        trial
            .refuses_as(415, &[("content-type", "")], trial.good())
            .await;
    })
    .await;
}

#[tokio::test]
async fn M2_text_plain_which_any_page_may_send() {
    at_each_door(async |trial| {
        for media_type in [
            "text/plain",
            "text/plain;charset=UTF-8",
            "text/plain; application/json",
            "text/json",
            "application/x-json",
            "application/json5",
            "application/problem+json",
            "application/jsonx",
            "json",
            "*/*",
            "application/*",
        ] {
            trial
                .refuses_as(415, &[("content-type", media_type)], trial.good())
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn M3_form() {
    at_each_json_door(async |trial| {
        let form: Vec<String> = trial
            .good_body()
            .iter()
            .map(|(name, value)| {
                format!("{name}={}", value.as_str().unwrap_or("x").replace(' ', "+"))
            })
            .collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        trial.refuses_as(415, &headers, form.join("&")).await;
        trial.refuses_as(415, &headers, trial.good()).await;
        assert_eq!(trial.refuses(400, form.join("&")).await.code(), "bad_json");
    })
    .await;
}

#[tokio::test]
async fn M4_multipart() {
    at_each_door(async |trial| {
        let body = trial.good_body();
        let parts = body.iter().map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let parts = parts.collect::<Vec<_>>().concat();
        let headers = [("content-type", "multipart/form-data; boundary=b")];
        trial
            .refuses_as(415, &headers, format!("{parts}--b--\r\n"))
            .await;
        trial.refuses_as(415, &headers, trial.good()).await;
    })
    .await;
}

#[tokio::test]
async fn M5_another_charset() {
    at_each_json_door(async |trial| {
        let wide = |order: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
            let text = format!("{mark}{}", trial.good());
            text.encode_utf16().flat_map(order).collect()
        };
        let bodies = [
            wide(u16::to_be_bytes, ""),
            wide(u16::to_le_bytes, ""),
            wide(u16::to_be_bytes, "\u{feff}"),
            wide(u16::to_le_bytes, "\u{feff}"),
        ];
        for body in bodies {
            let headers = [("content-type", "application/json; charset=utf-16")];
            trial.refuses_as(415, &headers, body.clone()).await;
            assert_eq!(trial.refuses(400, body).await.code(), "bad_json");
        }
        for charset in [
            "utf-16",
            "iso-8859-1",
            "utf-7",
            "\"utf-16\"",
            "utf-8; charset=utf-16",
            "",
        ] {
            let media_type = format!("application/json; charset={charset}");
            trial
                .refuses_as(415, &[("content-type", &media_type)], trial.good())
                .await;
        }
        for charset in ["utf-8", "UTF-8", "\"utf-8\""] {
            let media_type = format!("application/json; charset={charset}");
            trial
                .takes_as(&[("content-type", &media_type)], trial.good())
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn M6_media_types_have_no_case() {
    at_each_json_door(async |trial| {
        for media_type in [
            "application/JSON",
            "Application/Json",
            "application/json ; x=y",
            "application/json;",
        ] {
            trial
                .takes_as(&[("content-type", media_type)], trial.good())
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn M7_two_media_types() {
    at_each_json_door(async |trial| {
        for media_type in [
            "application/json, text/plain",
            "text/plain, application/json",
            "application/json,application/json",
        ] {
            trial
                .refuses_as(415, &[("content-type", media_type)], trial.good())
                .await;
        }
        for second in ["text/plain", "application/json"] {
            trial
                .refuses_as(
                    415,
                    &[trial.told(), &[("content-type", second)]].concat(),
                    trial.good(),
                )
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn M8_invalid_utf8() {
    const INVALID: [&[u8]; 11] = [
        b"\xff",
        b"\x80",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xfe",
        b"caf\xe9",
    ];
    at_each_json_door(async |trial| {
        for invalid in INVALID {
            for body in [trial.with("unknown", MARK), trial.with(MARK, 1)] {
                let answer = trial.refuses(400, marked(&body, invalid)).await;
                assert_eq!(answer.code(), "bad_json");
            }
        }
        for field in trial.door.fields {
            for value in [json!(MARK), json!([{MARK: [MARK]}])] {
                let body = trial.with(field.name, value);
                let answer = trial.refuses(400, marked(&body, INVALID[2])).await;
                assert_eq!(answer.code(), "bad_json");
            }
        }
    })
    .await;
}

const MARK: &str = "\u{2603}";

/// The body with these bytes in the place of its first mark.
fn marked(body: &str, bytes: &[u8]) -> Vec<u8> {
    let (front, back) = body.split_once(MARK).expect("a mark");
    [front.as_bytes(), bytes, back.as_bytes()].concat()
}

/// A megabyte of zeros as gzip (RFC 1952); files of several such members are files too.
fn zeros() -> Vec<u8> {
    const HEAD: &[u8] =
        b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xed\xc1\x01\x01\0\0\0\x82\x20\xff\xaf\x6e\x48\x40\x01";
    const TAIL: &[u8] = b"\xaf\x06\x9e\xcb\x79\x12\x40\x42\x0f\0";
    [HEAD, &[0; 968], TAIL].concat()
}

/// `{}` as gzip.
const SMALL: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";

#[tokio::test]
async fn M9_compressed() {
    at_each_door(async |trial| {
        for coding in [
            "gzip",
            "x-gzip",
            "GZIP",
            "deflate",
            "br",
            "zstd",
            "compress",
            "gzip, gzip",
            "identity, gzip",
            "unknown",
        ] {
            let headers = [trial.told(), &[("content-encoding", coding)]].concat();
            trial.refuses_as(415, &headers, SMALL).await;
            for megabytes in [10, 1_000] {
                trial
                    .refuses_as(415, &headers, zeros().repeat(megabytes))
                    .await;
            }
            let pulled = Pulled::default();
            trial
                .refuses_stream(415, &headers, || pulled.endless())
                .await;
            assert_eq!(pulled.bytes(), 0, "{trial} read what it does not take");
        }
        let twice = [
            trial.told(),
            &[
                ("content-encoding", "identity"),
                ("content-encoding", "gzip"),
            ],
        ]
        .concat();
        trial.refuses_as(415, &twice, SMALL).await;
        // Not called compressed, it is a body that is no JSON.
        trial.refuses(400, SMALL).await;
        trial.refuses(400, zeros().repeat(10)).await;
        trial.refuses(413, zeros().repeat(1_000)).await;
    })
    .await;
}

#[tokio::test]
async fn M10_called_compressed_and_plain() {
    at_each_door(async |trial| {
        for coding in ["gzip", "deflate", "br"] {
            let headers = [trial.told(), &[("content-encoding", coding)]].concat();
            trial.refuses_as(415, &headers, trial.good()).await;
        }
        let identity = [trial.told(), &[("content-encoding", "identity")]].concat();
        trial.takes_as(&identity, trial.good()).await;
    })
    .await;
}

#[tokio::test]
async fn M11_whatever_is_accepted_the_api_speaks_json() {
    at_each_door(async |trial| {
        for accept in [
            "text/html",
            "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            "application/xml",
            "application/json;q=0",
            "x",
        ] {
            let headers = [
                trial.told(),
                &[
                    ("accept", accept),
                    ("accept-language", "de"),
                    ("accept-encoding", "br"),
                ],
            ]
            .concat();
            trial.refuses_as(400, &headers, "{").await;
            let answer = trial.takes_as(&headers, trial.good()).await;
            let spoken = if answer.body.is_empty() {
                ""
            } else {
                "application/json"
            };
            assert_eq!(answer.header("content-type"), spoken);
            assert_eq!(answer.header("content-encoding"), "");
        }
    })
    .await;
}

#[tokio::test]
async fn M12_a_body_that_never_comes() {
    at_each_door(async |trial| {
        for headers in [
            trial.told(),
            &[
                trial.told(),
                &[("expect", "100-continue"), ("content-length", "50")],
            ]
            .concat(),
        ] {
            trial.refuses_stream(408, headers, silent).await;
        }
    })
    .await;
}
