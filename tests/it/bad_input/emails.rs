//! E1 to E29: what looks like an address and is none that mail could safely go to, at every route that takes one.
//! Which spellings are one address is told in `crate::emails`.

use doorward::http::body::{Kind, MAX_BYTES};

use super::trial::at_each_door;

/// Each of them, in each field that is an address, is refused for what it is. `@@` stands for the canary, so that an
/// echo of any of them is found.
async fn refused(addresses: &[&str]) {
    at_each_door(async |trial| {
        for field in trial.fields(|kind| matches!(kind, Kind::Email)) {
            for address in addresses {
                let address = address.replace("@@", &trial.filling.canary);
                let problem = format!("{} must be an email address", field.name);
                trial
                    .refuses_saying(&[&problem], trial.with(field.name, address))
                    .await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn E1_no_at() {
    refused(&[
        "@@",
        "@@.example.com",
        "@@ at example.com",
        "@@%40example.com",
        " ",
    ])
    .await;
}

#[tokio::test]
async fn E2_two_ats() {
    refused(&[
        "@@@x@example.com",
        "@@@@example.com",
        "a@b.example@@@.example",
        "@@@example.com@",
    ])
    .await;
}

#[tokio::test]
async fn E3_an_empty_part() {
    refused(&[
        "@@@.example.com",
        "@",
        "@@@",
        "@@@.",
        "@@@..example",
        "@@@example..com",
        "@@@-.com",
        ".@@@example.com",
    ])
    .await;
    refused(&["@@.@example.com", "a..@@@example.com", "@example.com"]).await;
}

#[tokio::test]
async fn E3_empty_altogether() {
    at_each_door(async |trial| {
        for field in trial.fields(|kind| matches!(kind, Kind::Email)) {
            let problem = format!("{} should not be empty", field.name);
            trial
                .refuses_saying(&[&problem], trial.with(field.name, ""))
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn E4_too_long() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}");
    let long = [
        format!("{}@example.com", "a".repeat(65)),
        // 64 + 1 + 190: one more than an address may have.
        format!("{}@{}.com", "a".repeat(64), &longest[..186]),
        format!("a@{}.com", "a".repeat(64)),
        format!("a@{longest}.{label}.com"),
        format!("{}@example.com", "a".repeat(MAX_BYTES / 2)),
        format!("a@{}", "a.".repeat(MAX_BYTES / 4)),
        format!("a@{}example", "\u{fc}".repeat(MAX_BYTES / 4)),
    ];
    assert_eq!(long[1].len(), 255);
    refused(&long.each_ref().map(String::as_str)).await;
    at_each_door(async |trial| {
        for field in trial.fields(|kind| matches!(kind, Kind::Email)) {
            let address = format!("{}@example.com", "a".repeat(MAX_BYTES));
            trial.refuses(413, trial.with(field.name, address)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn E5_space() {
    refused(&[
        " @@@example.com",
        "@@@example.com ",
        "@@ @example.com",
        "@@@ example.com",
        "@@@exam ple.com",
        "\t@@@example.com",
        "@@@example.com\t",
        "@@\u{a0}@example.com",
        "@@@example.com\n",
        "@@@example\u{3000}.com",
        "a @@@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E6_quoted() {
    refused(&[
        "\"@@\"@example.com",
        "\"@@ x\"@example.com",
        "\"@@\\\"\"@example.com",
        "\"@@@x\"@example.com",
        "@@.\"x\"@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E7_address_literals() {
    refused(&[
        "@@@[127.0.0.1]",
        "@@@[IPv6:::1]",
        "@@@127.0.0.1",
        "@@@[::1]",
        "@@@1.2.3.0x4",
        "@@@2130706433",
    ])
    .await;
}

#[tokio::test]
async fn E8_comments() {
    refused(&[
        "@@(b)@example.com",
        "(b)@@@example.com",
        "@@@(b)example.com",
        "@@@example.com(b)",
    ])
    .await;
}

#[tokio::test]
async fn E9_lists() {
    refused(&[
        "@@@example.com,b@example.com",
        "@@@example.com;b@example.com",
        "@@@example.com b@example.com",
        "@@,b@example.com",
    ])
    .await;
    refused(&[
        "@@;b@example.com",
        "@@@example.com,",
        "mailto:@@@example.com",
        "@@:b@example.com;",
    ])
    .await;
}

#[tokio::test]
async fn E10_names_and_angle_brackets() {
    refused(&[
        "<@@@example.com>",
        "Name <@@@example.com>",
        "\"Name\" <@@@example.com>",
        "@@@example.com>",
        "<@@@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E11_other_ats() {
    refused(&[
        "@@\u{ff20}example.com",
        "@@\u{fe6b}example.com",
        "@@\u{ff20}x.example@example.com",
        "@@@x\u{ff20}example.com",
    ])
    .await;
    refused(&[
        "@@@x\u{fe6b}example.com",
        "@@&#64;example.com",
        "@@(at)example.com",
    ])
    .await;
}

#[tokio::test]
async fn E12_letters_that_look_like_others_in_the_local_part() {
    refused(&[
        "\u{430}@@@example.com",
        "@@\u{3bf}@example.com",
        "@@\u{ff41}@example.com",
        "@@\u{1d44e}@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E14_malformed_punycode() {
    refused(&[
        "@@@xn--",
        "@@@xn--.example",
        "@@@xn--example-.org",
        "@@@xn--a.example",
        "@@@xn--\u{fc}.example",
        "@@@xn--zzzzzz99999.com",
    ])
    .await;
    refused(&[
        "@@@xn--ls8h=.la",
        "@@@xn--0.pt",
        "@@@ab--cd.example",
        "@@@-ab.example",
        "@@@ab-.example",
    ])
    .await;
}

#[tokio::test]
async fn E16_two_spellings_of_one_letter_in_the_local_part_are_both_refused() {
    refused(&["caf\u{e9}@@@example.com", "cafe\u{301}@@@example.com"]).await;
}

#[tokio::test]
async fn E17_what_an_eye_does_not_see() {
    let hidden = [
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{180b}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2061}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{206a}',
        '\u{206f}',
        '\u{feff}',
        '\u{fe00}',
        '\u{fe0f}',
        '\u{e0100}',
        '\u{e01ef}',
        '\u{e0001}',
        '\u{e0061}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{3164}',
        '\u{ffa0}',
        '\u{1d173}',
        '\u{fff9}',
    ];
    let addresses: Vec<String> = hidden
        .iter()
        .flat_map(|hidden| {
            [
                format!("@@{hidden}@example.com"),
                format!("@@@exam{hidden}ple.com"),
                format!("@@@example.com{hidden}"),
            ]
        })
        .collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    refused(&addresses).await;
}

#[tokio::test]
async fn E18_letters_whose_lower_case_is_another_letter() {
    refused(&[
        "\u{130}@@@example.com",
        "\u{131}@@@example.com",
        "stra\u{df}e@@@example.com",
        "\u{212a}@@@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E21_encoded_words() {
    refused(&[
        "=?utf-8?q?@@?=@example.com",
        "=?iso-8859-1?b?YWRh?=@@@example.com",
        "=?x?q?=40example.com=3e?=@@@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E22_mail_headers() {
    refused(&[
        "@@@example.com\r\nBcc: all@example.com",
        "@@\r\nBcc: all@example.com",
        "@@@example.com\nBcc: all@example.com",
        "@@@example.com\r\n\r\nbody",
        "@@@example.com\r",
        "\r\n@@@example.com",
        "@@\r\n @example.com",
    ])
    .await;
}

#[tokio::test]
async fn E23_line_breaks_in_disguise() {
    refused(&[
        "@@%0d%0aBcc:x@example.com",
        "@@@example.com%0d%0a",
        "@@\u{2028}@example.com",
        "@@@example.com\u{2029}",
        "@@\u{85}@example.com",
    ])
    .await;
    refused(&["@@\\r\\n@example.com", "@@%00@example.com"]).await;
}

#[tokio::test]
async fn E24_options_of_sendmail() {
    refused(&[
        "-oQ/tmp@@@example.com",
        "-@@@example.com",
        "--@@@example.com",
        "-X/var/www/@@.php@example.com",
    ])
    .await;
}

#[tokio::test]
async fn E26_nul() {
    refused(&[
        "@@\0@example.com",
        "@@@example.com\0",
        "\0@@@example.com",
        "@@@example\0.com",
        "@@@example.com\0@example.org",
    ])
    .await;
}

#[tokio::test]
async fn E27_emoji() {
    refused(&[
        "\u{1f511}@@@example.com",
        "@@\u{1f3fb}@example.com",
        "@@@\u{fe0f}.example",
    ])
    .await;
}

#[tokio::test]
async fn E28_one_label() {
    refused(&["@@@localhost", "@@@com", "@@@example", "@@@b\u{fc}cher"]).await;
}

#[tokio::test]
async fn E29_a_dot_at_the_end() {
    refused(&[
        "@@@example.com.",
        "@@@example.com\u{3002}",
        "@@@example.com..",
        "@@@localhost.",
    ])
    .await;
}
