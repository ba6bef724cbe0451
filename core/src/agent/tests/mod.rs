mod bench;
mod crashes;
mod executors;
mod recovery;
mod registration;
mod streams;
mod tasks;
mod world;
