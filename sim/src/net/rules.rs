//! Scripted faults on single messages: the third accept from here to there is dropped, held or
//! late. Used where a scenario tells a story message by message.

use crate::kind;
use crate::node::NodeIndex;
use serde::Serialize;
use std::time::Duration;

/// What a rule does with a message that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// It is lost; a connection breaks with it.
    Drop,
    /// It comes this much later.
    Delay(Duration),
    /// It waits until the rule is released. Datagrams only.
    Hold,
    /// It comes twice. Datagrams only.
    Duplicate,
}

/// A scripted fault.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Whose messages; none for anybody's.
    pub from: Option<Vec<NodeIndex>>,
    /// Messages to whom; none for anybody.
    pub to: Option<Vec<NodeIndex>>,
    /// Which messages, by [`kind::matches`]; none for all.
    pub kind: Option<String>,
    /// So many are let through first.
    pub skip: u32,
    /// Then so many are hit; none for all.
    pub count: Option<u32>,
    /// What is done.
    pub action: RuleAction,
    /// By which a release finds it.
    pub name: Option<String>,
}

/// Names a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleKey(u32);

/// A message that a rule holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// From whom.
    pub from: NodeIndex,
    /// To whom.
    pub to: NodeIndex,
    /// What.
    pub payload: u32,
}

/// All rules that hold now.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<(RuleKey, Rule, Vec<Held>)>,
    last: u32,
}

impl Rules {
    /// Whether there is any: the one question on the path of every message.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds a rule after the others; the first that matches a message decides.
    pub fn add(&mut self, rule: Rule) -> RuleKey {
        self.last += 1;
        let key = RuleKey(self.last);
        self.rules.push((key, rule, Vec::new()));
        key
    }

    /// What is to be done with a message.
    pub fn judge<T: Serialize + ?Sized>(
        &mut self,
        from: NodeIndex,
        to: NodeIndex,
        message: &T,
    ) -> Option<(RuleKey, RuleAction)> {
        for (key, rule, _) in &mut self.rules {
            let named = |list: &Option<Vec<NodeIndex>>, node| {
                list.as_ref().is_none_or(|list| list.contains(&node))
            };
            if rule.count == Some(0) || !named(&rule.from, from) || !named(&rule.to, to) {
                continue;
            }
            if let Some(kind) = &rule.kind
                && !kind::matches(message, kind)
            {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(count) = &mut rule.count {
                *count -= 1;
            }
            return Some((*key, rule.action));
        }
        None
    }

    /// Keeps a message back.
    pub fn hold(&mut self, key: RuleKey, held: Held) {
        let found = self.rules.iter_mut().find(|(known, _, _)| *known == key);
        let (_, _, list) = found.expect("a rule that judged is there");
        list.push(held);
    }

    /// Ends a rule. What it held back is handed out.
    pub fn remove(&mut self, key: RuleKey) -> Vec<Held> {
        self.take(|known, _| known == key)
    }

    /// Ends all rules of a name.
    pub fn release(&mut self, name: &str) -> Vec<Held> {
        self.take(|_, rule| rule.name.as_deref() == Some(name))
    }

    /// Ends all rules.
    pub fn clear(&mut self) -> Vec<Held> {
        self.take(|_, _| true)
    }

    fn take(&mut self, chosen: impl Fn(RuleKey, &Rule) -> bool) -> Vec<Held> {
        let mut held = Vec::new();
        self.rules.retain_mut(|(key, rule, list)| {
            if chosen(*key, rule) {
                held.append(list);
                return false;
            }
            true
        });
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tepui_core::message::scheduler::Event;

    #[test]
    fn a_rule_skips_counts_and_then_lets_everything_pass() {
        let mut rules = Rules::default();
        rules.add(Rule {
            from: Some(vec![NodeIndex(0)]),
            to: None,
            kind: Some("heartbeat".into()),
            skip: 1,
            count: Some(1),
            action: RuleAction::Drop,
            name: None,
        });
        let mut judge = |from, event: Event| {
            rules
                .judge(NodeIndex(from), NodeIndex(9), &event)
                .map(|(_, action)| action)
        };
        assert_eq!(judge(0, Event::Heartbeat), None);
        assert_eq!(judge(1, Event::Heartbeat), None);
        assert_eq!(judge(0, Event::Offers(Vec::new())), None);
        assert_eq!(judge(0, Event::Heartbeat), Some(RuleAction::Drop));
        assert_eq!(judge(0, Event::Heartbeat), None);
    }
}
