//! What the tests with real processes share. Not every test uses all of it.
#![allow(dead_code)]

pub mod client;
pub mod fake_master;
pub mod framework;
pub mod golden;
pub mod outcomes;
pub mod pair;
pub mod table;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Generous: the host may be busy with something else.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Different ports that nobody listens on now.
pub fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners: Vec<_> = (0..count).map(bind).collect();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    listeners.iter().map(port).collect()
}

/// The binary under test.
pub fn tepui() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tepui"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TEPUI_") {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A process of ours that does not outlive its test.
#[derive(Debug)]
pub struct Running {
    pub child: Child,
    pub log: PathBuf,
}

impl Running {
    /// Starts `command`, with its standard error in `log`.
    pub fn start(command: &mut Command, log: &Path) -> Running {
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let child = command.stderr(file).spawn().unwrap();
        Running {
            child,
            log: log.to_owned(),
        }
    }

    /// SIGKILL, and wait until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits for its end, and says how it ended.
    pub fn wait(&mut self) -> i32 {
        let status = until("the process ends", || self.child.try_wait().unwrap());
        status.code().unwrap_or(-1)
    }

    /// What it logged.
    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} ---\n{}", self.log.display(), self.log_text());
        }
    }
}

/// Asks again and again until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Every living process that has `text` in its command line or environment.
pub fn processes_with(text: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let (line, environment) = (read("cmdline"), read("environ"));
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        if pid != std::process::id() && (has(&line) || has(&environment)) {
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push((pid, line));
        }
    }
    found
}

/// The children of `pid` that are over and that nobody has waited for.
pub fn zombies_of(pid: u32) -> Vec<u32> {
    let all = tepui_runtime::container::proc_fs::Process::all().unwrap();
    let zombies = all.iter().filter(|p| p.parent == pid && p.zombie);
    zombies.map(|p| p.pid).collect()
}

/// The body of `http://address/path`, or nothing while nobody answers with 200.
pub fn http_get(address: &str, path: &str) -> Option<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(tepui_runtime::http::client::get(address, path));
    let answer = answer.ok()?;
    answer.status.is_success().then(|| answer.body.to_vec())
}

/// As [`http_get`], read as JSON.
pub fn http_json(address: &str, path: &str) -> Option<serde_json::Value> {
    serde_json::from_slice(&http_get(address, path)?).ok()
}

/// A folder of facts that lie beside this repository (`TEPUI_SHARED`, or `../shared`); says so
/// where they are missing.
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TEPUI_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no {}", folder.display());
    None
}

/// Ports in a row that nobody listens on now. Tests run at once: each takes a stretch of its own.
pub fn free_stretch(count: u16) -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = 20_000 + (std::process::id() % 1_000) as u16 * 20;
    (0..1_000)
        .map(|_| start + NEXT.fetch_add(count, Ordering::Relaxed) % 12_000)
        .find(|first| (*first..*first + count).all(free))
        .expect("a stretch of ports is free")
}
