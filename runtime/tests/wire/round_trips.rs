//! What is written is read as what it was.

use crate::random;
use proptest::prelude::*;
use serde_json::Value;
use tepui_runtime::mesos::reflect::Message;
use tepui_runtime::mesos::v1::{self, agent, executor, master, scheduler};
use tepui_runtime::mesos::{json, protobuf};

fn check<M: Message>(seed: u64) {
    let message: M = random::message(seed);
    let bytes = protobuf::encode(&message);
    assert_eq!(protobuf::decode::<M>(&bytes).unwrap(), message);
    let text = json::encode(&message);
    let back: M = json::decode(&text).unwrap();
    // What is absent but has a meaning is written out, so it is there when it is read.
    let shown = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(shown(&json::encode(&back)), shown(&text));
    assert!(!text.contains(&b'\n'), "a record is one line");
    assert_eq!(
        json::decode::<M>(&protobuf_to_json::<M>(&bytes)).unwrap(),
        back
    );
    let list = [b"[", text.as_slice(), b",", text.as_slice(), b"]"].concat();
    assert_eq!(json::decode_list::<M>(&list).unwrap(), [back.clone(), back]);
}

/// The other codec's bytes, in JSON that stands in white space.
fn protobuf_to_json<M: Message>(bytes: &[u8]) -> Vec<u8> {
    let message: M = protobuf::decode(bytes).unwrap();
    let value: Value = serde_json::from_slice(&json::encode(&message)).unwrap();
    serde_json::to_vec_pretty(&value).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_the_scheduler_api(seed: u64) {
        check::<scheduler::Call>(seed);
        check::<scheduler::Event>(seed);
        check::<v1::TaskInfo>(seed);
    }

    #[test]
    fn of_the_executor_api(seed: u64) {
        check::<executor::Call>(seed);
        check::<executor::Event>(seed);
    }

    #[test]
    fn of_the_operator_api_of_masters(seed: u64) {
        check::<master::Call>(seed);
        check::<master::Response>(seed);
        check::<master::Event>(seed);
    }

    #[test]
    fn of_the_operator_api_of_agents(seed: u64) {
        check::<agent::Call>(seed);
        check::<agent::Response>(seed);
        check::<agent::ProcessIo>(seed);
        check::<v1::ResourceUsage>(seed);
    }
}

#[test]
fn fields_that_we_do_not_know_are_skipped() {
    let id = v1::TaskId {
        value: Some("t".to_owned()),
    };
    let known = protobuf::encode(&id);
    // A number, eight bytes, a text, four bytes, and a group that holds a group.
    let unknown: [&[u8]; 5] = [
        &[0x78, 0xff, 0x01],
        &[0x79, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x7a, 2, b'h', b'i'],
        &[0x7d, 1, 2, 3, 4],
        &[0x7b, 0x08, 1, 0x83, 0x01, 0x84, 0x01, 0x7c],
    ];
    for skipped in unknown {
        let both = [skipped, &known, skipped].concat();
        assert_eq!(protobuf::decode::<v1::TaskId>(&both).unwrap(), id);
    }
    // The right number, but of another type.
    let other = [&[0x08, 1], known.as_slice()].concat();
    assert_eq!(protobuf::decode::<v1::TaskId>(&other).unwrap(), id);
}

#[test]
fn what_is_written_twice_counts_as_protobuf_says() {
    let first = v1::Address {
        hostname: Some("a".to_owned()),
        port: Some(1),
        ip: None,
    };
    let second = v1::Address {
        hostname: Some("b".to_owned()),
        port: None,
        ip: Some("c".to_owned()),
    };
    let both = [protobuf::encode(&first), protobuf::encode(&second)].concat();
    let sum = v1::Address {
        port: Some(1),
        ..second
    };
    assert_eq!(protobuf::decode::<v1::Address>(&both).unwrap(), sum);
}

#[test]
fn packed_numbers_are_read_where_a_field_is_repeated() {
    let info: v1::health_check::HttpCheckInfo =
        protobuf::decode(&[0x08, 80, 0x22, 3, 0xc8, 0x01, 5, 0x20, 7]).unwrap();
    assert_eq!((info.port, info.statuses), (Some(80), vec![200, 5, 7]));
}

#[test]
fn an_enumeration_of_a_later_mesos_is_as_good_as_absent() {
    let call: scheduler::Call = protobuf::decode(&[0x10, 99]).unwrap();
    assert_eq!(call.r#type, None);
}

#[test]
fn a_message_without_a_required_field_is_refused() {
    let call = scheduler::Call {
        kill: Some(scheduler::call::Kill::default()),
        ..Default::default()
    };
    let bytes = protobuf::encode(&call);
    let error = protobuf::decode::<scheduler::Call>(&bytes);
    assert_eq!(error, Err(protobuf::ProtobufError::Missing));
}
