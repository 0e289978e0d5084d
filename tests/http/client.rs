//! A client on raw sockets, which can send any bytes at all and sees every byte that comes back.

use std::net::SocketAddr;
use std::time::Duration;

use fastmcp_rs::App;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::support::{Revision, assert_no_separators, schema};

/// Long enough for a loaded machine: only a server that hangs makes a test wait this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server in this process, on a port of its own.
pub struct Server {
    pub address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Server {
    pub async fn start(app: App) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { app.run_http_on(listener).await.unwrap() });
        Server { address, task: Some(task) }
    }

    /// A server of another process or framework.
    pub fn at(address: SocketAddr) -> Server {
        Server { address, task: None }
    }

    pub async fn connect(&self) -> Connection {
        Connection::over(TcpStream::connect(self.address).await.unwrap())
    }

    /// Opens a connection with a small receive buffer.
    pub async fn connect_deaf(&self) -> Connection {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Connection::over(socket.connect(self.address).await.unwrap())
    }

    /// Sends one request on a connection of its own, and reads the whole response.
    pub async fn send(&self, request: &Request) -> Response {
        let mut connection = self.connect().await;
        connection.write(&request.bytes()).await;
        connection.response().await.expect("a response")
    }

    /// Sends raw bytes, and reads what comes until the server closes or a response is whole.
    pub async fn raw(&self, bytes: &[u8]) -> Option<Response> {
        let mut connection = self.connect().await;
        connection.write(bytes).await;
        connection.response().await
    }

    /// A modern request with all its headers, whose answer is JSON.
    pub async fn modern(&self, id: impl Into<Value>, method: &str, params: Value) -> Response {
        self.send(&modern(id, method, params)).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A request whose every part can be changed.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str) -> Request {
        let headers = [("Host", "localhost"), ("Accept", "application/json, text/event-stream")];
        Request {
            method: method.into(),
            path: "/mcp".into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Vec::new(),
        }
    }

    pub fn post(body: impl Into<Vec<u8>>) -> Request {
        let request = Request { body: body.into(), ..Request::new("POST") };
        request.with("Content-Type", "application/json")
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Removes all headers of that name.
    pub fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Replaces a header.
    pub fn set(self, name: &str, value: &str) -> Request {
        self.without(name).with(name, value)
    }

    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let sized = self.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        });
        if !sized && (!self.body.is_empty() || self.method == "POST") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// A modern request, with the headers that go with it.
pub fn modern(id: impl Into<Value>, method: &str, params: Value) -> Request {
    modern_with_meta(id, method, params, Value::Null)
}

pub fn modern_with_meta(id: impl Into<Value>, method: &str, params: Value, meta: Value) -> Request {
    let name = match method {
        "tools/call" | "prompts/get" => params["name"].as_str().map(str::to_owned),
        "resources/read" => params["uri"].as_str().map(str::to_owned),
        _ => None,
    };
    let body = Revision::NEWEST.request_with_meta(id, method, params, meta);
    let request = Request::post(body).with("MCP-Protocol-Version", "2026-07-28").with("Mcp-Method", method);
    match name {
        Some(name) => request.with("Mcp-Name", &name),
        None => request,
    }
}

/// A call of a tool.
pub fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Request {
    modern(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    /// The JSON body; fails on anything else.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{} {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of a JSON-RPC error.
    #[track_caller]
    pub fn code(&self) -> i64 {
        let body = self.json();
        body["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {body}"))
    }

    /// The answer, checked against the schema of the newest revision.
    #[track_caller]
    pub fn answer(&self, method: &str) -> Value {
        self.answer_in(Revision::NEWEST, method)
    }

    #[track_caller]
    pub fn answer_in(&self, revision: Revision, method: &str) -> Value {
        let answer = self.json();
        schema::check_answer(revision, method, &answer).unwrap_or_else(|problem| panic!("{problem}"));
        answer
    }

    /// The events of a stream that is over.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        assert_eq!(self.header("content-type"), Some("text/event-stream"), "{}", self.text());
        let text = self.text();
        assert!(text.ends_with("\n\n"), "{text:?}");
        text.split_terminator("\n\n").map(Event::parse).collect()
    }
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// The type of the event; absent for a message.
    pub name: Option<String>,
    pub id: Option<String>,
    pub retry: Option<u64>,
    pub data: Option<String>,
    pub comment: Option<String>,
}

impl Event {
    fn parse(text: &str) -> Event {
        assert_no_separators(text.as_bytes());
        let mut event = Event::default();
        for line in text.lines() {
            match line.split_once(':').unwrap_or((line, "")) {
                ("", comment) => event.comment = Some(comment.trim().into()),
                ("event", name) => event.name = Some(name.trim().into()),
                ("id", id) => event.id = Some(id.trim().into()),
                ("retry", time) => event.retry = Some(time.trim().parse().unwrap()),
                ("data", data) => {
                    assert!(event.data.is_none(), "a message is one line: {text}");
                    event.data = Some(data.trim().into());
                }
                other => panic!("an unexpected field {other:?}"),
            }
        }
        event
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        let data = self.data.as_deref().unwrap_or_else(|| panic!("no data: {self:?}"));
        serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))
    }
}

/// A connection.
pub struct Connection<S = TcpStream> {
    pub stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub fn over(stream: S) -> Connection<S> {
        Connection { stream, buffer: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        // A server that refuses may close before it has read everything.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Waits for `count` bytes.
    pub async fn takes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.fill().await, "the server has closed the connection");
        }
        self.buffer.drain(..count).collect()
    }

    /// Reads more; `false` at the end.
    async fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 << 10];
        let read = timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("the server says nothing");
        let read = read.unwrap_or(0);
        self.buffer.extend_from_slice(&chunk[..read]);
        read > 0
    }

    /// The head of a response; `None` if the connection is closed before it.
    pub async fn response_head(&mut self) -> Option<Response> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
                let mut lines = head.trim_end().lines();
                let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
                let headers = lines.filter_map(|line| line.split_once(':'));
                let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().into())).collect();
                let response = Response { status, headers, body: Vec::new() };
                if status == 100 {
                    continue;
                }
                return Some(response);
            }
            if !self.fill().await {
                assert!(self.buffer.is_empty(), "half a head: {:?}", String::from_utf8_lossy(&self.buffer));
                return None;
            }
        }
    }

    /// A chunk of a chunked body; `None` after the last.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let length = std::str::from_utf8(&self.buffer[..end]).unwrap();
                let length = usize::from_str_radix(length, 16).unwrap();
                if self.buffer.len() >= end + length + 4 {
                    let chunk: Vec<u8> = self.buffer.drain(..end + length + 4).skip(end + 2).take(length).collect();
                    return Some(chunk).filter(|chunk| !chunk.is_empty());
                }
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next event of a stream whose head was read; `None` at its end.
    pub async fn event(&mut self, stream: &mut Response) -> Option<Event> {
        loop {
            if let Some(end) = stream.body.windows(2).position(|window| window == b"\n\n") {
                let event: Vec<u8> = stream.body.drain(..end + 2).collect();
                return Some(Event::parse(std::str::from_utf8(&event).unwrap().trim_end()));
            }
            stream.body.extend(self.chunk().await?);
        }
    }

    /// The next event that is a message.
    pub async fn message(&mut self, stream: &mut Response) -> Option<Value> {
        loop {
            let event = self.event(stream).await?;
            if event.data.as_deref().is_some_and(|data| !data.is_empty()) {
                return Some(event.json());
            }
        }
    }

    /// A whole response.
    pub async fn response(&mut self) -> Option<Response> {
        let mut response = self.response_head().await?;
        if response.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await {
                response.body.extend(chunk);
            }
            assert_no_separators(&response.body);
            return Some(response);
        }
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < length {
            assert!(self.fill().await, "half a body");
        }
        response.body = self.buffer.drain(..length).collect();
        assert_no_separators(&response.body);
        Some(response)
    }

    /// Reports whether the server closes the connection within a time.
    pub async fn is_closed_within(&mut self, time: Duration) -> bool {
        let mut rest = [0; 1024];
        let end = async {
            loop {
                match self.stream.read(&mut rest).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        timeout(time, end).await.is_ok()
    }
}
