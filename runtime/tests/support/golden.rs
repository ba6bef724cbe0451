//! Answers and streams that were captured from a real Mesos.
//!
//! They are not part of the repository. They are looked for in the folder that `TEPUI_SHARED`
//! names and beside the workspace; a test for which they are not there says so and passes.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The captures.
pub struct Golden {
    folder: PathBuf,
}

/// A request and what came back.
#[derive(Debug)]
pub struct Exchange {
    /// Such as `POST`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// The request's headers.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// The answer's body, where it is text.
    pub text: Option<String>,
}

impl Exchange {
    /// The value of a header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Golden {
    /// The captures; none, with a line that says so, where they are not there.
    pub fn find() -> Option<Golden> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let beside = package
            .ancestors()
            .nth(2)
            .map(|folder| folder.join("shared"));
        let named = std::env::var_os("TEPUI_SHARED").map(PathBuf::from);
        let folders = [named, beside].into_iter().flatten();
        let mut folders = folders.map(|folder| folder.join("golden"));
        let found = folders.find(|folder| folder.is_dir());
        if found.is_none() {
            println!("skipped: no captures of a real Mesos; TEPUI_SHARED can name their folder");
        }
        found.map(|folder| Golden { folder })
    }

    /// The names of all exchanges that start with `prefix`, sorted.
    pub fn exchanges(&self, prefix: &str) -> Vec<String> {
        self.names(prefix, ".meta.json")
    }

    /// The names of all JSON bodies that start with `prefix`, sorted.
    pub fn bodies(&self, prefix: &str) -> Vec<String> {
        let mut names = self.names(prefix, ".json");
        names.retain(|name| !name.ends_with(".meta"));
        names
    }

    fn names(&self, prefix: &str, suffix: &str) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names
            .filter(|name| name.starts_with(prefix))
            .filter_map(|name| name.strip_suffix(suffix).map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// A file's bytes.
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// The JSON body of this name.
    pub fn json(&self, name: &str) -> Value {
        let bytes = self.bytes(&format!("{name}.json"));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The request of this name and what came back.
    pub fn exchange(&self, name: &str) -> Exchange {
        let meta = self.json(&format!("{name}.meta"));
        let request = &meta["request"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let headers = request["headers"].as_object().into_iter().flatten();
        Exchange {
            method: text(&request["method"]).unwrap_or_default(),
            path: text(&request["path"]).unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name.clone(), text(value).unwrap_or_default()))
                .collect(),
            body: text(&request["body"]),
            status: meta["status"].as_u64().unwrap_or(0) as u16,
            text: text(&meta["body_text"]),
        }
    }

    /// The records of a captured stream: what is behind the headers, out of its chunks and out of
    /// its records. What of the last one is missing is left out.
    pub fn records(&self, file: &str) -> Vec<Vec<u8>> {
        let bytes = self.bytes(file);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let mut rest = &bytes[end.expect("headers") + 4..];
        let mut stream = Vec::new();
        while let Some((length, behind)) = line(rest, b"\r\n") {
            let length = usize::from_str_radix(length.trim(), 16).unwrap();
            let Some(chunk) = behind.get(..length) else {
                break;
            };
            stream.extend_from_slice(chunk);
            rest = behind.get(length + 2..).unwrap_or_default();
        }
        let mut rest = stream.as_slice();
        let mut records = Vec::new();
        while let Some((length, behind)) = line(rest, b"\n") {
            let Some(record) = behind.get(..length.parse().unwrap()) else {
                break;
            };
            records.push(record.to_vec());
            rest = &behind[record.len()..];
        }
        records
    }
}

/// The first line, and what is behind its end.
fn line<'a>(bytes: &'a [u8], end: &[u8]) -> Option<(&'a str, &'a [u8])> {
    let at = bytes.windows(end.len()).position(|window| window == end)?;
    let line = std::str::from_utf8(&bytes[..at]).unwrap();
    Some((line, &bytes[at + end.len()..]))
}
