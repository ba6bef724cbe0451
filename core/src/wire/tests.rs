use super::*;
use alloc::vec;

#[test]
fn what_is_encoded_is_decoded() {
    let value = (7_u32, vec![1_u8, 2, 3], String::from("x"));
    assert_eq!(decode::<(u32, Vec<u8>, String)>(&encode(&value)), Ok(value));
}

#[test]
fn every_cut_of_an_envelope_is_refused() {
    let bytes = encode(&(7_u32, vec![1_u8, 2, 3]));
    for end in 0..bytes.len() {
        assert!(
            decode::<(u32, Vec<u8>)>(&bytes[..end]).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn another_version_says_what_to_do() {
    let mut bytes = encode(&1_u8);
    bytes[0] = 9;
    let error = decode::<u8>(&bytes).unwrap_err();
    assert_eq!(error, DecodeError::Version { found: 9 });
    assert!(error.to_string().contains("upgrade"));
}

#[test]
fn bytes_after_the_message_are_refused() {
    let mut bytes = encode(&1_u8);
    bytes.push(0);
    assert_eq!(decode::<u8>(&bytes), Err(DecodeError::Trailing(1)));
}
