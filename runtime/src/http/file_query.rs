//! What `/files/read` and `/files/download` are asked for, of masters and agents alike.

use super::reply::Parameters;
use crate::mesos::media::Refusal;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The most that one read returns, as in Mesos: sixteen pages. Readers ask again.
pub const READ_BYTES_MAX: u64 = 16 * 4096;

/// The path that a query must name.
///
/// # Errors
/// When it names none.
pub fn path(asked: &Parameters) -> Result<&str, Refusal> {
    let path = asked.get("path").filter(|path| !path.is_empty());
    path.ok_or_else(|| Refusal::bad("Expecting 'path=value' in query.\n"))
}

/// Which part of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// Where it begins; without, only the file's size is wanted.
    pub offset: Option<u64>,
    /// How long it is at most.
    pub length: u64,
}

impl Portion {
    /// What a query asks for; -1 is as good as nothing.
    ///
    /// # Errors
    /// When a number is none, or negative.
    pub fn asked(asked: &Parameters) -> Result<Portion, Refusal> {
        let offset = number(asked, "offset")?;
        let length = number(asked, "length")?;
        Ok(Portion {
            offset,
            length: length.unwrap_or(READ_BYTES_MAX).min(READ_BYTES_MAX),
        })
    }

    /// Reads it, and the file's size. Takes as long as the disk does.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn read(self, mut file: File) -> io::Result<(Vec<u8>, u64)> {
        let size = file.metadata()?.len();
        let mut bytes = Vec::new();
        if let Some(offset) = self.offset {
            file.seek(SeekFrom::Start(offset))?;
            file.take(self.length).read_to_end(&mut bytes)?;
        }
        Ok((bytes, size))
    }

    /// What was read, as `/files/read` answers.
    #[must_use]
    pub fn shown(self, bytes: &[u8], size: u64) -> serde_json::Value {
        let (data, at) = match self.offset {
            None => (String::new(), size),
            Some(start) => (whole_text(bytes, start, size), start),
        };
        serde_json::json!({ "data": data, "offset": at })
    }
}

fn number(asked: &Parameters, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(given) = asked.get(name) else {
        return Ok(None);
    };
    let Ok(number) = given.parse::<i64>() else {
        let message = format!("Failed to parse {name}: Failed to convert '{given}' to number.\n");
        return Err(Refusal::bad(message));
    };
    match u64::try_from(number) {
        Ok(number) => Ok(Some(number)),
        Err(_) if number == -1 => Ok(None),
        Err(_) => Err(Refusal::bad(format!(
            "Negative {name} provided: {number}.\n"
        ))),
    }
}

/// Bytes as text. A character that the portion cuts is left to the next one, which a reader
/// begins where this one ended.
fn whole_text(bytes: &[u8], start: u64, size: u64) -> String {
    let more = start + (bytes.len() as u64) < size;
    let cut = match std::str::from_utf8(bytes) {
        Err(error) if more && error.error_len().is_none() && error.valid_up_to() > 0 => {
            error.valid_up_to()
        }
        _ => bytes.len(),
    };
    String::from_utf8_lossy(&bytes[..cut]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_or_refused_in_mesos_words() {
        let asked = |query: &str| Portion::asked(&Parameters::read(query));
        let all = Portion {
            offset: None,
            length: READ_BYTES_MAX,
        };
        assert_eq!(asked(""), Ok(all));
        assert_eq!(asked("offset=-1&length=-1"), Ok(all));
        let some = asked("offset=3&length=99999999").unwrap();
        assert_eq!((some.offset, some.length), (Some(3), READ_BYTES_MAX));
        let refused = |query: &str| asked(query).unwrap_err().text;
        assert_eq!(refused("offset=-2"), "Negative offset provided: -2.\n");
        let text = "Failed to parse length: Failed to convert 'x' to number.\n";
        assert_eq!(refused("length=x"), text);
    }

    #[test]
    fn a_character_that_is_cut_comes_with_the_next_portion() {
        let text = "aé".as_bytes();
        assert_eq!(whole_text(&text[..2], 0, 3), "a");
        assert_eq!(whole_text(&text[1..], 1, 3), "é");
        // At the end of the file there is no next one.
        assert_eq!(whole_text(&text[..2], 0, 2), "a\u{fffd}");
    }
}
