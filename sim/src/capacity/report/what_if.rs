//! What becomes of a cluster that changes.

use super::words::counted;
use super::{Part, Report};
use crate::capacity::what_if::{Answer, RoleState, State};
use crate::draw::{Cell, Table};
use std::cmp::Reverse;

/// Of what is lost together, so many are named.
const NAMED_MAX: usize = 3;

/// So many kinds of tasks that wait are told of, those with the most tasks.
const KINDS_MAX: usize = 12;

/// Futures of one cluster.
#[derive(Clone, Copy, Debug)]
pub struct Futures<'a> {
    /// Each.
    pub answers: &'a [Answer],
    /// How losses were chosen, if they were left open.
    pub how: &'a str,
}

impl Futures<'_> {
    /// The one in which the most tasks wait; the first of those.
    #[must_use]
    pub fn worst(&self) -> Option<&Answer> {
        let all = self.answers.iter().enumerate();
        let worst =
            all.max_by_key(|(place, one)| (!one.survives, one.more_waiting(), Reverse(*place)));
        worst.map(|(_, answer)| answer)
    }

    /// The verdict.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let Some(worst) = self.worst() else {
            return Vec::new();
        };
        let mut summary = Vec::new();
        if !self.how.is_empty() {
            summary.push(format!("Lost: {}.", self.how));
        }
        let more = counted(worst.more_waiting(), "more task waits", "more tasks wait");
        let held = self.answers.iter().filter(|answer| answer.survives).count();
        summary.push(match (held, self.answers.len()) {
            (0, 1) => format!("The cluster does not survive {}: {more}.", title(worst)),
            (_, 1) => format!("The cluster survives {}.", title(worst)),
            (held, all) if held == all => format!("The cluster survives all {all} futures."),
            (held, all) => format!(
                "The cluster survives {held} of {all} futures. The worst is {}: {more}.",
                title(worst)
            ),
        });
        summary
    }

    /// A row for each, those that are worse first; at most so many.
    #[must_use]
    pub fn table(&self, most: usize) -> Table {
        let mut table = Table::new(&[
            "lost",
            "seed",
            "machines left",
            "more tasks wait",
            "survives",
        ]);
        let mut rows: Vec<&Answer> = self.answers.iter().collect();
        rows.sort_by_key(|answer| (answer.survives, Reverse(answer.more_waiting())));
        for answer in rows.into_iter().take(most) {
            table.row([
                Cell::from(lost(answer)),
                Cell::from(answer.seed.to_string()),
                Cell::from(answer.after().machines),
                Cell::from(answer.more_waiting()),
                Cell::from(if answer.survives { "yes" } else { "no" }),
            ]);
        }
        table
    }

    /// All of it.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut parts = Vec::new();
        if let Some(worst) = self.worst() {
            parts.push(Part {
                heading: match self.answers.len() {
                    1 => format!("What becomes of it after {}", title(worst)),
                    _ => format!("The worst: {}", title(worst)),
                },
                text: sentences(worst),
                tables: tables(worst),
                figures: Vec::new(),
            });
        }
        if self.answers.len() > 1 {
            parts.push(Part {
                heading: "Every future".to_owned(),
                tables: vec![self.table(usize::MAX)],
                ..Part::default()
            });
        }
        Report {
            title: "What if".to_owned(),
            summary: self.summary(),
            parts,
            data: vec![("what_if".to_owned(), self.table(usize::MAX))],
        }
    }
}

/// What happens, in a few words.
fn title(answer: &Answer) -> String {
    match answer.lost.as_str() {
        "" => "the change".to_owned(),
        _ => format!("the loss of {}", lost(answer)),
    }
}

/// What was lost; of many only some are named.
fn lost(answer: &Answer) -> String {
    let all: Vec<&str> = answer.lost.split(", ").collect();
    match all.len() {
        0..=NAMED_MAX => answer.lost.clone(),
        many => format!(
            "{} and {} more",
            all[..NAMED_MAX].join(", "),
            many - NAMED_MAX
        ),
    }
}

/// The figures of one future.
#[must_use]
pub fn tables(answer: &Answer) -> Vec<Table> {
    let mut stages = Table::new(&["", "machines", "tasks run", "tasks wait", "fragments %"]);
    for stage in &answer.stages {
        let state = &stage.state;
        let fragments = state.frag_pct.map(|percent| Cell::number(percent, 2));
        stages.row([
            Cell::from(stage.after),
            Cell::from(state.machines),
            Cell::from(state.runs),
            Cell::from(state.waits),
            fragments.unwrap_or_else(|| Cell::from("-")),
        ]);
    }
    let (before, after) = (answer.before(), answer.after());
    let mut tables = vec![stages, roles(before, after)];
    if !after.headroom.is_empty() {
        let mut table = Table::new(&["how many more fit", "before", "after"]);
        for (before, after) in before.headroom.iter().zip(&after.headroom) {
            table.row([
                Cell::from(before.shape.clone()),
                Cell::from(before.fit_more),
                Cell::from(after.fit_more),
            ]);
        }
        tables.push(table);
    }
    tables
}

/// Why tasks wait in one future, what the master refused, and what a reader should know.
#[must_use]
pub fn sentences(answer: &Answer) -> Vec<String> {
    let mut kinds: Vec<_> = answer.after().waiting.iter().collect();
    kinds.sort_by_key(|one| Reverse(one.tasks));
    let first = kinds.iter().take(KINDS_MAX);
    let waiting = first.map(|one| format!("{}.", one.words()));
    let more: usize = kinds.iter().skip(KINDS_MAX).map(|one| one.tasks).sum();
    let more = (more > 0).then(|| {
        let rest = counted(kinds.len() - KINDS_MAX, "other kind", "other kinds");
        format!("So do {} of {rest}.", counted(more, "task", "tasks"))
    });
    let refused = answer.refused.iter();
    let refused = refused.map(|what| format!("The master refuses {what}."));
    let notes = answer.notes.iter().map(|note| format!("Note: {note}."));
    waiting.chain(more).chain(refused).chain(notes).collect()
}

fn roles(before: &State, after: &State) -> Table {
    let mut table = Table::new(&[
        "role",
        "weight",
        "run before",
        "run after",
        "wait before",
        "wait after",
        "share % before",
        "share % after",
        "guarantee",
        "at its limit of",
    ]);
    for role in &after.roles {
        let was = before.roles.iter().find(|was| was.role == role.role);
        table.row([
            Cell::from(role.role.clone()),
            Cell::number(role.weight, 1),
            Cell::from(was.map_or(0, |was| was.runs)),
            Cell::from(role.runs),
            Cell::from(was.map_or(0, |was| was.waits)),
            Cell::from(role.waits),
            Cell::number(was.map_or(0.0, |was| was.dominant_share_pct), 1),
            Cell::number(role.dominant_share_pct, 1),
            Cell::from(guarantee(role)),
            Cell::from(role.at_limit.join(", ")),
        ]);
    }
    table
}

fn guarantee(role: &RoleState) -> String {
    match role.guarantee_met {
        None => "-".to_owned(),
        Some(true) => "met".to_owned(),
        Some(false) => {
            let lacks = role.lacks.iter();
            let lacks = lacks.map(|(name, amount)| format!("{amount} {name}"));
            format!("lacks {}", lacks.collect::<Vec<_>>().join(", "))
        }
    }
}
