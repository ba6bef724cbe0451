//! HTTP as a scheduler or an executor speaks it, with as little between it and the socket as can
//! be: the driver must not be what is measured.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// What a connection to one path of the API needs.
#[derive(Clone, Debug)]
pub struct Place {
    /// `host:port`.
    pub address: String,
    /// The path.
    pub path: String,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its status.
    pub status: u16,
    /// The subscription's name.
    pub stream_id: Option<String>,
    length: usize,
}

fn connect(place: &Place) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(&place.address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn request(place: &Place, stream_id: Option<&str>, body: &[u8], out: &mut Vec<u8>) {
    let Place { address, path } = place;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Accept: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    out.extend_from_slice(head.as_bytes());
    if let Some(id) = stream_id {
        out.extend_from_slice(b"Mesos-Stream-Id: ");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn head(reader: &mut impl BufRead) -> io::Result<Head> {
    let status = line(reader)?;
    let status = status.split(' ').nth(1).and_then(|text| text.parse().ok());
    let mut head = Head {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        stream_id: None,
        length: 0,
    };
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(": ") else {
            return Ok(head);
        };
        if name.eq_ignore_ascii_case("mesos-stream-id") {
            head.stream_id = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-length") {
            head.length = value.parse().unwrap_or(0);
        }
    }
}

/// A subscription.
#[derive(Debug)]
pub struct Subscription {
    reader: BufReader<TcpStream>,
    /// The answer's head.
    pub head: Head,
}

impl Subscription {
    /// Subscribes.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn open(place: &Place, call: &[u8]) -> io::Result<Subscription> {
        let mut stream = connect(place)?;
        let mut out = Vec::new();
        request(place, None, call, &mut out);
        stream.write_all(&out)?;
        let mut reader = BufReader::with_capacity(1 << 20, stream);
        let head = head(&mut reader)?;
        if head.status == 200 {
            return Ok(Subscription { reader, head });
        }
        let why = format!("refused with status {}", head.status);
        Err(io::Error::other(why))
    }

    /// The next record; each stands in a chunk of its own.
    ///
    /// # Errors
    /// When the stream ends.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let length = usize::from_str_radix(&line(&mut self.reader)?, 16);
        let length = length.map_err(io::Error::other)?;
        let mut chunk = vec![0; length + 2];
        self.reader.read_exact(&mut chunk)?;
        chunk.truncate(length);
        let place = chunk.iter().position(|byte| *byte == b'\n');
        match place {
            Some(place) => Ok(chunk.split_off(place + 1)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Whether another record waits in this process already.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.reader.buffer().is_empty()
    }
}

/// A connection for calls, many at once.
#[derive(Debug)]
pub struct Calls {
    place: Place,
    stream_id: Option<String>,
    reader: BufReader<TcpStream>,
    out: Vec<u8>,
}

impl Calls {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(place: &Place, stream_id: Option<String>) -> io::Result<Calls> {
        Ok(Calls {
            place: place.clone(),
            stream_id,
            reader: BufReader::new(connect(place)?),
            out: Vec::new(),
        })
    }

    /// Makes all these calls and waits for all their answers.
    ///
    /// # Errors
    /// When one is not taken.
    pub fn make(&mut self, calls: &[Vec<u8>]) -> io::Result<()> {
        self.out.clear();
        for call in calls {
            let id = self.stream_id.as_deref();
            request(&self.place, id, call, &mut self.out);
        }
        self.reader.get_mut().write_all(&self.out)?;
        for call in calls {
            let head = head(&mut self.reader)?;
            let mut body = vec![0; head.length];
            self.reader.read_exact(&mut body)?;
            if head.status != 202 {
                let (call, body) = (
                    String::from_utf8_lossy(call),
                    String::from_utf8_lossy(&body),
                );
                let why = format!("{}: {body}, to {call}", head.status);
                return Err(io::Error::other(why));
            }
        }
        Ok(())
    }
}
