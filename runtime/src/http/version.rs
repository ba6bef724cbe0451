//! Which version speaks, in the terms of Mesos' tools.

use crate::mesos::convert::agent::MESOS_VERSION;
use crate::mesos::v1;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

/// The commit that this was built from, if whoever built it said so.
const COMMIT: &str = match option_env!("TEPUI_COMMIT") {
    Some(commit) => commit,
    None => "",
};

/// When the program was built, as far as its file tells: seconds since the Unix epoch.
fn built_at() -> f64 {
    static BUILT_AT: OnceLock<f64> = OnceLock::new();
    *BUILT_AT.get_or_init(|| {
        let file = std::env::current_exe().and_then(std::fs::metadata);
        let modified = file.and_then(|file| file.modified()).ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since.map_or(0.0, |since| since.as_secs() as f64)
    })
}

/// The version of the API that we speak, and of this program.
#[must_use]
pub fn info() -> v1::VersionInfo {
    v1::VersionInfo {
        version: Some(MESOS_VERSION.to_owned()),
        build_date: Some(date(built_at() as i64)),
        build_time: Some(built_at()),
        build_user: Some(String::new()),
        git_sha: Some(COMMIT.to_owned()),
        git_branch: Some(format!("tepui-{}", env!("CARGO_PKG_VERSION"))),
        git_tag: None,
    }
}

/// The same, by the names of the classic pages.
#[must_use]
pub fn fields() -> [(&'static str, Value); 6] {
    let info = info();
    [
        ("build_date", json!(info.build_date)),
        ("build_time", json!(info.build_time)),
        ("build_user", json!(info.build_user)),
        ("git_branch", json!(info.git_branch)),
        ("git_sha", json!(info.git_sha)),
        ("version", json!(info.version)),
    ]
}

/// The answer of `/version`.
#[must_use]
pub fn page() -> Value {
    let fields = fields().into_iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}

/// A moment in UTC, as `2026-11-20 03:54:12`. The civil calendar counts in eras of 400 years that
/// begin in March (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(seconds: i64) -> String {
    const DAY_SECS: i64 = 86_400;
    let (days, rest) = (seconds.div_euclid(DAY_SECS), seconds.rem_euclid(DAY_SECS));
    let from_march_of_0 = days + 719_468;
    let era = from_march_of_0.div_euclid(146_097);
    let day_of_era = from_march_of_0.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = month_from_march % 12 + 3 - if month_from_march >= 10 { 12 } else { 0 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00:00");
        assert_eq!(date(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(date(1_795_146_852), "2026-11-20 03:54:12");
        assert_eq!(date(-1), "1969-12-31 23:59:59");
    }

    #[test]
    fn clients_find_a_version_that_they_can_compare() {
        let version = info().version.unwrap();
        let numbers: Vec<u32> = version.split('.').map(|n| n.parse().unwrap()).collect();
        assert_eq!(numbers.len(), 3);
        assert_eq!(page()["version"], json!(version));
    }
}
