//! Where tasks fit, and where they had better go.
//!
//! A [`Shape`] is what a task asks for, [`Free`] what a machine has left, [`Measure`] how much of
//! that is of no use to the tasks that usually come, and a [`Policy`] scores the machines on which
//! a task fits. The allocator orders agents by these scores, and the planner places tasks by them:
//! what is planned is what is done.

mod classes;
mod free;
mod measure;
mod policy;
mod shape;

pub use classes::{Class, typical};
pub use free::{Capacity, Devices, Free, GPUS_MAX, Kinds};
pub use measure::Measure;
pub use policy::{Policy, UnknownPolicy, best_devices};
pub use shape::{Models, Shape, WHOLE_GPU_MILLI};
