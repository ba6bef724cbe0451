//! Machines and tasks as comma-separated values.

use super::models::ModelNames;
use super::texts;
use super::{AMOUNT_MAX, Given, read_text};
use crate::capacity::constraints::Constraint;
use crate::capacity::error::PlanError;
use crate::capacity::machine::Machine;
use crate::capacity::snapshot::Snapshot;
use crate::capacity::task::Task;
use crate::capacity::workload::Workload;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tepui_core::placement::{Capacity, GPUS_MAX, Models, Shape, WHOLE_GPU_MILLI};

/// The columns of a list of machines. Other columns are passed over.
const MACHINE_COLUMNS: [(&str, Kept); 11] = [
    ("sn", Kept::Always),
    ("cpu_milli", Kept::Always),
    ("memory_mib", Kept::Always),
    ("gpu", Kept::Always),
    ("model", Kept::Optional),
    ("disk_mib", Kept::Optional),
    ("ports", Kept::Optional),
    ("attributes", Kept::Optional),
    ("reservations", Kept::Optional),
    ("hostname", Kept::Optional),
    ("price", Kept::Optional),
];

/// The columns of a list of tasks.
const TASK_COLUMNS: [(&str, Kept); 12] = [
    ("name", Kept::Always),
    ("cpu_milli", Kept::Always),
    ("memory_mib", Kept::Always),
    ("num_gpu", Kept::Always),
    ("gpu_milli", Kept::Optional),
    ("gpu_spec", Kept::Optional),
    ("disk_mib", Kept::Optional),
    ("ports", Kept::Optional),
    ("role", Kept::Optional),
    ("application", Kept::Optional),
    ("constraints", Kept::Optional),
    ("cost", Kept::Optional),
];

/// Whether a file may lack a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Always,
    Optional,
}

/// Columns whose names are not the usual ones, and columns that are attributes of machines.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// The usual name and theirs.
    pub columns: Vec<(String, String)>,
    /// Columns of machines; each is an attribute of the same name.
    pub attributes: Vec<String>,
}

impl Mapping {
    fn name<'a>(&'a self, usual: &'a str) -> &'a str {
        let found = self.columns.iter().find(|(name, _)| name == usual);
        found.map_or(usual, |(_, theirs)| theirs)
    }

    /// Whether a column is one that any list has.
    fn check(&self) -> Result<(), PlanError> {
        let mut known = MACHINE_COLUMNS.iter().chain(&TASK_COLUMNS);
        for (usual, _) in &self.columns {
            if known.clone().all(|(name, _)| name != usual) {
                let names: Vec<&str> = known.by_ref().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                let text = format!("--column: there is no usual column '{usual}': use {names}");
                return Err(PlanError::Mismatch(text));
            }
        }
        Ok(())
    }
}

/// Reads machines, and tasks that are to come, as a workload.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn read(nodes: &Path, tasks: &Path, mapping: &Mapping) -> Result<Workload, PlanError> {
    Ok(read_lists(nodes, Some(tasks), mapping)?.workload())
}

/// Reads machines.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn read_machines(
    path: &Path,
    mapping: &Mapping,
    models: &mut ModelNames,
) -> Result<Vec<Machine>, PlanError> {
    let mut machines = Table::read(path, &MACHINE_COLUMNS, mapping)?.machines(models)?;
    if machines.is_empty() {
        let text = format!("{}: there is no machine in it", path.display());
        return Err(PlanError::Mismatch(text));
    }
    machines.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(machines)
}

/// Reads machines, and tasks that are to come.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn read_lists(
    nodes: &Path,
    tasks: Option<&Path>,
    mapping: &Mapping,
) -> Result<Given, PlanError> {
    mapping.check()?;
    let mut models = ModelNames::default();
    let mut given = Given {
        snapshot: Snapshot {
            machines: read_machines(nodes, mapping, &mut models)?,
            ..Snapshot::default()
        },
        arrivals: Vec::new(),
    };
    if let Some(tasks) = tasks {
        let mapping = Mapping {
            attributes: Vec::new(),
            ..mapping.clone()
        };
        let table = Table::read(tasks, &TASK_COLUMNS, &mapping)?;
        given.arrivals = table.tasks(&mut models, &mut given.snapshot.constraints)?;
    }
    given.snapshot.models = models.0;
    Ok(given)
}

/// A file of comma-separated values, with the columns that count.
struct Table {
    path: String,
    /// Where each wanted column is; nothing for one that may be missing, and is.
    places: Vec<Option<usize>>,
    names: Vec<String>,
    /// Columns that are attributes.
    attributes: Vec<(String, usize)>,
    rows: Vec<Row>,
}

/// A row, and the line on which it begins.
struct Row {
    line: usize,
    cells: csv::StringRecord,
}

impl Table {
    fn read(path: &Path, wanted: &[(&str, Kept)], mapping: &Mapping) -> Result<Table, PlanError> {
        let text = read_text(path)?;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| unreadable(path, &error))?;
        let header = header.clone();
        let mut table = Table {
            path: path.display().to_string(),
            places: Vec::new(),
            names: Vec::new(),
            attributes: Vec::new(),
            rows: Vec::new(),
        };
        for record in reader.into_records() {
            let cells = record.map_err(|error| unreadable(path, &error))?;
            let line = cells.position().map_or(0, |at| line_of(&text, at));
            if !cells.iter().all(str::is_empty) {
                table.rows.push(Row { line, cells });
            }
        }
        let place = |name: &str| header.iter().position(|column| column == name);
        let missing = |name: &str, hint: String| {
            let there: Vec<&str> = header.iter().collect();
            let there = there.join(", ");
            wrong_line(
                &table.path,
                1,
                format!("there is no column '{name}' among {there}{hint}"),
            )
        };
        for (usual, kept) in wanted {
            let name = mapping.name(usual);
            let found = place(name);
            // A name that was given must be there.
            if found.is_none() && (*kept == Kept::Always || name != *usual) {
                return Err(missing(name, format!("; --column {usual}=NAME")));
            }
            table.places.push(found);
            table.names.push(name.to_owned());
        }
        for name in &mapping.attributes {
            let found = place(name).ok_or_else(|| missing(name, String::new()))?;
            table.attributes.push((name.clone(), found));
        }
        Ok(table)
    }

    fn wrong(&self, row: &Row, problem: impl Into<String>) -> PlanError {
        wrong_line(&self.path, row.line, problem.into())
    }

    fn text<'a>(&self, row: &'a Row, column: usize) -> &'a str {
        let cell = self.places[column].and_then(|place| row.cells.get(place));
        cell.unwrap_or_default()
    }

    fn amount(&self, row: &Row, column: usize, most: i64) -> Result<i64, PlanError> {
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

    /// What a text of the row means.
    fn read_cell<T>(
        &self,
        row: &Row,
        column: usize,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, PlanError> {
        let name = &self.names[column];
        read(self.text(row, column)).map_err(|why| self.wrong(row, format!("{name}: {why}")))
    }

    fn machines(&self, models: &mut ModelNames) -> Result<Vec<Machine>, PlanError> {
        let mut machines = Vec::new();
        for row in &self.rows {
            let capacity = Capacity {
                cpu_milli: self.amount(row, 1, AMOUNT_MAX)?,
                memory_mib: self.amount(row, 2, AMOUNT_MAX)?,
                gpus: self.amount(row, 3, GPUS_MAX as i64)? as usize,
                model: self.read_cell(row, 4, |text| match text {
                    "" => Ok(Models::default()),
                    model => models.bit(model),
                })?,
                disk_mib: self.amount(row, 5, AMOUNT_MAX)?,
                ports: self.amount(row, 6, AMOUNT_MAX)?,
            };
            let mut attributes = self.read_cell(row, 7, texts::attributes)?;
            for (name, place) in &self.attributes {
                let value = row.cells.get(*place).unwrap_or_default();
                if !value.is_empty() {
                    attributes.insert(name.clone(), value.to_owned());
                }
            }
            machines.push(Machine {
                name: self.name(row)?,
                reserved: self.read_cell(row, 8, |text| {
                    texts::reservations(texts::parse_resources(text)?, &capacity)
                })?,
                capacity,
                attributes,
                hostname: self.text(row, 9).to_owned(),
                price_milli: self.read_cell(row, 10, |text| match text {
                    "" => Ok(None),
                    price => texts::price(price).map(Some),
                })?,
                closed: false,
            });
        }
        Ok(machines)
    }

    fn tasks(
        &self,
        models: &mut ModelNames,
        constraints: &mut BTreeMap<Arc<str>, Vec<Constraint>>,
    ) -> Result<Vec<Task>, PlanError> {
        let mut tasks = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let application = Arc::from(self.text(row, 9));
            self.constraints(row, &application, constraints)?;
            tasks.push(Task {
                name: self.name(row)?,
                shape: self.shape(row, models)?,
                role: self.read_cell(row, 8, |text| match text {
                    "" => Ok(Arc::default()),
                    role => texts::role(role),
                })?,
                application,
                cost: self.amount(row, 11, AMOUNT_MAX)?,
            });
        }
        Ok(tasks)
    }

    fn shape(&self, row: &Row, models: &mut ModelNames) -> Result<Shape, PlanError> {
        let gpus = self.amount(row, 3, GPUS_MAX as i64)? as u32;
        let mut shape = Shape {
            cpu_milli: self.amount(row, 1, AMOUNT_MAX)?,
            memory_mib: self.amount(row, 2, AMOUNT_MAX)?,
            disk_mib: self.amount(row, 6, AMOUNT_MAX)?,
            ports: self.amount(row, 7, AMOUNT_MAX)?,
            gpus,
            ..Shape::default()
        };
        if gpus > 0 {
            shape.gpu_milli = match self.text(row, 4) {
                "" => WHOLE_GPU_MILLI,
                _ => self.amount(row, 4, i64::from(WHOLE_GPU_MILLI))? as i32,
            };
            shape.models = self.read_cell(row, 5, |text| models.bits(text))?;
        }
        Ok(shape)
    }

    /// All instances of an application have the same constraints.
    fn constraints(
        &self,
        row: &Row,
        application: &Arc<str>,
        known: &mut BTreeMap<Arc<str>, Vec<Constraint>>,
    ) -> Result<(), PlanError> {
        let mut read = Vec::new();
        for text in self
            .text(row, 10)
            .split(';')
            .filter(|text| !text.is_empty())
        {
            let one = text.parse::<Constraint>();
            read.push(one.map_err(|error| self.wrong(row, error.to_string()))?);
        }
        if read.is_empty() {
            return Ok(());
        }
        if application.is_empty() {
            let problem = "constraints hold among the instances of an application: name it";
            return Err(self.wrong(row, problem));
        }
        let first = known
            .entry(Arc::clone(application))
            .or_insert_with(|| read.clone());
        match *first == read {
            true => Ok(()),
            false => Err(self.wrong(row, format!("'{application}' had other constraints before"))),
        }
    }

    fn name(&self, row: &Row) -> Result<String, PlanError> {
        match self.text(row, 0) {
            "" => Err(self.wrong(row, format!("{} is empty", self.names[0]))),
            name => Ok(name.to_owned()),
        }
    }
}

fn wrong_line(path: &str, line: usize, problem: String) -> PlanError {
    PlanError::Line {
        path: path.to_owned(),
        line,
        problem,
    }
}

/// The line on which a record begins; its position is before the empty lines in front of it.
fn line_of(text: &str, at: &csv::Position) -> usize {
    let rest = text.as_bytes().iter().skip(at.byte() as usize);
    let breaks = rest.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    at.line() as usize + breaks.filter(|byte| **byte == b'\n').count()
}

/// What is wrong with a text that is no list.
fn unreadable(path: &Path, error: &csv::Error) -> PlanError {
    let line = error.position().map_or(1, csv::Position::line);
    let path = path.display().to_string();
    wrong_line(&path, line as usize, error.to_string())
}
