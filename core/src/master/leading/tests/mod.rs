//! One behaviour a test: input in, effects out. After every input every invariant is checked.

mod agents;
mod calls;
mod capabilities;
mod draining;
mod frameworks;
mod harness;
mod launches;
mod limits;
mod maintenance;
mod offers;
mod operations;
mod operator;
mod properties;
mod reconcile;
mod returning;
mod steps;
mod tasks;
