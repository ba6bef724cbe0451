//! What the targets share.

use tepui_runtime::mesos::convert;
use tepui_runtime::mesos::reflect::Message;
use tepui_runtime::mesos::v1::{agent, executor, master, scheduler};

/// A way to write messages.
pub trait Codec {
    /// Reads one, if it is one.
    fn decode<M: Message>(bytes: &[u8]) -> Option<M>;
    /// Writes one.
    fn encode<M: Message>(message: &M) -> Vec<u8>;
}

/// Reads bytes as every body that comes from outside.
pub fn bodies<C: Codec>(bytes: &[u8]) {
    if let Some(call) = check::<C, scheduler::Call>(bytes) {
        let _ = convert::scheduler::call_to_core(&call);
    }
    if let Some(call) = check::<C, executor::Call>(bytes) {
        let _ = convert::executor::call_to_core(&call);
    }
    check::<C, master::Call>(bytes);
    check::<C, agent::Call>(bytes);
    check::<C, master::Response>(bytes);
}

fn check<C: Codec, M: Message>(bytes: &[u8]) -> Option<M> {
    let message: M = C::decode(bytes)?;
    let written = C::encode(&message);
    let back: M = C::decode(&written).expect("what we write is what we read");
    // By bytes: a number that is none is not even equal to itself.
    assert_eq!(C::encode(&back), written);
    Some(message)
}
