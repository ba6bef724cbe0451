use super::*;
use crate::log::fetch::Fetch;
use crate::log::message::SnapshotChunk;

fn chunk(through: u64, offset: u64, total: u64, bytes: &[u8]) -> SnapshotChunk {
    SnapshotChunk {
        through: Position(through),
        membership: membership(3),
        offset,
        total_bytes: total,
        bytes: bytes.to_vec(),
    }
}

#[test]
fn the_next_piece_is_asked_of_whoever_answers() {
    let config = config(3);
    let mut around = Around::new();
    let mut fetch = Fetch::default();
    fetch.drive(Position(4), &config, &mut around.out());
    assert_eq!(around.sent(), [], "nothing lacks");
    fetch.want(PEER, Position(9));
    fetch.know(OTHER, Position(8));
    fetch.drive(Position(4), &config, &mut around.out());
    fetch.drive(Position(4), &config, &mut around.out());
    let ask = |first| Message::Fetch {
        first: Position(first),
    };
    assert_eq!(around.sent(), [(PEER, ask(5))], "one question at a time");
    around.now = fetch.retry_at().unwrap();
    fetch.drive(Position(4), &config, &mut around.out());
    assert_eq!(
        around.sent(),
        [(OTHER, ask(5))],
        "the silent one is passed over"
    );
    assert!(
        !fetch.on_answer(PEER, Position(9)),
        "too late to be awaited"
    );
    assert!(fetch.on_answer(OTHER, Position(8)));
    fetch.drive(Position(8), &config, &mut around.out());
    assert_eq!(around.sent(), [(PEER, ask(9))]);
    assert!(fetch.on_answer(PEER, Position(9)));
    fetch.drive(Position(9), &config, &mut around.out());
    let caught_up = Notice::CaughtUp {
        through: Position(9),
    };
    assert!(is_notice(&around.fx.as_slice()[0], &caught_up));
    assert!(!fetch.is_active() && fetch.retry_at().is_none());
}

#[test]
fn a_peer_that_lost_what_it_had_is_not_asked_for_ever() {
    let config = config(3);
    let mut around = Around::new();
    let mut fetch = Fetch::default();
    fetch.want(PEER, Position(9));
    fetch.drive(Position(4), &config, &mut around.out());
    assert!(fetch.on_answer(PEER, Position(2)));
    around.sent();
    fetch.drive(Position(4), &config, &mut around.out());
    assert_eq!(around.sent(), []);
    assert_eq!(fetch.retry_at(), None);
}

#[test]
fn a_snapshot_is_put_together_from_its_pieces_in_order() {
    let config = config(3);
    let mut around = Around::new();
    let mut fetch = Fetch::default();
    fetch.want(PEER, Position(900));
    let mut out = around.out();
    fetch.drive(Position(4), &config, &mut out);
    assert!(fetch.on_answer(PEER, Position(900)));
    fetch.on_truncated(PEER, Position(800), &config, &mut out);
    let none = |fetch: &mut Fetch, from, piece: SnapshotChunk, out: &mut Out<'_>| {
        assert_eq!(fetch.on_chunk(from, &piece, &config, out), None);
    };
    none(&mut fetch, OTHER, chunk(800, 0, 5, b"xx"), &mut out);
    none(&mut fetch, PEER, chunk(800, 0, 5, b"ab"), &mut out);
    none(&mut fetch, PEER, chunk(800, 0, 5, b"ab"), &mut out);
    none(&mut fetch, PEER, chunk(800, 3, 5, b"d"), &mut out);
    none(&mut fetch, PEER, chunk(800, 2, 9, b"cd"), &mut out);
    none(&mut fetch, PEER, chunk(800, 2, 5, b"cdef"), &mut out);
    none(&mut fetch, PEER, chunk(800, 2, 5, b""), &mut out);
    // The peer has taken another snapshot meanwhile: it begins anew.
    none(&mut fetch, PEER, chunk(850, 0, 4, b"AB"), &mut out);
    none(&mut fetch, PEER, chunk(800, 2, 5, b"cde"), &mut out);
    let whole = fetch.on_chunk(PEER, &chunk(850, 2, 4, b"CD"), &config, &mut out);
    let whole = whole.expect("the last piece");
    assert_eq!(
        (whole.through, &whole.state[..]),
        (Position(850), &b"ABCD"[..])
    );
    let huge = chunk(900, 0, config.snapshot_bytes_max + 1, b"x");
    none(&mut fetch, PEER, huge, &mut out);
}
