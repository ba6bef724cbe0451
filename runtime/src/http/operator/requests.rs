//! Operators that wait for the node to answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tepui_core::message::operator::{Answer, Refusal, RequestId};
use tokio::sync::oneshot;

/// What the node says to a request.
pub type Outcome = Result<Answer, Refusal>;

/// How many may wait at once.
const WAITING_MAX: usize = 1_024;

/// Requests that the node has not answered yet.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    waiting: HashMap<RequestId, oneshot::Sender<Outcome>>,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code under this lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request that is to be answered. `None` while too many wait.
    #[must_use]
    pub fn expect_answer(&self) -> Option<Expected> {
        let mut lock = self.lock();
        if lock.waiting.len() >= WAITING_MAX {
            return None;
        }
        lock.next += 1;
        let id = RequestId(lock.next);
        let (answer, answered) = oneshot::channel();
        lock.waiting.insert(id, answer);
        Some(Expected {
            id,
            answered,
            requests: self.clone(),
        })
    }

    /// The node answers. Whoever asked may have gone away meanwhile.
    pub fn answer(&self, id: RequestId, outcome: Outcome) {
        if let Some(answer) = self.lock().waiting.remove(&id) {
            let _ = answer.send(outcome);
        }
    }
}

/// One request that waits; it no longer does once this is dropped.
#[derive(Debug)]
pub struct Expected {
    /// Names it.
    pub id: RequestId,
    answered: oneshot::Receiver<Outcome>,
    requests: Requests,
}

impl Expected {
    /// The answer. `None` when the node ended before.
    pub async fn answered(&mut self) -> Option<Outcome> {
        (&mut self.answered).await.ok()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.requests.lock().waiting.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_finds_whoever_waits_and_nobody_else() {
        let requests = Requests::default();
        let mut first = requests.expect_answer().unwrap();
        let second = requests.expect_answer().unwrap();
        assert_ne!(first.id, second.id);
        requests.answer(first.id, Ok(Answer::Done));
        assert_eq!(first.answered().await, Some(Ok(Answer::Done)));
        let id = second.id;
        drop(second);
        requests.answer(id, Ok(Answer::Done));
        assert!(requests.lock().waiting.is_empty());
    }

    #[test]
    fn those_who_wait_are_bounded() {
        let requests = Requests::default();
        let all: Vec<_> = (0..WAITING_MAX).map(|_| requests.expect_answer()).collect();
        assert!(all.iter().all(Option::is_some));
        assert!(requests.expect_answer().is_none());
        drop(all);
        assert!(requests.expect_answer().is_some());
    }
}
