//! Reads a scenario and says what is wrong with it, and where.

use super::suggest::nearest;
use super::{Always, Kind, Scenario, Workload};
use crate::checker::known_invariants;
use std::fmt;
use std::fs;
use std::path::Path;

/// A scenario that cannot be run. Nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The file.
    pub file: String,
    /// The line, if it can be told.
    pub line: Option<u64>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for Bad {}

/// Reads a file.
///
/// # Errors
/// When it cannot be read or is no scenario.
pub fn load(path: &Path) -> Result<Scenario, Bad> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Bad {
        file: file.clone(),
        line: None,
        message: format!("cannot be read: {error}"),
    })?;
    parse(&file, &text)
}

/// Reads a scenario's text; `file` is for messages.
///
/// # Errors
/// When it is no scenario.
pub fn parse(file: &str, text: &str) -> Result<Scenario, Bad> {
    let bad = |line, message| Bad {
        file: file.to_owned(),
        line,
        message,
    };
    let scenario: Scenario = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map(|at| at.line());
        bad(line, explain(&error.without_snippet().to_string()))
    })?;
    check(&scenario).map_err(|message| bad(None, message))?;
    Ok(scenario)
}

/// Adds what was probably meant to the parser's message about an unknown key.
pub fn explain(message: &str) -> String {
    // The place is said once, in front.
    let message = match message.rfind(" at line ") {
        Some(at) => &message[..at],
        None => message,
    };
    let unknown = message.split('`').nth(1);
    let known = message.split_once("expected one of ").map(|(_, list)| list);
    let (Some(unknown), Some(known)) = (unknown, known) else {
        return message.to_owned();
    };
    let known = known.split(',').map(|word| word.trim_matches([' ', '`']));
    match nearest(unknown, known) {
        Some(near) => format!("{message}; did you mean '{near}'?"),
        None => message.to_owned(),
    }
}

fn check(scenario: &Scenario) -> Result<(), String> {
    if scenario.cluster.masters == 0 {
        return Err("cluster: a cluster needs at least one master".into());
    }
    for (list, steps) in [
        ("faults", &scenario.faults),
        ("operations", &scenario.operations),
    ] {
        for (index, step) in steps.iter().enumerate() {
            step.validate()
                .map_err(|why| format!("{list}, entry {}: {why}", index + 1))?;
        }
    }
    check_names(scenario)?;
    let log = scenario.cluster.kind == Kind::Log;
    for entry in &scenario.workload {
        if log != matches!(entry, Workload::Append(_)) {
            return Err(if log {
                "workload: a cluster of kind log has no frameworks, only `append`".into()
            } else {
                "workload: `append` is for clusters of kind log".into()
            });
        }
    }
    if log && scenario.cluster.agents.count() > 0 {
        return Err("cluster: a cluster of kind log has no agents".into());
    }
    check_counts(scenario)
}

/// Names in targets must be those of nodes.
fn check_names(scenario: &Scenario) -> Result<(), String> {
    let mut known: Vec<String> = (1..=scenario.cluster.masters)
        .map(|n| format!("master-{n}"))
        .collect();
    known.extend((1..=scenario.cluster.agents.count()).map(|n| format!("agent-{n}")));
    for entry in &scenario.workload {
        known.extend(entry.framework_names());
    }
    for step in scenario.faults.iter().chain(&scenario.operations) {
        for name in step.targets().into_iter().flat_map(|target| target.names()) {
            if known.iter().any(|known| known == name) {
                continue;
            }
            let near = nearest(name, known.iter().map(String::as_str));
            let hint = near.map_or(String::new(), |near| format!(": did you mean '{near}'?"));
            return Err(format!("no node is called '{name}'{hint}"));
        }
    }
    Ok(())
}

fn check_counts(scenario: &Scenario) -> Result<(), String> {
    let expect = &scenario.expect;
    let named = match &expect.always {
        None => Vec::new(),
        Some(Always::Word(word)) if word == "all" => Vec::new(),
        Some(Always::Word(word)) => vec![word],
        Some(Always::List(list)) => list.iter().collect(),
    };
    let invariants = known_invariants();
    for name in named {
        if !invariants.contains(&name.as_str()) {
            let near = nearest(name, invariants.iter().copied());
            let hint = near.map_or(String::new(), |near| format!(": did you mean '{near}'?"));
            return Err(format!("expect: there is no invariant '{name}'{hint}"));
        }
    }
    for name in expect.at_most.keys().chain(expect.at_least.keys()) {
        let known = crate::run::COUNTS;
        if !known.contains(&name.as_str()) {
            let near = nearest(name, known.iter().copied());
            return Err(near.map_or_else(
                || format!("expect: there is no count '{name}': {}", known.join(", ")),
                |near| format!("expect: there is no count '{name}': did you mean '{near}'?"),
            ));
        }
    }
    for goal in expect.eventually.iter().flatten() {
        let known = crate::run::GOALS;
        if !known.contains(&goal.goal.as_str()) {
            return Err(format!(
                "expect: there is no goal '{}': {}",
                goal.goal,
                known.join(", ")
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> Bad {
        parse("x.yaml", text).expect_err(text)
    }

    #[test]
    fn an_unknown_key_names_its_line_and_what_was_meant() {
        let bad = fails("cluster:\n  masters: 3\n  agnets: 4\n");
        assert_eq!(bad.line, Some(3));
        assert!(bad.message.contains("did you mean 'agents'?"), "{bad}");
        let bad = fails("faults:\n  - { at: 5s, crsh: leader }\n");
        assert_eq!(bad.line, Some(2));
        assert!(bad.message.contains("did you mean 'crash'?"), "{bad}");
    }

    #[test]
    fn a_step_that_makes_no_sense_is_refused() {
        for (text, says) in [
            ("faults: [ { at: 5s } ]", "without an action"),
            ("faults: [ { crash: leader } ]", "needs `at"),
            (
                "faults: [ { at: 5s, crash: leader, pause: leader } ]",
                "crash and pause",
            ),
            (
                "faults: [ { at: 5s, crash: master-9 } ]",
                "did you mean 'master-",
            ),
            ("faults: [ { at: soon, crash: leader } ]", "not a duration"),
            (
                "faults: [ { when: leader-elekted, crash: leader } ]",
                "leader-elected",
            ),
            ("expect: { at_most: { electoins: 1 } }", "elections"),
            ("workload: [ { append: {} } ]", "kind log"),
        ] {
            let bad = fails(text);
            assert!(bad.to_string().contains(says), "{text}: {bad}");
        }
    }
}
