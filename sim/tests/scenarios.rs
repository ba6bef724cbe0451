//! Every scenario of the repository, with its own seed and a few more, each twice: it passes, and
//! the same seed gives the same trace.

use std::path::{Path, PathBuf};
use tepui_sim::run::{Options, Outcome, Plan, Run, Verdict};

/// Seeds of each scenario besides its own.
const SEEDS: u64 = 3;

fn scenarios(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(under).expect("the folder of scenarios is there");
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            found.extend(scenarios(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn run(plan: &Plan, seed: u64) -> Outcome {
    Run::new(plan, seed, Options::default()).finish().0
}

#[test]
fn every_scenario_passes_and_repeats_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = scenarios(&root);
    assert!(files.len() >= 14, "only {} scenarios", files.len());
    let mut failed = Vec::new();
    for file in files {
        let plan = Plan::load(&file).unwrap_or_else(|bad| panic!("{bad}"));
        let own = plan.scenario.seed.unwrap_or(1);
        for seed in std::iter::once(own).chain(100..100 + SEEDS) {
            let (first, again) = (run(&plan, seed), run(&plan, seed));
            assert_eq!(
                first.trace_hash, again.trace_hash,
                "{} seed {seed} is not deterministic",
                plan.file
            );
            if first.verdict != Verdict::Passed {
                failed.push(format!(
                    "{} seed {seed}: {:?}",
                    plan.file,
                    first.violations.first()
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
