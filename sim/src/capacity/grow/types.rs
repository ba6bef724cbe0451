//! Reads what can be bought, and how a workload grows.

use super::{MachineType, Moment};
use crate::capacity::error::PlanError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tepui_core::placement::{Capacity, GPUS_MAX, Models};

/// The largest amount of anything: sums of many of them still fit.
const AMOUNT_MAX: f64 = (1_i64 << 40) as f64;

/// The highest price of one machine.
const PRICE_MAX: f64 = 1e9;

/// How many types can be told apart, and how many models of GPUs.
const TYPES_MAX: usize = 64;

/// How many times the workload of now a moment may need.
const FACTOR_MAX: f64 = 1000.0;

/// A file of types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypesFile {
    types: Vec<TypeEntry>,
}

/// One type, as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeEntry {
    name: String,
    #[serde(default)]
    cpus: f64,
    #[serde(default)]
    mem: f64,
    #[serde(default)]
    disk: f64,
    #[serde(default)]
    ports: f64,
    #[serde(default)]
    gpus: f64,
    #[serde(default)]
    model: Option<String>,
    price: f64,
    #[serde(default)]
    max: Option<usize>,
    /// In YAML only.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Reads types of machines: YAML with a list `types`, or comma-separated values with the same names
/// as columns if the file's name ends so. GPU models that nobody named yet are added to `models`.
///
/// # Errors
/// Names the file, the line or the type, and what is wrong there.
pub fn read_types(path: &Path, models: &mut Vec<String>) -> Result<Vec<MachineType>, PlanError> {
    let text = fs::read_to_string(path).map_err(|source| PlanError::File {
        path: path.display().to_string(),
        source,
    })?;
    let is_csv = path.extension().is_some_and(|extension| extension == "csv");
    let entries = match is_csv {
        true => csv_rows(path, &text)?,
        false => {
            let file = serde_saphyr::from_str::<TypesFile>(&text);
            file.map_err(|error| wrong(path, &error.to_string()))?.types
        }
    };
    if entries.is_empty() || entries.len() > TYPES_MAX {
        let problem = format!(
            "there must be 1 to {TYPES_MAX} types, not {}",
            entries.len()
        );
        return Err(wrong(path, &problem));
    }
    let mut names = BTreeSet::new();
    let mut types = Vec::new();
    for entry in entries {
        let problem = |text: &str| wrong(path, &format!("type '{}': {text}", entry.name));
        if entry.name.is_empty() || !names.insert(entry.name.clone()) {
            return Err(problem("each type needs a name of its own"));
        }
        types.push(entry.machine_type(models).map_err(|text| problem(&text))?);
    }
    Ok(types)
}

fn wrong(path: &Path, problem: &str) -> PlanError {
    PlanError::Mismatch(format!("{}: {problem}", path.display()))
}

fn csv_rows<T: for<'a> Deserialize<'a>>(path: &Path, text: &str) -> Result<Vec<T>, PlanError> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.trim(csv::Trim::All).from_reader(text.as_bytes());
    let rows = reader
        .deserialize::<T>()
        .collect::<Result<Vec<T>, csv::Error>>();
    rows.map_err(|error| match error.position() {
        Some(position) => PlanError::Line {
            path: path.display().to_string(),
            line: position.line() as usize,
            problem: error.to_string(),
        },
        None => wrong(path, &error.to_string()),
    })
}

impl TypeEntry {
    fn machine_type(&self, models: &mut Vec<String>) -> Result<MachineType, String> {
        let amount = |name: &str, value: f64, milli: f64, most: f64| {
            let scaled = value * milli;
            if !(0.0..=most).contains(&value) || (scaled - scaled.round()).abs() > 1e-6 {
                let whole = if milli > 1.0 {
                    "a number with at most 3 decimals"
                } else {
                    "a whole number"
                };
                return Err(format!(
                    "{name} is {value}: it must be {whole} from 0 to {most}"
                ));
            }
            Ok(scaled.round() as i64)
        };
        let gpus = amount("gpus", self.gpus, 1.0, GPUS_MAX as f64)? as usize;
        let model = match self.model.as_deref() {
            None | Some("") => Models::default(),
            Some(name) => model(name, models)?,
        };
        Ok(MachineType {
            name: self.name.clone(),
            capacity: Capacity {
                cpu_milli: amount("cpus", self.cpus, 1000.0, AMOUNT_MAX / 1000.0)?,
                memory_mib: amount("mem", self.mem, 1.0, AMOUNT_MAX)?,
                disk_mib: amount("disk", self.disk, 1.0, AMOUNT_MAX)?,
                ports: amount("ports", self.ports, 1.0, 65_536.0)?,
                gpus,
                model,
            },
            attributes: self.attributes.clone(),
            price_milli: amount("price", self.price, 1000.0, PRICE_MAX)?,
            most: self.max,
        })
    }
}

fn model(name: &str, models: &mut Vec<String>) -> Result<Models, String> {
    let place = models.iter().position(|model| model == name);
    let place = place.unwrap_or(models.len());
    if place >= TYPES_MAX {
        return Err(format!(
            "'{name}' is one GPU model too many, of {TYPES_MAX}"
        ));
    }
    if place == models.len() {
        models.push(name.to_owned());
    }
    Ok(Models(1 << place))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MomentRow {
    when: String,
    factor: f64,
}

/// Reads how a workload grows: a list such as `0%,20%,100%`, or the name of a file of
/// comma-separated values with the columns `when` and `factor`.
///
/// # Errors
/// Says what is wrong.
pub fn read_growth(text: &str) -> Result<Vec<Moment>, PlanError> {
    let bad = |problem: String| PlanError::Mismatch(format!("--growth: {problem}"));
    let rows: Vec<(String, f64)> = if text.contains('%') {
        let one = |part: &str| {
            let part = part.trim();
            let percent = part
                .strip_suffix('%')
                .and_then(|number| number.parse::<f64>().ok());
            let percent = percent.ok_or_else(|| {
                bad(format!(
                    "'{part}' is no percentage: write 0%,20%,100%, or name a file"
                ))
            });
            percent.map(|percent| (part.to_owned(), 1.0 + percent / 100.0))
        };
        text.split(',').map(one).collect::<Result<_, PlanError>>()?
    } else {
        let path = Path::new(text);
        let content = fs::read_to_string(path).map_err(|source| PlanError::File {
            path: text.to_owned(),
            source,
        })?;
        let rows = csv_rows::<MomentRow>(path, &content)?;
        rows.into_iter().map(|row| (row.when, row.factor)).collect()
    };
    if rows.is_empty() {
        return Err(bad("there is no moment in it".to_owned()));
    }
    let moment = |(when, factor): (String, f64)| {
        if !(0.0..=FACTOR_MAX).contains(&factor) {
            return Err(bad(format!(
                "{when}: {factor} times is not from 0 to {FACTOR_MAX}"
            )));
        }
        Ok(Moment {
            when,
            factor_milli: (factor * 1000.0).round() as i64,
        })
    };
    rows.into_iter().map(moment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(name: &str, text: &str) -> Result<Vec<MachineType>, String> {
        let folder = std::env::temp_dir().join(format!("tepui-types-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        let mut models = vec!["T4".to_owned()];
        let read = read_types(&path, &mut models).map_err(|error| error.to_string());
        fs::remove_file(&path).unwrap();
        read
    }

    #[test]
    fn both_forms_say_the_same() {
        let yaml = "types:\n- {name: a, cpus: 1.5, mem: 2048, price: 0.25}\n\
                    - {name: b, cpus: 8, gpus: 2, model: T4, price: 3, max: 4}\n";
        let csv = "name,cpus,mem,gpus,model,price,max\na,1.5,2048,0,,0.25,\nb,8,0,2,T4,3,4\n";
        let read = types("good.yaml", yaml).unwrap();
        assert_eq!(types("good.csv", csv).unwrap(), read);
        assert_eq!(
            (read[0].capacity.cpu_milli, read[0].price_milli),
            (1500, 250)
        );
        assert_eq!((read[1].most, read[1].capacity.model), (Some(4), Models(1)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wanted) in [
            ("types: []", "1 to 64 types"),
            ("types:\n- {name: a, price: 1, cpu: 2}", "cpu"),
            ("types:\n- {name: a, price: -1}", "type 'a': price"),
            ("types:\n- {name: a, price: 1, gpus: 17}", "type 'a': gpus"),
            (
                "types:\n- {name: a, price: 1}\n- {name: a, price: 1}",
                "a name of its own",
            ),
        ] {
            let error = types("bad.yaml", text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
        let error = types("bad.csv", "name,price\na,x\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn growth_is_read() {
        let factors = |text: &str| {
            let moments = read_growth(text).map_err(|error| error.to_string())?;
            Ok::<Vec<i64>, String>(moments.iter().map(|moment| moment.factor_milli).collect())
        };
        assert_eq!(factors("0%, 20%,-50%").unwrap(), [1000, 1200, 500]);
        for bad in ["20%,x", "-200%", "no such file"] {
            assert!(factors(bad).is_err(), "{bad}");
        }
    }
}
