mod bench;
mod executors;
mod recovery;
mod registration;
mod streams;
mod tasks;
