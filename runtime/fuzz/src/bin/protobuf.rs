//! Bodies of requests as protobuf.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tepui_fuzz::{Codec, bodies};
use tepui_runtime::mesos::protobuf;
use tepui_runtime::mesos::reflect::Message;

struct Protobuf;

impl Codec for Protobuf {
    fn decode<M: Message>(bytes: &[u8]) -> Option<M> {
        protobuf::decode(bytes).ok()
    }

    fn encode<M: Message>(message: &M) -> Vec<u8> {
        protobuf::encode(message)
    }
}

fuzz_target!(|bytes: &[u8]| bodies::<Protobuf>(bytes));
