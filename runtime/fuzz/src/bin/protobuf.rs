//! Bodies of requests as protobuf.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tepui_runtime::mesos::reflect::Message;
use tepui_runtime::mesos::v1::{agent, executor, master, scheduler};
use tepui_runtime::mesos::{convert, protobuf};

fn check<M: Message>(bytes: &[u8]) -> Option<M> {
    let message: M = protobuf::decode(bytes).ok()?;
    let written = protobuf::encode(&message);
    let back: M = protobuf::decode(&written).expect("what we write is what we read");
    // By bytes: a number that is none is not even equal to itself.
    assert_eq!(protobuf::encode(&back), written);
    Some(message)
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(call) = check::<scheduler::Call>(bytes) {
        let _ = convert::scheduler::call_to_core(&call);
    }
    if let Some(call) = check::<executor::Call>(bytes) {
        let _ = convert::executor::call_to_core(&call);
    }
    check::<master::Call>(bytes);
    check::<agent::Call>(bytes);
    check::<master::Response>(bytes);
});
