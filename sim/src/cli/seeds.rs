//! Many seeds on many threads, reported in order.

use super::args::RunArguments;
use super::cpu::Stopwatch;
use super::{json, print};
use crate::progress;
use crate::run::{Options, Outcome, Plan, Run, Verdict};
use crate::say::say;
use indicatif::ProgressBar;
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tepui_core::wire;

/// The seed of a scenario that names none.
const SEED: u64 = 1;

/// Runs everything that the flags ask for; the worst verdict.
///
/// # Errors
/// When a scenario is bad or a file cannot be written.
pub fn run_all(arguments: &RunArguments) -> Result<Verdict, String> {
    let mut plans = Vec::new();
    for file in &arguments.files {
        plans.push(Plan::load(file).map_err(|bad| bad.to_string())?);
    }
    let mut worst = Verdict::Passed;
    for plan in &plans {
        let verdict = match &arguments.seeds {
            Some(seeds) => run_many(plan, arguments, seeds.clone()),
            None => run_one(plan, arguments)?,
        };
        worst = worst.max(verdict);
        if arguments.until_failure && worst != Verdict::Passed {
            break;
        }
    }
    Ok(worst)
}

fn run_one(plan: &Plan, arguments: &RunArguments) -> Result<Verdict, String> {
    let seed = arguments.seed.or(plan.scenario.seed).unwrap_or(SEED);
    let options = Options {
        timeline: !arguments.json,
        chatty: arguments.verbose && !arguments.json,
        record: arguments.record.is_some(),
    };
    let caught = catch(|| {
        let (mut outcome, mut world) = Run::new(plan, seed, options).finish();
        if arguments.twice {
            check_again(plan, &mut outcome);
        }
        (
            outcome,
            std::mem::take(&mut world.observer.timeline),
            world.recorder.take(),
        )
    });
    let (outcome, timeline, entries) = match caught {
        Ok(done) => done,
        Err(message) => (
            Outcome::crashed(&plan.file, seed, message),
            crate::observe::Timeline::default(),
            Vec::new(),
        ),
    };
    if let Some(path) = &arguments.record {
        std::fs::write(path, wire::encode(&entries))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if arguments.json {
        say!("{}", json::line(&outcome));
    } else {
        print::timeline(&timeline);
        print::outcome(&outcome);
    }
    Ok(outcome.verdict)
}

/// One seed without a timeline; a panic becomes a verdict.
fn run_quietly(plan: &Plan, seed: u64, twice: bool) -> Outcome {
    catch(|| {
        let (mut outcome, _) = Run::new(plan, seed, Options::default()).finish();
        if twice {
            check_again(plan, &mut outcome);
        }
        outcome
    })
    .unwrap_or_else(|message| Outcome::crashed(&plan.file, seed, message))
}

/// Runs a seed again: the trace must be the same.
fn check_again(plan: &Plan, outcome: &mut Outcome) {
    let (again, _) = Run::new(plan, outcome.seed, Options::default()).finish();
    if again.trace_hash != outcome.trace_hash {
        outcome.verdict = Verdict::Crash;
        outcome.violations.push(crate::checker::Violation {
            at: crate::time::SimTime::ZERO,
            node: String::new(),
            invariant: "deterministic".into(),
            found: format!(
                "the same seed gave the traces {:032x} and {:032x}",
                outcome.trace_hash, again.trace_hash
            ),
        });
    }
}

thread_local! {
    /// What the last panic on this thread said, with its place.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic becomes its message.
fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string);
            let text = format!(
                "{} ({})",
                message_of(info.payload()),
                place.unwrap_or_default()
            );
            PANIC.with(|panic| *panic.borrow_mut() = Some(text));
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let said = PANIC.with(|panic| panic.borrow_mut().take());
        said.unwrap_or_else(|| message_of(payload.as_ref()))
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without a message".into())
}

fn run_many(plan: &Plan, arguments: &RunArguments, seeds: Range<u64>) -> Verdict {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or(cores).max(1);
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let busy = AtomicU64::new(0);
    let (sender, receiver) = mpsc::sync_channel(4 * jobs);
    let bar = progress(arguments, &seeds, &plan.file);
    let mut reporter = Reporter {
        arguments,
        bar,
        next: seeds.start,
        early: BTreeMap::new(),
        summary: print::Summary::default(),
        worst: Verdict::Passed,
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            let (next, stop, busy, seeds) = (&next, &stop, &busy, &seeds);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let started = Stopwatch::start();
                    let outcome = run_quietly(plan, seed, arguments.twice);
                    let nanos = started.elapsed().as_nanos() as u64;
                    busy.fetch_add(nanos, Ordering::Relaxed);
                    if sender.send(outcome).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for outcome in receiver {
            if reporter.take(outcome) {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
    });
    reporter.bar.finish_and_clear();
    if !arguments.json {
        let busy = Duration::from_nanos(busy.load(Ordering::Relaxed));
        reporter.summary.print(&plan.file, busy);
    }
    reporter.worst
}

fn progress(arguments: &RunArguments, seeds: &Range<u64>, file: &str) -> ProgressBar {
    if arguments.json {
        return ProgressBar::hidden();
    }
    progress::bar(file, seeds.end - seeds.start, "seeds")
}

/// Puts outcomes in the order of their seeds.
struct Reporter<'a> {
    arguments: &'a RunArguments,
    bar: ProgressBar,
    next: u64,
    early: BTreeMap<u64, Outcome>,
    summary: print::Summary,
    worst: Verdict,
}

impl Reporter<'_> {
    /// True when no more are wanted.
    fn take(&mut self, outcome: Outcome) -> bool {
        self.bar.inc(1);
        self.early.insert(outcome.seed, outcome);
        while let Some(outcome) = self.early.remove(&self.next) {
            self.next += 1;
            self.worst = self.worst.max(outcome.verdict);
            self.summary.add(&outcome);
            if self.arguments.json {
                say!("{}", json::line(&outcome));
            } else if outcome.verdict != Verdict::Passed {
                self.bar.suspend(|| {
                    say!("seed {}: {}", outcome.seed, print::word(outcome.verdict));
                    print::failure(&outcome);
                });
            }
            if self.arguments.until_failure && outcome.verdict != Verdict::Passed {
                return true;
            }
        }
        false
    }
}
