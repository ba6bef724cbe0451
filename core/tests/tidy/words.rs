//! Words that must not be there, each with what to write instead.

/// Banned in the core, where nothing may depend on the machine that it runs on.
const IMPURE: [(&str, &str); 9] = [
    ("HashMap", "hash order must never decide anything: BTreeMap"),
    ("HashSet", "hash order must never decide anything: BTreeSet"),
    ("Instant", "time is an input: tepui_core::time::Time"),
    ("SystemTime", "time is an input: tepui_core::time::Wall"),
    (
        "thread_rng",
        "randomness is a named stream: tepui_core::rng::Rng",
    ),
    ("new_v4", "ids are drawn from the machine's own stream"),
    (
        "std::",
        "core:: or alloc::, so that the core builds without an operating system",
    ),
    (".unwrap()", "expect(\"why this holds\"), or an error"),
    ("anyhow", "a thiserror enum for each entry point"),
];

/// Findings in the parts of a file that are neither comments, strings nor tests: line number and
/// what to do.
pub fn impure(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, code) in code(text) {
        for (word, instead) in IMPURE {
            if holds_word(&code, word) {
                found.push((line, format!("`{word}`: {instead}")));
            }
        }
    }
    found
}

/// Marks of work that was not done, and of the machine that it was done on.
pub fn unfinished(text: &str) -> Vec<(usize, String)> {
    let words = [
        (concat!("FIX", "ME"), "mend it, or open an issue"),
        (concat!("TO", "DO"), "do it, or open an issue"),
        (concat!("XX", "X"), "mend it, or open an issue"),
        (concat!("todo", "!("), "do it"),
        (concat!("unimple", "mented!("), "do it"),
        (concat!("dbg", "!("), "a Notice, or nothing"),
    ];
    let mut found = local(text);
    for (index, line) in text.lines().enumerate() {
        for (word, instead) in words {
            if holds_word(line, word) {
                found.push((index + 1, format!("`{word}`: {instead}")));
            }
        }
    }
    found
}

/// Paths of the machine on which something was written.
pub fn local(text: &str) -> Vec<(usize, String)> {
    let paths = [
        concat!("/tm", "p/h/"),
        concat!("/wor", "k/"),
        concat!("/ro", "ot/"),
    ];
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let path = paths.iter().find(|path| line.contains(*path))?;
            Some((index + 1, format!("`{path}`: nobody else has this folder")))
        })
        .collect()
}

/// Whether `line` holds `word`, not as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let begins = word.starts_with(is_part);
    let ends = word.ends_with(is_part);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let longer = begins && before.is_some_and(is_part) || ends && after.is_some_and(is_part);
        !longer
    })
}

/// The numbered lines that are code: comments and the insides of strings cut out, test modules
/// left out.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut test_indent: Option<usize> = None;
    let mut cfg_test = false;
    for (index, line) in text.lines().enumerate() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if let Some(outer) = test_indent {
            if indent == outer && content.starts_with('}') {
                test_indent = None;
            }
            continue;
        }
        if cfg_test {
            if content.ends_with('{') {
                test_indent = Some(indent);
            }
            // Further attributes may stand before what is under test only.
            cfg_test = content.starts_with("#[");
            continue;
        }
        if content.starts_with("#[cfg(test)]") {
            cfg_test = true;
            continue;
        }
        lines.push((index + 1, without_text(content)));
    }
    lines
}

/// The line without comment and without the insides of its strings.
fn without_text(line: &str) -> String {
    let mut out = String::new();
    let mut in_string = false;
    let mut escaped = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                in_string = false;
                out.push(c);
            }
        } else if c == '/' && chars.peek() == Some(&'/') {
            break;
        } else {
            in_string = c == '"';
            out.push(c);
        }
    }
    out
}

#[test]
fn comments_strings_and_tests_are_left_alone() {
    let text = "use std::fmt; // HashMap\nlet a = \"HashSet \\\" Instant\"; x.unwrap();\n\
                #[cfg(test)]\nmod tests {\n    use std::vec;\n}\nlet b: InstantLike = HashMap;\n\
                #[cfg(test)]\nextern crate std;\nuse std::a;\n";
    let found: Vec<usize> = impure(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(found, [1, 2, 7, 10]);
}

#[test]
fn marks_and_paths_are_found() {
    let marks = [
        concat!("FIX", "ME"),
        concat!("/tm", "p/h/"),
        concat!("TO", "DO"),
    ];
    let text = format!(
        "// {}: x\nlet path = \"{}x\";\nsomething{}ed\n",
        marks[0], marks[1], marks[2]
    );
    let found = unfinished(&text);
    let found: Vec<usize> = found.into_iter().map(|(line, _)| line).collect();
    assert_eq!(found, [2, 1]);
}
