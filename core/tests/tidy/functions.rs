//! How long functions are. Sources are formatted, so a function ends at the first brace that
//! stands where its line began.

/// Name and number of lines of each function that has a body.
pub fn lengths(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut lengths = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = name(line) else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let end = lines[start..].iter().position(|line| {
            let content = line.trim_start();
            line.len() - content.len() == indent
                && (content == "}" || content.ends_with(';') || content.ends_with('}'))
        });
        if let Some(end) = end {
            lengths.push((name, end + 1));
        }
    }
    lengths
}

/// The name of the function that begins on this line.
fn name(line: &str) -> Option<String> {
    let mut words = line.trim_start();
    loop {
        let (word, rest) = words.split_once(' ')?;
        let modifier = word.starts_with("pub")
            || ["const", "async", "unsafe", "extern", "\"C\""].contains(&word);
        if word == "fn" {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
            return Some(rest[..end].to_string());
        }
        if !modifier {
            return None;
        }
        words = rest;
    }
}

#[test]
fn lengths_count_signature_and_braces() {
    let text = [
        "impl X {",
        "    pub(super) const fn a(",
        "        &self,",
        "    ) -> u8 {",
        "        1",
        "    }",
        "",
        "    fn b();",
        "}",
        "fn c() {}",
        "let f = fn_like();",
    ];
    let expected = [("a", 5), ("b", 1), ("c", 1)].map(|(n, l)| (n.to_string(), l));
    assert_eq!(lengths(&text.join("\n")), expected);
}
