//! Turns results into tables, plots and pages that people can read.
//!
//! Benchmarks, swarms and failover runs leave JSON behind; a report reads it, sets it beside its
//! measured limit or peer, and writes Markdown, SVG, PNG and one self-contained HTML page into
//! `reports/published/`. Every report carries the commit, the machine and the command that made
//! it; nothing in it is typed by hand.

pub mod commands;
pub mod criterion;
pub mod page;
pub mod profile;
pub mod provenance;

pub use page::Report;
pub use provenance::Provenance;
