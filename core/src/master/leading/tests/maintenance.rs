//! The schedule of maintenance in clusters of more than one agent.

use super::harness::*;
use super::operator::{DONE, schedule};
use crate::master::leading::Config;

#[test]
fn agents_of_the_schedule_are_looked_at_in_turn() {
    let mut harness = Harness::new(&Config::default());
    for from in 1..=3 {
        harness.register(from);
    }
    assert_eq!(harness.operator(schedule("host")), DONE);
    let inverse = &mut harness.leading.operator.inverse;
    let all = inverse.next_due(10);
    assert_eq!(all.len(), 3, "each once");
    let [a, b, c] = all[..] else { unreachable!() };
    assert_eq!(inverse.next_due(2), [a, b]);
    assert_eq!(inverse.next_due(2), [c, a]);
    assert_eq!(inverse.next_due(2), [b, c]);
}
