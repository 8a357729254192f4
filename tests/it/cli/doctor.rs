//! `doorward doctor`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use db::{Db, Unit};
use doorward::app::MIGRATIONS;
use doorward::audit::{self, About, By, Event};
use doorward::clock::Clock;
use serde_json::Value;

use super::{bare, creates, ends, refuses};
use crate::harness::certificate::Pair;
use crate::harness::process::Place;
use crate::harness::{ADA, PASSWORD};

/// What the doctor finds: exit code, and status, words and advice of each check.
struct Findings(Option<i32>, Vec<Value>);

impl Findings {
    fn of(command: Command) -> Self {
        let ended = ends(command, "");
        let told: Value =
            serde_json::from_str(&ended.output).unwrap_or_else(|_| panic!("{ended:?}"));
        assert_eq!(told["ok"], ended.code == Some(0), "{ended:?}");
        Self(ended.code, told["checks"].as_array().unwrap().clone())
    }

    fn in_place(place: &Place) -> Self {
        Self::of(place.command(&["doctor", "--json"]))
    }

    /// Asserts that `check` came to `status`, in these words, mended in those.
    fn hold(&self, check: &str, status: &str, found: &str, fix: &str) {
        let one = self.1.iter().find(|one| one["check"] == check);
        let one = one.unwrap_or_else(|| panic!("no {check}: {:?}", self.1));
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("status"), status, "{one}");
        assert!(text("found").contains(found), "{found}: {one}");
        assert!(text("fix").contains(fix), "{fix}: {one}");
        let has_failed = self.1.iter().any(|one| one["status"] == "fail");
        assert_eq!(self.0, Some(i32::from(has_failed)));
    }
}

/// How long a hash takes is the machine's business.
const UNSURE: &str = "password hash";

#[tokio::test]
async fn where_all_is_well_it_says_so_beside_a_service_and_without() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let alone = Findings::in_place(&place);
    let server = place.serve();
    for findings in [alone, Findings::in_place(&place)] {
        assert_eq!(findings.0, Some(0));
        let checks: Vec<_> = findings
            .1
            .iter()
            .map(|one| one["check"].as_str().unwrap())
            .collect();
        let all = [
            "configuration",
            "data folder",
            "secret key",
            "database",
            "clock",
            "revocations",
            "sealed keys",
            "signing key",
            "public_url",
            "trusted_proxies",
            UNSURE,
        ];
        assert_eq!(checks, all);
        let is_well =
            |one: &Value| one["status"] == "ok" && one["fix"].is_null() || one["check"] == UNSURE;
        assert!(findings.1.iter().all(is_well), "{:?}", findings.1);
    }
    drop(server);

    let said = place.run(&["doctor"], "");
    assert_eq!(said.output.lines().count(), 11, "a line each: {said:?}");
    assert!(
        said.output
            .lines()
            .all(|line| line.starts_with("ok ") || line.contains(UNSURE)),
        "{said:?}"
    );
}

#[tokio::test]
async fn before_the_first_start_there_is_nothing_to_complain_of_and_nothing_is_made() {
    let place = Place::new().await;
    let findings = Findings::of(bare(&place, &[], &["doctor", "--json"]));
    for check in ["data folder", "secret key", "database"] {
        findings.hold(
            check,
            "ok",
            "is not there yet; the first start makes it",
            "",
        );
    }
    assert_eq!(
        fs::read_dir(place.data().parent().unwrap())
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn every_problem_of_the_configuration_is_a_line() {
    let place = Place::new().await;
    let variables = [
        ("DOORWARD_LISTEN", "nowhere"),
        ("DOORWARD_TOKENS__LIFETIM", "1h"),
    ];
    let findings = Findings::of(bare(&place, &variables, &["doctor", "--json"]));
    assert_eq!(findings.1.len(), 2, "{:?}", findings.1);
    let said = ends(bare(&place, &variables, &["doctor"]), "");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.output.lines().count(), 2, "{said:?}");
    assert!(
        said.output
            .contains("-> Did you mean DOORWARD_TOKENS__LIFETIME?"),
        "{said:?}"
    );
    assert!(said.said.contains("2 checks failed"), "{said:?}");
}

#[tokio::test]
async fn files_that_others_can_read_are_named_with_the_command_that_closes_them() {
    let place = Place::new().await;
    let quiet = [("DOORWARD_DATA_DIR", "data")];
    let made = ends(
        bare(&place, &quiet, &["user", "create", ADA, "--password-stdin"]),
        PASSWORD,
    );
    assert_eq!(made.code, Some(0), "{made:?}");
    let open = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    open(place.data(), 0o755);
    open(place.data().join("secret.key"), 0o640);
    let findings = Findings::of(bare(&place, &quiet, &["doctor", "--json"]));
    findings.hold(
        "data folder",
        "warn",
        "data is 0755: others may look into it",
        "chmod 0700 data",
    );
    findings.hold(
        "secret key",
        "fail",
        "data/secret.key is 0640: others may read it",
        "chmod 0600 data/secret.key",
    );
}

#[tokio::test]
async fn a_database_that_is_away_and_keys_that_do_not_open_are_told_apart() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let mut command = place.command(&["doctor", "--json"]);
    command.env(
        "DOORWARD_SECRET_KEY",
        "another secret key that is long enough",
    );
    let findings = Findings::of(command);
    findings.hold("database", "ok", "its schema is current", "");
    findings.hold(
        "sealed keys",
        "fail",
        "is not the one that sealed this database",
        "DOORWARD_SECRET_KEY",
    );

    let away = [
        (
            "DOORWARD_DATABASE_URL",
            "postgres://ada:hunter22@127.0.0.1:1/none",
        ),
        (
            "DOORWARD_SECRET_KEY",
            "a secret key that is long enough for it",
        ),
    ];
    let findings = Findings::of(bare(&place, &away, &["doctor", "--json"]));
    findings.hold(
        "database",
        "fail",
        "cannot connect to the database",
        "database_url",
    );
    refuses(
        &ends(bare(&place, &away, &["user", "list"]), ""),
        69,
        "cannot connect to the database",
    );
    assert!(!format!("{:?}", findings.1).contains("hunter22"));
}

#[tokio::test]
async fn a_clock_behind_the_audit_trail_is_wrong() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let db = Db::open_beside(&place.database_url(), MIGRATIONS)
        .await
        .unwrap();
    let tomorrow = Clock::system().now().plus(Duration::from_hours(24));
    let row = audit::row(Event::KeyCreated, By::Service(tomorrow), About::default());
    db.write(Unit::new().run(row)).await.unwrap();
    db.close().await;
    let findings = Findings::in_place(&place);
    findings.hold(
        "clock",
        "fail",
        &format!("the audit trail was written to at {tomorrow}"),
        "NTP",
    );
}

#[tokio::test]
async fn a_certificate_needs_its_own_key() {
    let place = Place::new().await;
    let (ours, other) = (Pair::new(), Pair::new());
    for (key, status, found) in [
        (ours.key(), "ok", "belong together"),
        (other.key(), "fail", "cannot be used together"),
    ] {
        let variables = [
            ("DOORWARD_TLS__CERT", ours.cert()),
            ("DOORWARD_TLS__KEY", key),
            ("DOORWARD_LISTEN", "0.0.0.0:0".into()),
            ("DOORWARD_PUBLIC_URL", "https://auth.example.com".into()),
        ];
        let mut command = bare(&place, &[], &["doctor", "--json"]);
        command.envs(variables);
        let findings = Findings::of(command);
        findings.hold("certificate", status, found, "");
        findings.hold("public_url", "ok", "https://auth.example.com", "");
        findings.hold("trusted_proxies", "ok", "none", "");
    }
}

#[tokio::test]
async fn a_proxy_in_front_is_noticed_and_so_is_an_address_that_nobody_reaches() {
    let place = Place::new().await;
    let public = ("DOORWARD_PUBLIC_URL", "https://auth.example.com");
    let doctor =
        |variables: &[(&str, &str)]| Findings::of(bare(&place, variables, &["doctor", "--json"]));
    let unnamed = doctor(&[public]);
    unnamed.hold(
        "trusted_proxies",
        "warn",
        "is not named",
        "DOORWARD_TRUSTED_PROXIES",
    );
    let named = doctor(&[public, ("DOORWARD_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")]);
    named.hold("trusted_proxies", "ok", "127.0.0.1/32, 10.0.0.0/8", "");
    let lost = doctor(&[
        ("DOORWARD_LISTEN", "0.0.0.0:8080"),
        ("DOORWARD_TRUSTED_PROXIES", "10.0.0.1"),
        ("DOORWARD_PUBLIC_URL", "http://localhost:8080"),
    ]);
    lost.hold(
        "public_url",
        "warn",
        "is this machine alone, and 0.0.0.0:8080 is not",
        "DOORWARD_PUBLIC_URL",
    );
}
