//! When jobs arrive, how long they run, and whether they fail: drawn from streams of their own.
//!
//! All of it is a function of the framework's seed and the job's number, so that a restarted
//! scheduler sees the same jobs without having written them down.

use crate::frameworks::Script;
use crate::model::CommandInfo;
use crate::resources::Resources;
use crate::rng::Rng;
use crate::scheduler::{ConfigError, ordered};
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The most jobs of a list.
const LIST_MAX: usize = 1_000_000;
/// Of the sampler's loops: the chance of more is below one in 2^64.
const ROUNDS_MAX: u32 = 64;

/// Where jobs come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// A Poisson process.
    Random(Random),
    /// These, in order.
    List(Vec<Job>),
}

/// Jobs that arrive at random and run for a random while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Random {
    /// How many; without end where none.
    pub jobs: Option<u64>,
    /// The mean time between two arrivals.
    pub interval: Duration,
    /// The shortest that a job runs.
    pub duration_min: Duration,
    /// The longest, uniformly between the two.
    pub duration_max: Duration,
    /// Of a thousand starts, so many end with exit status 1.
    pub failures_per_mille: u32,
}

impl Default for Random {
    fn default() -> Self {
        Random {
            jobs: None,
            interval: Duration::from_secs(1),
            duration_min: Duration::from_secs(1),
            duration_max: Duration::from_secs(10),
            failures_per_mille: 0,
        }
    }
}

/// One job of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// How long after the one before it, or after the first subscription.
    pub after: Duration,
    /// What it runs.
    pub command: CommandInfo,
    /// What it needs, if not what all tasks have in common: plain amounts.
    #[serde(default)]
    pub resources: Option<Resources>,
}

impl Arrivals {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Arrivals::Random(random) => {
                if random.failures_per_mille > 1_000 {
                    let why = format!("must be at most 1000, but is {}", random.failures_per_mille);
                    let field = "failures_per_mille";
                    return Err(ConfigError { field, why });
                }
                if random.jobs.is_none() && random.interval.is_zero() {
                    let why = "must be more than 0 where jobs have no number";
                    return Err(ConfigError::new("interval", why));
                }
                ordered("duration_max", random.duration_min, random.duration_max)
            }
            Arrivals::List(jobs) if jobs.len() > LIST_MAX => {
                let why = format!("must have at most {LIST_MAX} jobs, but has {}", jobs.len());
                let field = "list";
                Err(ConfigError { field, why })
            }
            Arrivals::List(jobs) => {
                if jobs.iter().any(|job| job.command.value.is_empty()) {
                    return Err(ConfigError::new("command", "must say what to run"));
                }
                let mut own = jobs.iter().filter_map(|job| job.resources.as_ref());
                if own.any(|own| own.is_empty() || *own != own.flatten()) {
                    let why = "must be plain amounts, as in cpus:0.1;mem:32";
                    return Err(ConfigError::new("resources", why));
                }
                Ok(())
            }
        }
    }

    /// How many jobs there will be; `None` is without end.
    pub(super) fn total(&self) -> Option<u64> {
        match self {
            Arrivals::Random(random) => random.jobs,
            Arrivals::List(jobs) => Some(jobs.len() as u64),
        }
    }

    /// How long after its predecessor job `number` arrives; `None` after the last.
    pub(super) fn gap(&self, number: u64, rng: &Rng) -> Option<Duration> {
        if self.total().is_some_and(|total| number >= total) {
            return None;
        }
        match self {
            Arrivals::Random(random) => {
                let mut rng = rng.fork(&format!("arrival-{number}"));
                Some(exponential(random.interval, &mut rng))
            }
            Arrivals::List(jobs) => {
                let job = jobs.get(usize::try_from(number).ok()?)?;
                Some(job.after)
            }
        }
    }

    /// What a job needs, if not what all have in common.
    pub(super) fn resources(&self, number: u64) -> Option<&Resources> {
        match self {
            Arrivals::Random(_) => None,
            Arrivals::List(jobs) => jobs.get(usize::try_from(number).ok()?)?.resources.as_ref(),
        }
    }

    /// Whether all jobs need the same.
    pub(super) fn are_alike(&self) -> bool {
        match self {
            Arrivals::Random(_) => true,
            Arrivals::List(jobs) => jobs.iter().all(|job| job.resources.is_none()),
        }
    }

    /// What start `attempt` of job `number` runs. Its duration stays, its luck does not.
    pub(super) fn command(&self, number: u64, attempt: u64, rng: &Rng) -> CommandInfo {
        match self {
            Arrivals::Random(random) => {
                let mut length = rng.fork(&format!("length-{number}"));
                let mut luck = rng.fork(&format!("luck-{number}-{attempt}"));
                let runs_for = length.between(random.duration_min, random.duration_max);
                let fails = luck.chance(u64::from(random.failures_per_mille), 1_000);
                Script::exit(runs_for, u8::from(fails)).to_command()
            }
            Arrivals::List(jobs) => {
                let job = usize::try_from(number).ok().and_then(|at| jobs.get(at));
                job.expect("only jobs of the list arrive").command.clone()
            }
        }
    }
}

/// An exponentially distributed time, by comparisons alone: core has no logarithm, and a
/// platform's would differ in the last digit. John von Neumann, "Various techniques used in
/// connection with random digits", 1951: a run of falling uniform numbers has odd length with
/// probability e^-x, where x is its first; rounds that fail add one mean each.
fn exponential(mean: Duration, rng: &mut Rng) -> Duration {
    for whole in 0..ROUNDS_MAX {
        let first = rng.next_u64();
        let (mut last, mut length) = (first, 1);
        while length < ROUNDS_MAX {
            let next = rng.next_u64();
            if next >= last {
                break;
            }
            last = next;
            length += 1;
        }
        if length % 2 == 1 {
            let nanos = u64::try_from(mean.as_nanos()).unwrap_or(u64::MAX);
            let part = (u128::from(nanos) * u128::from(first)) >> 64;
            let part = Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX));
            return mean.saturating_mul(whole).saturating_add(part);
        }
    }
    mean.saturating_mul(ROUNDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_times_have_the_right_mean_and_tail() {
        let mut rng = Rng::from_seed(1, "x");
        let mean = Duration::from_secs(1);
        let drawn: Vec<Duration> = (0..20_000).map(|_| exponential(mean, &mut rng)).collect();
        let sum: Duration = drawn.iter().sum();
        let average = sum / 20_000;
        assert!(average > Duration::from_millis(975) && average < Duration::from_millis(1_025));
        // A share of e^-1 = 0.368 is longer than the mean, e^-3 = 0.0498 than three.
        let longer = |secs| {
            drawn
                .iter()
                .filter(|d| **d > Duration::from_secs(secs))
                .count()
        };
        assert!((7_100..7_600).contains(&longer(1)), "{}", longer(1));
        assert!((880..1_120).contains(&longer(3)), "{}", longer(3));
    }

    #[test]
    fn a_job_is_the_same_whenever_it_is_asked_for() {
        let arrivals = Arrivals::Random(Random {
            failures_per_mille: 500,
            ..Random::default()
        });
        let mut rng = Rng::from_seed(1, "batch");
        let first = (arrivals.gap(7, &rng), arrivals.command(7, 1, &rng));
        rng.next_u64();
        assert_eq!((arrivals.gap(7, &rng), arrivals.command(7, 1, &rng)), first);
        let script = |attempt| Script::of(&arrivals.command(7, attempt, &rng)).unwrap();
        let fails = (0..1_000).filter(|n| script(*n).exit_code == 1).count();
        assert!((400..600).contains(&fails));
        assert!((0..9).all(|n| script(n).runs_for == script(0).runs_for));
    }
}
