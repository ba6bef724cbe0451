//! How long things took, as Mesos' timers tell it: the last one, and figures of those before.

use std::collections::VecDeque;

/// How many durations figures are made of, as in Mesos.
const KEPT_MAX: usize = 1_000;

/// The newest durations of one kind.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    milliseconds: VecDeque<f64>,
}

const PERCENTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
    ("p9999", 0.9999),
];

impl Timings {
    /// Notes one.
    pub fn note(&mut self, milliseconds: f64) {
        if self.milliseconds.len() == KEPT_MAX {
            self.milliseconds.pop_front();
        }
        self.milliseconds.push_back(milliseconds);
    }

    /// The last one under `name`, and figures below it once there are two.
    pub fn tell(&self, name: &str, add: &mut impl FnMut(&str, f64)) {
        let Some(last) = self.milliseconds.back() else {
            return;
        };
        add(name, *last);
        let mut sorted: Vec<f64> = self.milliseconds.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        if count < 2 {
            return;
        }
        add(&format!("{name}/count"), count as f64);
        add(&format!("{name}/min"), sorted[0]);
        add(&format!("{name}/max"), sorted[count - 1]);
        for (percentile, fraction) in PERCENTILES {
            // Between two neighbours, in proportion.
            let place = fraction * (count - 1) as f64;
            let low = (place as usize).min(count - 2);
            let value = sorted[low] + (sorted[low + 1] - sorted[low]) * (place - low as f64);
            add(&format!("{name}/{percentile}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn told(durations: impl Iterator<Item = f64>) -> BTreeMap<String, f64> {
        let mut timings = Timings::default();
        durations.for_each(|duration| timings.note(duration));
        let mut all = BTreeMap::new();
        timings.tell("ms", &mut |name: &str, value| {
            all.insert(name.to_owned(), value);
        });
        all
    }

    #[test]
    fn one_alone_has_no_figures() {
        assert!(told(std::iter::empty()).is_empty());
        assert_eq!(told([7.0].into_iter()).len(), 1);
    }

    #[test]
    fn figures_lie_between_the_least_and_the_most() {
        let all = told((0..=2_000).map(f64::from));
        assert_eq!(all["ms"], 2_000.0);
        assert_eq!((all["ms/count"], all["ms/min"]), (1_000.0, 1_001.0));
        assert_eq!((all["ms/max"], all["ms/p50"]), (2_000.0, 1_500.5));
        assert!(all["ms/p9999"] < all["ms/max"] && all["ms/p9999"] > all["ms/p999"]);
    }
}
