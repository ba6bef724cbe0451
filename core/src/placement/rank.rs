//! Which machine is offered first, when it is not known yet for which task.
//!
//! A [`Policy`] scores a machine for a task, and an offer is made before the task is known. So the
//! machine on which the fewest of the typical tasks fit comes first: all others pass it by, and
//! those that stay leave larger places alone. Among machines on which as many fit, the policy's
//! score for a typical task decides: the mean over the classes that fit, weighted by how often each
//! comes. (The mean alone would compare tasks of one GPU here with tasks of eight there.)
//!
//! `BestFit` and `WorstFit` compare machines alike for every task, and are taken exactly instead of
//! in their hundred steps.

use super::free::Free;
use super::measure::Measure;
use super::policy::{Policy, QUANTUM_MILLI, USUAL_CPU_MILLI, USUAL_GPU_MILLI};

/// What a thousandth of a GPU counts beside a thousandth of a cpu in `BestFit`.
const CPUS_PER_GPU: i64 = USUAL_CPU_MILLI as i64 / USUAL_GPU_MILLI;

/// Into how many steps a mean score is divided.
const STEPS: i128 = 1_000;

/// A machine's place among those that are offered: lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(i64, i64, i64);

impl Policy {
    /// The rank of a machine. Where a policy sees no difference, the one with the least left comes
    /// first.
    #[must_use]
    pub fn rank(self, free: &Free, typical: &Measure) -> Rank {
        let left = free.cpu_milli + CPUS_PER_GPU * free.gpu_milli;
        match self {
            Policy::Random | Policy::FirstFit => Rank::default(),
            Policy::BestFit => Rank(left, free.memory_mib, 0),
            Policy::WorstFit => Rank(-left, -free.memory_mib, 0),
            Policy::FgdQ40 => {
                // Equal within a quantum: then the order of machines decides.
                let quantum = STEPS as i64 * QUANTUM_MILLI * typical.count.max(1);
                let (fitting, score) = mean_score(Policy::FgdX, free, typical);
                Rank(fitting, -score.div_euclid(quantum), 0)
            }
            Policy::DotProd
            | Policy::GpuPacking
            | Policy::GpuClustering
            | Policy::Fgd
            | Policy::FgdX => {
                let (fitting, score) = mean_score(self, free, typical);
                Rank(fitting, -score, left)
            }
        }
    }
}

/// How many of the typical tasks fit, and their mean score in steps.
fn mean_score(policy: Policy, free: &Free, typical: &Measure) -> (i64, i64) {
    let before = typical.of(free);
    let (mut sum, mut fitting) = (0, 0);
    for class in typical.classes() {
        let shape = class.shape();
        if !free.runs(&shape) {
            continue;
        }
        let (score, _) = policy.score(free, &shape, typical, before);
        sum += i128::from(score) * i128::from(class.count);
        fitting += class.count;
    }
    let mean = (sum * STEPS).div_euclid(i128::from(fitting.max(1)));
    (fitting, mean as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::{Capacity, Mix, Models, Shape, WHOLE_GPU_MILLI};
    use alloc::vec;
    use alloc::vec::Vec;

    fn free(cpus: i64, gpus: usize) -> Free {
        Free::all_of(&Capacity {
            cpu_milli: cpus * 1000,
            memory_mib: 1,
            gpus,
            ..Capacity::default()
        })
    }

    fn typical(tasks: &[(i64, u32, usize)]) -> Measure {
        let mut mix = Mix::default();
        for (cpus, gpus, times) in tasks {
            for _ in 0..*times {
                mix.add(Shape {
                    cpu_milli: cpus * 1000,
                    gpus: *gpus,
                    gpu_milli: if *gpus > 0 { WHOLE_GPU_MILLI } else { 0 },
                    ..Shape::default()
                });
            }
        }
        Measure::new(&mix.classes(9), [Models::default()])
    }

    /// The machines in the order of a policy, by their places in the list.
    fn order(policy: Policy, machines: &[Free], typical: &Measure) -> Vec<usize> {
        let mut places: Vec<usize> = (0..machines.len()).collect();
        places.sort_by_key(|place| policy.rank(&machines[*place], typical));
        places
    }

    #[test]
    fn the_least_or_the_most_left_comes_first() {
        let machines = [free(64, 4), free(8, 1), free(64, 0), free(0, 8)];
        let none = typical(&[]);
        // 64, 24, 64 and 128 when a GPU counts as 16 cpus.
        let best = order(Policy::BestFit, &machines, &none);
        assert_eq!(best, [1, 2, 0, 3]);
        let worst = order(Policy::WorstFit, &machines, &none);
        assert_eq!(worst, [0, 3, 2, 1]);
        assert_eq!(order(Policy::FirstFit, &machines, &none), [0, 1, 2, 3]);
    }

    #[test]
    fn best_fit_agrees_with_its_scores_for_any_task() {
        let machines: Vec<Free> = (0..40)
            .map(|n| free(20 + n * 7 % 41, n as usize % 9))
            .collect();
        let none = typical(&[]);
        let task = Shape {
            cpu_milli: 3_000,
            ..Shape::default()
        };
        let score = |place: usize| Policy::BestFit.score(&machines[place], &task, &none, 0).0;
        let ordered = order(Policy::BestFit, &machines, &none);
        let falling = ordered
            .windows(2)
            .all(|pair| score(pair[0]) >= score(pair[1]));
        assert!(falling);
    }

    #[test]
    fn the_least_growth_of_fragments_comes_first() {
        // Eight GPUs at once, or one: what is left of eight is no use to half of the tasks.
        let typical = typical(&[(8, 8, 50), (1, 1, 50)]);
        let machines = [
            free(64, 8),
            free(64, 3),
            free(64, 1),
            free(0, 4),
            free(64, 0),
        ];
        for policy in [Policy::FgdX, Policy::Fgd, Policy::FgdQ40] {
            let ordered = order(policy, &machines, &typical);
            // First where nothing fits, then where one of two kinds does, and last the whole one.
            assert_eq!(ordered[..2].iter().sum::<usize>(), 7, "{policy}");
            assert_eq!(ordered[2..4].iter().sum::<usize>(), 3, "{policy}");
            assert_eq!(ordered[4], 0, "{policy}");
        }
        // One GPU of eight leaves seven for half of the tasks: 3.5 more. All eight: no change.
        // The mean is 1.75, times 100 tasks, 1000 milli and 1000 steps. One of three: 0.5 less.
        let score = |place: usize| mean_score(Policy::FgdX, &machines[place], &typical);
        let expected = [(100, -175_000), (50, 50_000), (50, 50_000)];
        let expected = expected.map(|(fitting, score)| (fitting, score * STEPS as i64));
        assert_eq!([score(0), score(1), score(2)], expected);
        let ties = [free(64, 8), free(63, 8)];
        let by = |policy| order(policy, &ties, &typical);
        assert_eq!(
            (by(Policy::FgdX), by(Policy::FgdQ40)),
            (vec![1, 0], vec![0, 1])
        );
    }

    #[test]
    fn idle_gpus_are_kept_whole_by_packing() {
        let typical = typical(&[(1, 1, 3)]);
        let mut used = free(64, 8);
        let task = typical.classes()[0].shape();
        used.take(&task, used.usual_devices(&task));
        assert_eq!(
            order(Policy::GpuPacking, &[free(64, 8), used], &typical),
            [1, 0]
        );
        // The dot product is smallest where least is free.
        assert_eq!(
            order(Policy::DotProd, &[free(64, 8), used], &typical),
            [1, 0]
        );
    }
}
