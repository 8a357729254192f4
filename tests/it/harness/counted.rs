//! What the service of one test counts. A test runs on one thread and the routes of its service with it, so that the
//! figures of a thread are the figures of a test.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The figures since counting began.
pub struct Counted(PrometheusHandle);

/// Runs `test` with figures of its own. None of its handlers may have panicked.
pub async fn counting(test: impl AsyncFnOnce(&Counted)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = Counted(recorder.handle());
    let _here = metrics::set_default_local_recorder(&recorder);
    test(&counted).await;
    assert_eq!(counted.sum("doorward_panics_total"), 0);
}

impl Counted {
    /// How many requests a handler has answered, whether or not anybody took the answer.
    pub fn answered(&self) -> usize {
        self.sum("http_server_request_duration_seconds_count")
    }

    /// All figures of this name, whatever their labels.
    fn sum(&self, name: &str) -> usize {
        let text = self.0.render();
        let of_name = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', '{']))
        };
        let value = |line: &str| line.rsplit(' ').next()?.parse::<usize>().ok();
        let values = text.lines().filter(of_name).map(value);
        values.map(|value| value.expect("a whole number")).sum()
    }
}
