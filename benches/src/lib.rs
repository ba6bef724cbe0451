//! Criterion benchmarks beside their measured limits and peers.

pub mod allocation;
