//! What travels between Mesos' clients and us, without anything that runs.

mod captures;
mod damage;
mod random;
mod round_trips;

#[path = "../support/golden.rs"]
#[allow(dead_code)]
mod golden;
