//! An HTTP client that keeps one request in flight on each of its connections.
//!
//! Its sockets block and have no options set, `TCP_NODELAY` least of all: what a server does about delays shows.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::calls::Call;
use crate::client::{Era, Flight, Process, program};
use crate::report::median;

/// A server on a port of its own.
pub struct HttpServer {
    pub process: Process,
    address: SocketAddr,
    next_id: usize,
}

/// A connection, with its session where that is the custom.
pub struct Connection {
    stream: TcpStream,
    era: Era,
    session: Option<String>,
    buffer: Vec<u8>,
    used: usize,
    request: Vec<u8>,
}

pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl HttpServer {
    pub fn start(server: &str) -> HttpServer {
        HttpServer::run(server, |server| {
            let (program, arguments) = program(server);
            let mut command = Command::new(program);
            command.args(arguments);
            command
        })
    }

    /// Starts a server by a command of the caller's, which is given what `program` takes, with the port.
    pub fn run(server: &str, command: impl FnOnce(&str) -> Command) -> HttpServer {
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let process = Process::run(&mut command(&format!("{server} {}", address.port())), false);
        let server = HttpServer { process, address, next_id: 1 };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "the server does not listen");
            std::thread::sleep(Duration::from_millis(2));
        }
        server
    }

    pub fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id - 1
    }

    /// A connection; a legacy one begins a session, unless the server has none.
    pub fn connect(&self, era: Era) -> Connection {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        let mut connection =
            Connection { stream, era, session: None, buffer: vec![0; 4 << 10], used: 0, request: Vec::new() };
        if era == Era::Legacy {
            let response = connection.ask(Era::handshake(), None);
            assert_eq!(response.status, 200, "{}", response.body);
            let session = response.head.lines().find_map(|line| line.strip_prefix("mcp-session-id:"));
            connection.session = session.map(|id| id.trim().to_owned());
            assert_eq!(connection.ask(Era::initialized(), None).status, 202, "initialized");
        }
        connection
    }

    /// Calls `echo` one at a time, and gives the median time of a call in microseconds.
    pub fn sequence(&mut self, era: Era, calls: usize) -> f64 {
        let mut connection = self.connect(era);
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            let id = self.id();
            let start = Instant::now();
            connection.send(&era.echo(id), Some("echo"));
            let response = connection.receive();
            times.push(start.elapsed().as_secs_f64() * 1e6);
            Call::Echo.assert_answer(&response.body, id);
        }
        median(&times)
    }

    /// Makes so many calls over so many connections, each of which has one in flight.
    pub fn flight(&mut self, era: Era, calls: usize, connections: usize) -> Flight {
        let mut open: Vec<Connection> = (0..connections).map(|_| self.connect(era)).collect();
        self.calls_over(&mut open, connections);
        self.calls_over(&mut open, calls)
    }

    /// The same over connections that are there.
    pub fn calls_over(&mut self, open: &mut [Connection], calls: usize) -> Flight {
        let count = open.len();
        let first = self.next_id;
        let calls = calls.next_multiple_of(count);
        self.next_id += calls;
        let (cpu, start) = (self.process.cpu(), Instant::now());
        for (at, connection) in open.iter_mut().enumerate() {
            let message = connection.era.echo(first + at);
            connection.send(&message, Some("echo"));
        }
        for number in 0..calls {
            // The one that was asked first is looked at first; the others go on meanwhile.
            let connection = &mut open[number % count];
            let response = connection.receive();
            Call::Echo.assert_answer(&response.body, first + number);
            if number + count < calls {
                let message = connection.era.echo(first + number + count);
                connection.send(&message, Some("echo"));
            }
        }
        let took = start.elapsed().as_secs_f64();
        Flight { cpu: (self.process.cpu() - cpu) / calls as f64, per_second: calls as f64 / took }
    }

    /// The KiB that the server takes for each of so many connections, after a call on each.
    pub fn memory_of_connections(&mut self, era: Era, connections: usize) -> f64 {
        // The first connection also loads code and data that all connections share.
        let mut first = vec![self.connect(era)];
        self.calls_over(&mut first, 100);
        let before = self.process.resident_kib();
        let mut open: Vec<Connection> = (0..connections).map(|_| self.connect(era)).collect();
        self.calls_over(&mut open, connections);
        (self.process.resident_kib() - before) / connections as f64
    }

    /// The longest of so many calls in sequence, in milliseconds, each as JSON; and the longest time to the first event
    /// of a stream.
    pub fn stalls(&mut self, era: Era, calls: usize) -> (f64, f64) {
        let mut connection = self.connect(era);
        let (mut json, mut events) = (Vec::new(), Vec::new());
        for _ in 0..calls {
            let id = self.id();
            let start = Instant::now();
            connection.send(&era.echo(id), Some("echo"));
            let response = connection.receive();
            json.push(start.elapsed().as_secs_f64() * 1e3);
            Call::Echo.assert_answer(&response.body, id);
            let id = self.id();
            let message =
                era.call(id, "count", r#"{"to":3}"#).replace("\"_meta\":{", "\"_meta\":{\"progressToken\":1,");
            let message = match era {
                Era::Legacy => message.replace("\"arguments\"", "\"_meta\":{\"progressToken\":1},\"arguments\""),
                Era::Modern => message,
            };
            let start = Instant::now();
            connection.send(&message, Some("count"));
            connection.wait_for("data: {");
            events.push(start.elapsed().as_secs_f64() * 1e3);
            let response = connection.receive();
            assert!(response.head.contains("text/event-stream") && response.body.contains("counted to 3"));
        }
        // A scheduler that lets a process wait is no stall of the server's: those would be in nearly all calls.
        (crate::report::percentile(&json, 0.9), crate::report::percentile(&events, 0.9))
    }
}

impl Connection {
    pub fn ask(&mut self, message: &str, name: Option<&str>) -> Response {
        self.send(message, name);
        self.receive()
    }

    /// The same to a server by another name.
    pub fn ask_as(&mut self, host: &str, message: &str, name: Option<&str>) -> Response {
        self.write(host, message, name);
        self.receive()
    }

    /// Sends a message, head and body in one write; `name` is the tool that is called.
    pub fn send(&mut self, message: &str, name: Option<&str>) {
        self.write("127.0.0.1", message, name);
    }

    fn write(&mut self, host: &str, message: &str, name: Option<&str>) {
        self.request.clear();
        let request = &mut self.request;
        let _ = write!(
            request,
            "POST /mcp HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\ncontent-length: {}\r\n",
            message.len()
        );
        if self.era == Era::Modern || name.is_some() {
            let _ = write!(request, "mcp-protocol-version: {}\r\n", self.era.name());
        }
        if let (Era::Modern, Some(name)) = (self.era, name) {
            let _ = write!(request, "mcp-method: tools/call\r\nmcp-name: {name}\r\n");
        }
        if let Some(session) = &self.session {
            let _ = write!(request, "mcp-session-id: {session}\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(message.as_bytes());
        self.stream.write_all(request).expect("the server reads");
    }

    fn read(&mut self) {
        if self.used == self.buffer.len() {
            self.buffer.resize(2 * self.used, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.used..]).expect("the server answers");
        assert!(
            read > 0,
            "the server has closed the connection: {}",
            String::from_utf8_lossy(&self.buffer[..self.used])
        );
        self.used += read;
    }

    fn wait_for(&mut self, text: &str) {
        while memchr::memmem::find(&self.buffer[..self.used], text.as_bytes()).is_none() {
            self.read();
        }
    }

    /// Reads one response to its end.
    pub fn receive(&mut self) -> Response {
        let head = loop {
            match memchr::memmem::find(&self.buffer[..self.used], b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.read(),
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head]).expect("a head is ASCII").to_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("there is a status");
        let length = text.split_once("content-length: ").and_then(|(_, rest)| rest.split_once('\r'));
        let length = length.and_then(|(length, _)| length.parse::<usize>().ok());
        let (body, end) = if text.contains("transfer-encoding: chunked") {
            let mut body = Vec::new();
            let mut at = head;
            loop {
                let line = loop {
                    match memchr::memmem::find(&self.buffer[at..self.used], b"\r\n") {
                        Some(end) => break at + end,
                        None => self.read(),
                    }
                };
                let size = std::str::from_utf8(&self.buffer[at..line]).ok();
                let size = size.and_then(|size| usize::from_str_radix(size, 16).ok()).expect("a size of a chunk");
                while self.used < line + 2 + size + 2 {
                    self.read();
                }
                body.extend_from_slice(&self.buffer[line + 2..line + 2 + size]);
                at = line + 2 + size + 2;
                if size == 0 {
                    break (body, at);
                }
            }
        } else {
            let length = length.unwrap_or_default();
            while self.used < head + length {
                self.read();
            }
            (self.buffer[head..head + length].to_vec(), head + length)
        };
        self.buffer.copy_within(end..self.used, 0);
        self.used -= end;
        Response { status, head: text, body: String::from_utf8(body).expect("a body is UTF-8") }
    }
}
