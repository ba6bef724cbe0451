//! Ends containers' trees, many with one look at `/proc`.
//!
//! A look costs as much as the host has processes. Were every container to look for itself, a
//! thousand that end together would look at a thousand processes each. So one thread looks for
//! all that wait, and rests between two looks for longer than one took.

use super::proc_fs::Process;
use super::tree::{Look, Tree, adopters};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often a tree is looked for before it is given up: a fork bomb can outrun this.
const ROUNDS_MAX: usize = 400;

/// The shortest rest between two looks, so that the killed have time to go.
const REST_MIN: Duration = Duration::from_millis(2);

/// How many times longer than a look the rest after it is.
const REST_FACTOR: u32 = 3;

/// A tree that is to end.
struct Doomed {
    tree: Tree,
    rounds: usize,
    done: oneshot::Sender<Result<(), String>>,
}

/// Kills all of `tree` and returns when nothing is left of it but zombies.
///
/// # Errors
/// Says how many processes could not be killed, or why nobody could look for them.
pub async fn kill(tree: Tree) -> Result<(), String> {
    static QUEUE: OnceLock<mpsc::Sender<Doomed>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (queue, doomed) = mpsc::channel();
        let started = thread::Builder::new().name(String::from("sweeper"));
        if let Err(error) = started.spawn(move || sweep(&doomed)) {
            tracing::error!(%error, "cannot start the thread that ends containers");
        }
        queue
    });
    let (done, result) = oneshot::channel();
    let doomed = Doomed {
        tree,
        rounds: 0,
        done,
    };
    let gone = || String::from("the thread that ends containers is gone");
    queue.send(doomed).map_err(|_| gone())?;
    result.await.map_err(|_| gone())?
}

fn sweep(queue: &mpsc::Receiver<Doomed>) {
    let mut waiting: Vec<Doomed> = Vec::new();
    loop {
        if waiting.is_empty() {
            match queue.recv() {
                Ok(first) => waiting.push(first),
                Err(_) => return,
            }
        }
        waiting.extend(queue.try_iter());
        let began = Instant::now();
        waiting = match Process::all() {
            Ok(all) => sweep_once(waiting, all),
            Err(error) => {
                for doomed in waiting {
                    end(doomed, Err(format!("cannot read /proc: {error}")));
                }
                Vec::new()
            }
        };
        thread::sleep(REST_MIN.max(began.elapsed() * REST_FACTOR));
    }
}

/// Kills what is there of each tree; returns those of which something was.
fn sweep_once(waiting: Vec<Doomed>, all: Vec<Process>) -> Vec<Doomed> {
    let mut look = Look::new(all, &adopters(std::process::id()));
    let mut left = Vec::new();
    for mut doomed in waiting {
        let killed = look.kill(&doomed.tree);
        doomed.rounds += 1;
        if killed == 0 {
            end(doomed, Ok(()));
        } else if doomed.rounds < ROUNDS_MAX {
            left.push(doomed);
        } else {
            end(
                doomed,
                Err(format!("{killed} processes could not be killed")),
            );
        }
    }
    left
}

fn end(doomed: Doomed, result: Result<(), String>) {
    // Whoever asked may be gone meanwhile.
    let _ = doomed.done.send(result);
}
