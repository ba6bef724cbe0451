//! Criterion benchmarks beside their measured limits and peers.
