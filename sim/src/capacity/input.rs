//! Reads machines, tasks and orders from files.

use super::error::PlanError;
use super::machine::Machine;
use super::task::Task;
use super::workload::{Order, Workload};
use serde::Deserialize;
use std::fs;
use std::path::Path;
use tepui_core::placement::{Capacity, GPUS_MAX, Models, Shape, WHOLE_GPU_MILLI};

/// The most models that can be told apart.
const MODELS_MAX: usize = 64;

/// The largest amount of anything: sums of all of them still fit.
const AMOUNT_MAX: i64 = 1 << 40;

/// The columns of the lists of machines and of tasks. Other columns are passed over.
const MACHINE_COLUMNS: [&str; 5] = ["sn", "cpu_milli", "memory_mib", "gpu", "model"];
const TASK_COLUMNS: [&str; 6] = [
    "name",
    "cpu_milli",
    "memory_mib",
    "num_gpu",
    "gpu_milli",
    "gpu_spec",
];

/// Without these any model will do, and GPUs are taken whole.
const MAY_BE_MISSING: [&str; 3] = ["model", "gpu_milli", "gpu_spec"];

/// The columns of a file whose names are not the usual ones: `usual=theirs`.
#[derive(Clone, Debug, Default)]
pub struct Mapping(pub Vec<(String, String)>);

impl Mapping {
    fn name<'a>(&'a self, usual: &'a str) -> &'a str {
        let found = self.0.iter().find(|(name, _)| name == usual);
        found.map_or(usual, |(_, theirs)| theirs)
    }
}

/// Reads machines and tasks.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn read(nodes: &Path, tasks: &Path, mapping: &Mapping) -> Result<Workload, PlanError> {
    let mut models = Vec::new();
    let machines = Table::read(nodes, &MACHINE_COLUMNS, mapping)?.machines(&mut models)?;
    if machines.is_empty() {
        let text = format!("{}: there is no machine in it", nodes.display());
        return Err(PlanError::Mismatch(text));
    }
    let tasks = Table::read(tasks, &TASK_COLUMNS, mapping)?.tasks(&mut models)?;
    Ok(Workload::new(machines, tasks, models))
}

#[derive(Deserialize)]
struct OrderFile {
    arrivals: Vec<usize>,
    nodes: Option<Vec<usize>>,
}

/// Reads an order.
///
/// # Errors
/// When it is none, or another workload's.
pub fn read_order(path: &Path, workload: &Workload) -> Result<Order, PlanError> {
    let file = read_order_file(path)?;
    let order = Order {
        arrivals: file.arrivals,
        machines: file
            .nodes
            .unwrap_or_else(|| (0..workload.machines.len()).collect()),
    };
    order.check(workload)?;
    Ok(order)
}

/// Reads in which order tasks come; machines win ties by their names.
///
/// # Errors
/// When it is none, or another workload's.
pub fn read_arrivals(path: &Path, workload: &Workload) -> Result<Order, PlanError> {
    let order = Order {
        arrivals: read_order_file(path)?.arrivals,
        ..Order::by_name(workload)
    };
    order.check(workload)?;
    Ok(order)
}

fn read_order_file(path: &Path) -> Result<OrderFile, PlanError> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|error| PlanError::Line {
        path: path.display().to_string(),
        line: error.line(),
        problem: error.to_string(),
    })
}

fn read_text(path: &Path) -> Result<String, PlanError> {
    fs::read_to_string(path).map_err(|source| PlanError::File {
        path: path.display().to_string(),
        source,
    })
}

/// A file of comma-separated values, with the columns that count.
struct Table {
    path: String,
    /// Where each wanted column is; nothing for one that may be missing, and is.
    places: Vec<Option<usize>>,
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: &Path, wanted: &[&str], mapping: &Mapping) -> Result<Table, PlanError> {
        let text = read_text(path)?;
        let mut lines = text.lines().map(split);
        let header = lines.next().unwrap_or_default();
        let mut table = Table {
            path: path.display().to_string(),
            places: Vec::new(),
            names: Vec::new(),
            rows: lines.collect(),
        };
        for usual in wanted {
            let name = mapping.name(usual);
            let place = header.iter().position(|column| column.trim() == name);
            if place.is_none() && !MAY_BE_MISSING.contains(usual) {
                let there = header.join(", ");
                return Err(table.wrong(
                    0,
                    format!("there is no column '{name}' among {there}; --column {usual}=NAME"),
                ));
            }
            table.places.push(place);
            table.names.push(name.to_owned());
        }
        Ok(table)
    }

    fn wrong(&self, row: usize, problem: String) -> PlanError {
        PlanError::Line {
            path: self.path.clone(),
            line: row + 1,
            problem,
        }
    }

    fn text(&self, row: usize, column: usize) -> &str {
        let cells = &self.rows[row - 1];
        let cell = self.places[column].and_then(|place| cells.get(place));
        cell.map_or("", |cell| cell.trim())
    }

    fn amount(&self, row: usize, column: usize, most: i64) -> Result<i64, PlanError> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(0);
        }
        let whole = text.parse::<i64>().ok();
        // Some write whole numbers with a fraction of nothing.
        let parsed = whole.or_else(|| match text.parse::<f64>() {
            Ok(value) if value.fract() == 0.0 && value.abs() < 1e15 => Some(value as i64),
            _ => None,
        });
        match parsed {
            Some(value) if (0..=most).contains(&value) => Ok(value),
            _ => Err(self.wrong(
                row,
                format!(
                    "{} is '{text}': it must be a whole number from 0 to {most}",
                    self.names[column]
                ),
            )),
        }
    }

    /// The rows that hold anything, counted from 1.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let is_empty = |cells: &Vec<String>| cells.iter().all(|cell| cell.trim().is_empty());
        let filled = self.rows.iter().enumerate();
        filled.filter_map(move |(index, cells)| (!is_empty(cells)).then_some(index + 1))
    }

    fn machines(&self, models: &mut Vec<String>) -> Result<Vec<Machine>, PlanError> {
        let mut machines = Vec::new();
        for row in self.rows() {
            machines.push(Machine {
                name: self.name(row)?,
                capacity: Capacity {
                    cpu_milli: self.amount(row, 1, AMOUNT_MAX)?,
                    memory_mib: self.amount(row, 2, AMOUNT_MAX)?,
                    gpus: self.amount(row, 3, GPUS_MAX as i64)? as usize,
                    model: match self.text(row, 4) {
                        "" => Models::default(),
                        model => self.model(row, model, models)?,
                    },
                    ..Capacity::default()
                },
                ..Machine::default()
            });
        }
        Ok(machines)
    }

    fn tasks(&self, models: &mut Vec<String>) -> Result<Vec<Task>, PlanError> {
        let mut tasks = Vec::new();
        for row in self.rows() {
            let gpus = self.amount(row, 3, GPUS_MAX as i64)? as u32;
            let mut shape = Shape {
                cpu_milli: self.amount(row, 1, AMOUNT_MAX)?,
                memory_mib: self.amount(row, 2, AMOUNT_MAX)?,
                gpus,
                ..Shape::default()
            };
            if gpus > 0 {
                shape.gpu_milli = match self.text(row, 4) {
                    "" => WHOLE_GPU_MILLI,
                    _ => self.amount(row, 4, i64::from(WHOLE_GPU_MILLI))? as i32,
                };
                for model in self.text(row, 5).split('|').filter(|name| !name.is_empty()) {
                    shape.models.0 |= self.model(row, model, models)?.0;
                }
            }
            let name = self.name(row)?;
            tasks.push(Task {
                name,
                shape,
                ..Task::default()
            });
        }
        Ok(tasks)
    }

    fn name(&self, row: usize) -> Result<String, PlanError> {
        match self.text(row, 0) {
            "" => Err(self.wrong(row, format!("{} is empty", self.names[0]))),
            name => Ok(name.to_owned()),
        }
    }

    fn model(&self, row: usize, name: &str, all: &mut Vec<String>) -> Result<Models, PlanError> {
        let bit = match all.iter().position(|model| model == name) {
            Some(bit) => bit,
            None if all.len() < MODELS_MAX => {
                all.push(name.to_owned());
                all.len() - 1
            }
            None => {
                let problem = format!("'{name}' is one GPU model too many, of {MODELS_MAX}");
                return Err(self.wrong(row, problem));
            }
        };
        Ok(Models(1 << bit))
    }
}

/// The cells of a line; quotes hold commas together, and two quotes within are one (RFC 4180; no
/// line breaks within cells).
fn split(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut rest) = (false, line.chars().peekable());
    while let Some(char) = rest.next() {
        let cell = cells.last_mut().expect("begins with one");
        match char {
            '"' if quoted && rest.peek() == Some(&'"') => {
                cell.push('"');
                rest.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            char => cell.push(char),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_together() {
        assert_eq!(split(r#"a,"b,""c""",,d"#), ["a", "b,\"c\"", "", "d"]);
        assert_eq!(split(""), [""]);
    }
}
