//! How long something takes, as an operator writes it.

use std::time::Duration;

use super::values::Value;

/// Units of a duration, the largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Value for Duration {
    const FORM: &'static str = "a whole number and its unit, such as 500ms, 90s, 15m, 1h or 30d";

    fn from_text(text: &str) -> Result<Self, String> {
        let wrong = || "is not a duration".to_owned();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let (_, millis) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number
            .checked_mul(*millis)
            .map(Self::from_millis)
            .ok_or_else(|| "is longer than a duration can be".to_owned())
    }

    fn to_text(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return "0s".to_owned();
        }
        let (unit, size) = UNITS
            .iter()
            .find(|(_, size)| millis.is_multiple_of(*size))
            .expect("every whole number of milliseconds is a multiple of one");
        format!("{}{unit}", millis / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_is_a_whole_number_and_one_unit() {
        let sound = [
            ("0s", 0),
            ("500ms", 500),
            ("90s", 90_000),
            ("15m", 900_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
        ];
        for (text, millis) in sound {
            assert_eq!(
                Duration::from_text(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "1",
            "s",
            "1 h",
            "-1s",
            "+1s",
            "1.5h",
            "1H",
            "1h30m",
            "1e3s",
            "99999999999999999d",
            "\u{661}s",
        ] {
            assert!(Duration::from_text(text).is_err(), "{text}");
        }
        assert_eq!(Duration::from_secs(90).to_text(), "90s");
        assert_eq!(Duration::from_hours(24).to_text(), "1d");
    }

    proptest! {
        #[test]
        fn a_duration_reads_back(millis in any::<u64>()) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(Duration::from_text(&duration.to_text()), Ok(duration));
        }
    }
}
