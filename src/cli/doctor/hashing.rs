//! What one password hash costs here.

use std::time::Duration;

use super::Finding;
use crate::config::Config;

const CHECK: &str = "password hash";
/// Longer than people wait for a sign-in without wondering.
const SLOW: Duration = Duration::from_secs(1);

pub(super) fn examine(config: &Config) -> Finding {
    let cost = &config.password.argon2;
    match passhash::bench(cost, 1, Duration::ZERO) {
        Ok(rate) => judge(Duration::from_secs_f64(rate.recip())),
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "free memory for password.argon2.memory_kib, or set less: `doorward hash --tune`",
        ),
    }
}

fn judge(took: Duration) -> Finding {
    let found = format!("one takes {} ms", took.as_millis());
    if took > SLOW {
        let fix = "`doorward hash --tune` finds a cost that this machine bears (password.argon2)";
        Finding::warn(CHECK, found, fix)
    } else {
        Finding::ok(CHECK, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Status;

    #[test]
    fn a_hash_of_more_than_a_second_is_too_slow() {
        assert_eq!(judge(SLOW).status, Status::Ok);
        let slow = judge(SLOW + Duration::from_millis(1));
        assert_eq!(
            (slow.status, slow.found.as_str()),
            (Status::Warn, "one takes 1001 ms")
        );
    }
}
