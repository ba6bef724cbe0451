//! Reads what Criterion leaves under `target/criterion`.

use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The median time of one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Criterion's full id: group, function and parameter, separated by `/`.
    pub id: String,
    /// Nanoseconds for one iteration.
    pub median_ns: f64,
    /// Criterion's 95 % interval of the median.
    pub interval_ns: (f64, f64),
    /// How many elements one iteration handles, if the benchmark says so.
    pub elements: Option<u64>,
}

#[derive(Deserialize)]
struct BenchmarkFile {
    full_id: String,
    #[serde(default)]
    throughput: Option<ThroughputEntry>,
}

#[derive(Deserialize)]
enum ThroughputEntry {
    Elements(u64),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct EstimatesFile {
    median: MedianEntry,
}

#[derive(Deserialize)]
struct MedianEntry {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// All newest estimates below `folder` whose id starts with `prefix`, in the order of their ids.
///
/// # Errors
/// When the folder or a file in it cannot be read, or is not Criterion's; the text says which.
pub fn estimates(folder: &Path, prefix: &str) -> Result<Vec<Estimate>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .map_err(|error| format!("{}: {error}: run the benchmark first", folder.display()))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if path.file_name().is_some_and(|name| name == "new") {
                found.push(estimate(&path)?);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.retain(|estimate| estimate.id.starts_with(prefix));
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn estimate(folder: &Path) -> Result<Estimate, String> {
    let benchmark: BenchmarkFile = read(&folder.join("benchmark.json"))?;
    let EstimatesFile { median } = read(&folder.join("estimates.json"))?;
    Ok(Estimate {
        id: benchmark.full_id,
        elements: match benchmark.throughput {
            Some(ThroughputEntry::Elements(count)) => Some(count),
            _ => None,
        },
        median_ns: median.point_estimate,
        interval_ns: (
            median.confidence_interval.lower_bound,
            median.confidence_interval.upper_bound,
        ),
    })
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
