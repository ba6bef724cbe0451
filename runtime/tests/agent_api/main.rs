//! What a real agent answers over HTTP, under a master that the test plays.

#[path = "../support/mod.rs"]
mod support;

mod executors;

use std::path::Path;
use support::{PATIENCE, Running, free_ports, tepui};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A running agent.
struct Agent {
    _running: Running,
    port: u16,
}

impl Agent {
    fn start(master: &str, folder: &Path) -> Agent {
        Agent::start_on(master, folder, free_ports(1)[0])
    }

    fn start_on(master: &str, folder: &Path, port: u16) -> Agent {
        let mut command = tepui();
        command
            .arg("agent")
            .arg(format!("--master={master}"))
            .arg(format!("--port={port}"))
            .arg(format!("--work_dir={}", folder.join("agent").display()))
            .arg("--resources=cpus:4;mem:1024;disk:1024;ports:[31000-32000]")
            .arg("--attributes=rack:r1;zone:a")
            .arg("--logging_level=DEBUG");
        Agent {
            _running: Running::start(&mut command, &folder.join("agent.log")),
            port,
        }
    }

    /// Connects, again as long as the agent does not listen yet.
    async fn connect(&self) -> Connection {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", self.port)).await {
                Ok(stream) => break stream,
                Err(error) if tokio::time::Instant::now() > deadline => panic!("{error}"),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        };
        Connection {
            stream: BufReader::new(stream),
        }
    }

    /// One request and the whole answer to it.
    async fn ask(&self, request: &Request<'_>) -> Answer {
        let mut connection = self.connect().await;
        connection.say(request).await;
        let mut answer = connection.head().await;
        answer.body = match answer.header("content-length") {
            Some(length) => {
                let mut body = vec![0; length.parse().unwrap()];
                connection.stream.read_exact(&mut body).await.unwrap();
                body
            }
            None => {
                let mut body = Vec::new();
                while let Some(chunk) = connection.chunk().await {
                    body.extend(chunk);
                }
                body
            }
        };
        answer
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(&Request {
            method: "POST",
            path,
            headers: &[("Content-Type", "application/json")],
            body,
        })
        .await
    }
}

/// A request.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection.
struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    async fn say(&mut self, request: &Request<'_>) {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: x\r\n",
            request.method, request.path
        );
        for (name, value) in request.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!(
            "Content-Length: {}\r\n\r\n{}",
            request.body.len(),
            request.body
        );
        self.stream.write_all(head.as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn head(&mut self) -> Answer {
        let status = self.line().await;
        let status = status
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .parse()
            .unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        Answer {
            status,
            headers,
            body: Vec::new(),
        }
    }

    /// The next chunk; none at the end.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(&self.line().await, 16).ok()?;
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(length);
        (length > 0).then_some(chunk)
    }

    /// The next record, which is a chunk of its own.
    async fn record(&mut self) -> Option<serde_json::Value> {
        let chunk = self.chunk().await?;
        let at = chunk.iter().position(|byte| *byte == b'\n').unwrap();
        let length: usize = std::str::from_utf8(&chunk[..at]).unwrap().parse().unwrap();
        assert_eq!(chunk.len() - at - 1, length, "one record in one chunk");
        Some(serde_json::from_slice(&chunk[at + 1..]).unwrap())
    }
}
