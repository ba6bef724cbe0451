//! Changes to the core's own configurations: written as in the core, with durations as people
//! write them.

use super::suggest::nearest;
use crate::units::parse_duration;
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::fmt;

/// Changes by name.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, Spanned<Setting>>);

/// A change: a value, or changes to what is inside.
#[derive(Clone, Debug)]
pub enum Setting {
    /// A new value.
    Value(Value),
    /// Changes inside.
    Inside(Settings),
}

/// A setting that cannot be, and on which line it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The line.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

/// `base` with the changes.
///
/// # Errors
/// When a name is unknown or a value does not fit.
pub fn apply<T: Serialize + DeserializeOwned>(
    base: &T,
    settings: &Settings,
) -> Result<T, BadSetting> {
    let mut value = serde_json::to_value(base).expect("configurations are plain data");
    merge(&mut value, settings)?;
    serde_json::from_value(value).map_err(|error| BadSetting {
        line: settings.line(),
        message: error.to_string(),
    })
}

fn merge(value: &mut Value, settings: &Settings) -> Result<(), BadSetting> {
    for (name, change) in &settings.0 {
        let bad = |message: String| BadSetting {
            line: change.referenced.line(),
            message,
        };
        let Value::Object(fields) = &mut *value else {
            return Err(bad(format!(
                "there is nothing inside to be called '{name}'"
            )));
        };
        let Some(field) = fields.get_mut(name) else {
            let hint = nearest(name, fields.keys().map(String::as_str));
            let hint = hint.map_or_else(
                || {
                    let known: Vec<&str> = fields.keys().map(String::as_str).collect();
                    format!("there are {}", known.join(", "))
                },
                |near| format!("did you mean '{near}'?"),
            );
            return Err(bad(format!("unknown setting '{name}': {hint}")));
        };
        match &change.value {
            Setting::Inside(inside) => merge(field, inside)?,
            Setting::Value(new) => *field = fit(field, new).map_err(bad)?,
        }
    }
    Ok(())
}

/// A new value in the shape of the old one: a duration where there was one.
fn fit(old: &Value, new: &Value) -> Result<Value, String> {
    let Value::String(text) = new else {
        return Ok(new.clone());
    };
    let was_duration = is_duration(old);
    match parse_duration(text) {
        Ok(duration) if was_duration || old.is_null() => {
            let mut fields = Map::new();
            fields.insert("secs".into(), duration.as_secs().into());
            fields.insert("nanos".into(), duration.subsec_nanos().into());
            Ok(Value::Object(fields))
        }
        Err(error) if was_duration => Err(error),
        _ => Ok(new.clone()),
    }
}

fn is_duration(value: &Value) -> bool {
    let Value::Object(fields) = value else {
        return false;
    };
    fields.len() == 2 && fields.contains_key("secs") && fields.contains_key("nanos")
}

impl Settings {
    /// The line of the first change.
    fn line(&self) -> u64 {
        let lines = self.0.values().map(|change| change.referenced.line());
        lines.min().unwrap_or(0)
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Settings, D::Error> {
        BTreeMap::deserialize(deserializer).map(Settings)
    }
}

struct SettingVisitor;

impl<'de> Visitor<'de> for SettingVisitor {
    type Value = Setting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or settings inside")
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Setting, E> {
        Ok(Setting::Value(value.into()))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Setting, E> {
        Ok(Setting::Value(value.into()))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Setting, E> {
        Ok(Setting::Value(value.into()))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Setting, E> {
        Ok(Setting::Value(value.into()))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Setting, E> {
        Ok(Setting::Value(text.into()))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Setting, E> {
        Ok(Setting::Value(Value::Null))
    }
    fn visit_none<E: de::Error>(self) -> Result<Setting, E> {
        Ok(Setting::Value(Value::Null))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Setting, A::Error> {
        let mut inside = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            inside.insert(name, value);
        }
        Ok(Setting::Inside(Settings(inside)))
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Setting, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tepui_core::agent::Config;

    fn change(yaml: &str) -> Result<Config, BadSetting> {
        apply(&Config::default(), &serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn durations_and_numbers_fit_in() {
        let config = change("kill_grace: 500ms\ntasks_max: 3").unwrap();
        assert_eq!(config.kill_grace, Duration::from_millis(500));
        assert_eq!(config.tasks_max, 3);
    }

    #[test]
    fn an_unknown_or_unfit_setting_names_its_line() {
        let error = change("tasks_max: 3\nkill_grase: 1s").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(
            error.message.contains("did you mean 'kill_grace'?"),
            "{}",
            error.message
        );
        let error = change("kill_grace: soon").unwrap_err();
        assert!(
            error.message.contains("not a duration"),
            "{}",
            error.message
        );
        assert!(change("tasks_max: many").is_err());
    }
}
