//! What HTTP clients and browsers depend on besides the API: connections that stay, files of the
//! web interface, compressed bodies, limits.

mod support;

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use support::{PATIENCE, Running, free_ports, http_json, tepui, until};

struct Master {
    address: String,
    _running: Running,
}

fn master(folder: &Path, flags: &[String]) -> Master {
    let port = free_ports(1)[0];
    let mut command = tepui();
    command
        .arg("master")
        .arg(format!("--port={port}"))
        .arg(format!("--work_dir={}", folder.join("work").display()))
        .args(flags);
    let running = Running::start(&mut command, &folder.join("master.log"));
    let address = format!("127.0.0.1:{port}");
    until("the master leads", || {
        let metrics = http_json(&address, "/metrics/snapshot")?;
        (metrics["master/elected"] == 1.0).then_some(())
    });
    Master {
        address,
        _running: running,
    }
}

/// A connection that is kept.
struct Connection(BufReader<TcpStream>);

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Connection {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        self.send(head.as_bytes());
        self.send(body);
        self.answer()
    }

    fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "cut off: {head}");
        }
        let head = head.to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body,
        }
    }
}

#[test]
fn the_web_interface_is_served_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let webui = folder.path().join("webui");
    for (file, text) in [
        ("index.html", "<html>"),
        ("app/shared/pailer.html", "<pre>"),
        ("assets/libs/a.js", "a()"),
        ("secret", "x"),
    ] {
        let file = webui.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let flag = format!("--webui_dir={}", webui.display());
    let master = master(folder.path(), &[flag]);
    let mut connection = Connection::open(&master.address);
    for (path, text, kind) in [
        ("/", "<html>", "text/html"),
        ("/master/", "<html>", "text/html"),
        ("/app/shared/pailer.html", "<pre>", "text/html"),
        ("/assets/libs/a.js", "a()", "text/javascript"),
        ("/master/assets/libs/a.js", "a()", "text/javascript"),
    ] {
        let answer = connection.get(path);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (200, text.as_bytes()),
            "{path}"
        );
        assert!(
            answer.head.contains(&format!("content-type: {kind}")),
            "{}",
            answer.head
        );
    }
    for path in [
        "/secret",
        "/app/../secret",
        "/app/%2e%2e/secret",
        "/assets",
        "/app/none",
    ] {
        assert_eq!(connection.get(path).status, 404, "{path}");
    }
}

#[test]
fn connections_that_wait_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let master = master(folder.path(), &[]);
    let mut used = Connection::open(&master.address);
    assert_eq!(used.get("/version").status, 200);
    let mut reserve = Connection::open(&master.address);
    // Longer than a node may take to introduce itself.
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(used.get("/version").status, 200);
    assert_eq!(reserve.get("/version").status, 200);
}

#[test]
fn bodies_may_be_compressed_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let master = master(folder.path(), &[]);
    let mut connection = Connection::open(&master.address);
    let plain = connection.get("/master/state");
    let answer = connection.ask("GET", "/master/state", "Accept-Encoding: gzip\r\n", b"");
    assert!(
        answer.head.contains("content-encoding: gzip"),
        "{}",
        answer.head
    );
    assert!(answer.body.len() < plain.body.len());
    let mut text = Vec::new();
    GzDecoder::new(&answer.body[..])
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, plain.body);

    let mut call = GzEncoder::new(Vec::new(), flate2::Compression::default());
    call.write_all(br#"{"type":"GET_HEALTH"}"#).unwrap();
    let headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let answer = connection.ask("POST", "/api/v1", headers, &call.finish().unwrap());
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

#[test]
fn limits_are_flags() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--max_request_bytes=1000",
        "--max_request_head_bytes=8192",
        "--max_http_connections=4",
    ];
    let master = master(folder.path(), &flags.map(String::from));
    // Idle connections make room for new ones.
    let mut idle: Vec<Connection> = Vec::new();
    for _ in 0..20 {
        idle.push(Connection::open(&master.address));
        let last = idle.last_mut().unwrap();
        assert_eq!(last.get("/version").status, 200);
    }
    let mut end = Vec::new();
    let first = idle[0].0.get_mut().read_to_end(&mut end);
    assert!(
        matches!(first, Ok(0)) || first.is_err(),
        "the first had to go"
    );
    let mut connection = Connection::open(&master.address);
    let json = "Content-Type: application/json\r\n";
    let answer = connection.ask("POST", "/api/v1", json, &[b' '; 1_001]);
    assert_eq!(answer.status, 413);
    let mut connection = Connection::open(&master.address);
    let long = format!("X-Long: {}\r\n", "a".repeat(9_000));
    assert_eq!(connection.ask("GET", "/version", &long, b"").status, 431);
}
