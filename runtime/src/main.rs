//! The one binary, `tepui`.
fn main() {}
