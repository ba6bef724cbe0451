//! Criterion benchmarks beside their measured limits and peers.

pub mod allocation;
pub mod sim_speed;
