//! Whatever comes in, nothing panics and nothing grows without bound.

use crate::random;
use proptest::prelude::*;
use tepui_runtime::mesos::limits::DEPTH_MAX;
use tepui_runtime::mesos::protobuf::ProtobufError;
use tepui_runtime::mesos::recordio::Decoder;
use tepui_runtime::mesos::v1::{ContainerId, agent, executor, master, scheduler};
use tepui_runtime::mesos::{convert, json, protobuf};

fn read_as_everything(bytes: &[u8]) {
    let _ = protobuf::decode::<executor::Call>(bytes);
    let _ = protobuf::decode::<master::Call>(bytes);
    let _ = protobuf::decode::<agent::Call>(bytes);
    let _ = json::decode::<master::Call>(bytes);
    let _ = json::decode_list::<master::Call>(bytes);
    for call in [
        protobuf::decode::<scheduler::Call>(bytes).ok(),
        json::decode::<scheduler::Call>(bytes).ok(),
    ] {
        let _ = call.map(|call| convert::scheduler::call_to_core(&call));
    }
    let call = protobuf::decode::<executor::Call>(bytes);
    let _ = call.map(|call| convert::executor::call_to_core(&call));
}

fn damaged(mut bytes: Vec<u8>, at: usize, with: u8, cut: bool) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let at = at % bytes.len();
    match cut {
        true => bytes.truncate(at),
        false => bytes[at] = with,
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_that_are_nothing(bytes: Vec<u8>) {
        read_as_everything(&bytes);
        let mut decoder = Decoder::new(1024);
        let _ = decoder.decode(&bytes);
    }

    #[test]
    fn messages_that_were_damaged(seed: u64, at: usize, with: u8, cut: bool) {
        let call: scheduler::Call = random::message(seed);
        read_as_everything(&damaged(protobuf::encode(&call), at, with, cut));
        read_as_everything(&damaged(json::encode(&call), at, with, cut));
    }

    #[test]
    fn random_calls_mean_something_or_are_refused(seed: u64) {
        let _ = convert::scheduler::call_to_core(&random::message(seed));
        let _ = convert::executor::call_to_core(&random::message(seed));
        let _ = convert::agent::to_core(&random::message(seed));
    }
}

#[test]
fn messages_in_messages_end_somewhere() {
    let mut bytes = vec![0x0a, 1, b'c'];
    for _ in 0..=DEPTH_MAX {
        let inner = bytes;
        bytes = vec![0x0a, 1, b'c', 0x12];
        let mut length = inner.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(inner);
    }
    let deep = protobuf::decode::<ContainerId>(&bytes);
    assert_eq!(deep, Err(ProtobufError::Deep));
    let groups = [0x7b; 1_000_000];
    assert_eq!(
        protobuf::decode::<ContainerId>(&groups),
        Err(ProtobufError::Deep)
    );
    let text = "{\"parent\":".repeat(100_000);
    assert!(json::decode::<ContainerId>(text.as_bytes()).is_err());
}

#[test]
fn small_bodies_do_not_become_large_messages() {
    // Two bytes each on the wire, hundreds in memory.
    let empty = [0x0a, 0x00].repeat(4 << 20);
    let launch = protobuf::decode::<tepui_runtime::mesos::v1::TaskGroupInfo>(&empty);
    assert_eq!(launch, Err(ProtobufError::Large));
    let text = format!("{{\"tasks\":[{}{{}}]}}", "{},".repeat(4 << 20));
    let launch = json::decode::<tepui_runtime::mesos::v1::TaskGroupInfo>(text.as_bytes());
    assert!(launch.unwrap_err().to_string().contains("memory"));
}
