//! A few numbers for many.

/// The middle one of `values`, or the mean of the two in the middle. Of none, not a number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => f64::NAN,
        odd if odd.len() % 2 == 1 => odd[middle],
        even => f64::midpoint(even[middle - 1], even[middle]),
    }
}

/// The least of `values` that is no less than so many per cent of them (the nearest rank). Of none, not a number.
pub(crate) fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// A count to be divided.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert!(near(median(vec![3.0, 1.0, 2.0]), 2.0));
        assert!(near(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5));
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let hundred = || (1..=100).map(float).collect::<Vec<_>>();
        assert!(near(percentile(hundred(), 50), 50.0));
        assert!(near(percentile(hundred(), 99), 99.0));
        assert!(near(percentile(vec![7.0, 8.0], 99), 8.0));
        assert!(near(percentile(vec![7.0], 50), 7.0));
        assert!(percentile(Vec::new(), 99).is_nan());
    }
}
