//! `doorward hash`.

use super::{prints, prints_json, refuses};
use crate::harness::process::Place;

#[tokio::test]
async fn a_bench_prints_two_rates_and_nothing_else() {
    let place = Place::new().await;
    let printed = prints(&place, &["hash", "--bench", "--json", "--seconds", "1"], "");
    let rates = printed
        .strip_prefix(r#"{"hashesPerSecond":{"oneThread":"#)
        .and_then(|rest| rest.strip_suffix("}}\n"))
        .and_then(|rest| rest.split_once(r#","allThreads":"#));
    let (one, all) = rates.unwrap_or_else(|| panic!("{printed}"));
    for rate in [one, all] {
        assert!(rate.parse::<f64>().unwrap() > 0.0, "{printed}");
    }
}

#[tokio::test]
async fn tuning_measures_what_owasp_recommends_and_chooses_within_the_target() {
    let place = Place::new().await;
    let tuned = prints_json(&place, &["hash", "--tune", "--target", "1ms", "--json"], "");
    let measured: Vec<_> = tuned["measured"].as_array().unwrap().iter().collect();
    let of = |memory: u32, iterations: u32| {
        measured.iter().any(|one| {
            one["memoryKib"] == memory && one["iterations"] == iterations && one["parallelism"] == 1
        })
    };
    assert!(
        of(47_104, 1) && of(19_456, 2) && of(12_288, 3) && of(9_216, 4) && of(7_168, 5),
        "{tuned}"
    );
    assert!(
        tuned["choice"].is_null(),
        "no machine takes less than a millisecond for it: {tuned}"
    );

    let tuned = place.run(&["hash", "--tune", "--target", "1h"], "");
    assert_eq!(tuned.code, Some(0), "{tuned:?}");
    assert!(
        tuned
            .output
            .starts_with("MEMORY KIB  ITERATIONS  PARALLELISM  MILLISECONDS\n"),
        "{tuned:?}"
    );
    assert!(
        tuned.said.contains("memory_kib = 262144\n  iterations = 2"),
        "the strongest of all: {tuned:?}"
    );
}

#[tokio::test]
async fn it_is_one_of_the_two() {
    let place = Place::new().await;
    refuses(&place.run(&["hash"], ""), 2, "<--tune|--bench>");
    refuses(
        &place.run(&["hash", "--tune", "--bench"], ""),
        2,
        "cannot be used with",
    );
    refuses(
        &place.run(&["hash", "--tune", "--target", "250"], ""),
        2,
        "it is not a duration",
    );
    refuses(
        &place.run(&["hash", "--bench", "--seconds", "0"], ""),
        2,
        "0 is not in 1..=600",
    );
}
