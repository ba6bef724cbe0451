//! Bodies of requests as JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tepui_fuzz::{Codec, bodies};
use tepui_runtime::mesos::json;
use tepui_runtime::mesos::reflect::Message;

struct Json;

impl Codec for Json {
    fn decode<M: Message>(bytes: &[u8]) -> Option<M> {
        json::decode(bytes).ok()
    }

    fn encode<M: Message>(message: &M) -> Vec<u8> {
        json::encode(message)
    }
}

fuzz_target!(|bytes: &[u8]| bodies::<Json>(bytes));
