//! Where tasks fit, and where they had better go.
//!
//! A [`Shape`] is what a task asks for, [`Free`] what a machine has left, [`Measure`] how much of
//! that is of no use to the tasks that usually come, and a [`Policy`] scores the machines on which
//! a task fits. The allocator orders agents by these scores, and the planner places tasks by them:
//! what is planned is what is done.

mod amounts;
mod classes;
mod free;
mod headroom;
mod measure;
mod mix;
mod outlook;
mod policy;
mod rank;
mod shape;

pub use classes::{Class, typical, typical_of};
pub use free::{Capacity, Devices, Free, GPUS_MAX, Kinds};
pub use headroom::{Lacks, on_machine, times};
pub use measure::Measure;
pub use mix::Mix;
pub use outlook::{Amounts, Outlook, Room, SHAPES_MAX};
pub use policy::{Policy, UnknownPolicy, best_devices};
pub use rank::Rank;
pub use shape::{Models, Shape, WHOLE_GPU_MILLI};
