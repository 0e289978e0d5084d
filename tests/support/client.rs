//! A client on raw pipes.
//!
//! It runs a built example as a real client would, sends any bytes at all, and checks every frame that
//! comes back against the schema of the revision in which it was asked for.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::revision::{self, Revision};
use super::schema;

/// Long enough for a loaded machine: only a server that hangs makes a test wait this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Finds a built example, which stands beside the running test in the target directory.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.parent().and_then(Path::parent).expect("tests are in target/PROFILE/deps");
    let path = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing: `cargo test --workspace` builds the examples before it runs tests, `cargo test --test ..` \
         does not (run `cargo build --workspace --all-features --examples` first)",
        path.display()
    );
    path
}

/// One line from the server.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The line as it came, without its newline.
    pub text: String,
    pub value: Value,
    id: Option<String>,
}

/// The text of a message's id, byte for byte.
fn id_of(message: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let id = serde_json::from_str::<Id<'_>>(message).ok()?.id?;
    Some(id.get().to_owned())
}

impl Frame {
    fn new(text: &str, value: Value) -> Self {
        Self { text: text.to_owned(), value, id: id_of(text) }
    }

    /// The text of the id, byte for byte.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub fn error_code(&self) -> Option<i64> {
        self.value["error"]["code"].as_i64()
    }

    pub fn result(&self) -> &Value {
        let result = &self.value["result"];
        assert!(!result.is_null(), "a result, not {}", self.text);
        result
    }

    /// Returns the text of the only content block; for a wrapped result, the text inside of the wrapper.
    pub fn content_text(&self) -> &str {
        let content = self.result()["content"].as_array().expect("content is a list");
        assert_eq!(content.len(), 1, "one block, in {}", self.text);
        let text = content[0]["text"].as_str().expect("text content");
        if self.result()["_meta"]["fastmcp"]["wrap_result"] != true {
            return text;
        }
        let wrapper: Option<Value> = serde_json::from_str(text).ok();
        // The author may have written a text instead.
        if wrapper.as_ref() != Some(&self.result()["structuredContent"]) {
            return text;
        }
        let inside = text.strip_prefix(r#"{"result":"#).and_then(|rest| rest.strip_suffix('}'));
        inside.unwrap_or_else(|| panic!("not a wrapper: {text}"))
    }

    pub fn is_tool_error(&self) -> bool {
        self.result()["isError"] == true
    }
}

/// Settings for the start of a server.
pub struct Setup {
    command: Command,
    input: Option<(Stdio, Option<File>)>,
    output: Option<(Stdio, Option<OwnedFd>)>,
    stderr: Option<Stdio>,
    reads: bool,
}

impl Setup {
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives the server this as its standard input, and writes to `ours`.
    pub fn input(mut self, theirs: impl Into<Stdio>, ours: Option<OwnedFd>) -> Self {
        self.input = Some((theirs.into(), ours.map(File::from)));
        self
    }

    /// Gives the server this as its standard output, and reads from `ours`.
    pub fn output(mut self, theirs: impl Into<Stdio>, ours: Option<OwnedFd>) -> Self {
        self.output = Some((theirs.into(), ours));
        self
    }

    /// Gives the server this as its standard error, which is not read.
    pub fn stderr(mut self, theirs: impl Into<Stdio>) -> Self {
        self.stderr = Some(theirs.into());
        self
    }

    /// Leaves the server's answers unread until [`Server::start_reading`].
    pub fn without_reading(mut self) -> Self {
        self.reads = false;
        self
    }

    pub fn start(mut self) -> Server {
        let (theirs, ours_in) = self.input.unwrap_or((Stdio::piped(), None));
        let (out, ours_out) = self.output.unwrap_or((Stdio::piped(), None));
        let stderr = self.stderr.unwrap_or_else(Stdio::piped);
        self.command.stdin(theirs).stdout(out).stderr(stderr);
        let mut child = self.command.spawn().expect("the example starts");
        // The command still holds the server's ends of a socket or terminal: without this, its end
        // of file would never be seen here.
        drop(self.command);
        let input: Option<Box<dyn Write + Send>> = match (child.stdin.take(), ours_in) {
            (Some(pipe), _) => Some(Box::new(pipe)),
            (None, Some(file)) => Some(Box::new(file)),
            (None, None) => None,
        };
        let output: Option<Box<dyn Read + Send>> = match (child.stdout.take(), ours_out) {
            (Some(pipe), _) => Some(Box::new(pipe)),
            (None, Some(fd)) => Some(Box::new(File::from(fd))),
            (None, None) => None,
        };
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let sink = stderr.clone();
        let stderr_reader = child.stderr.take().map(|mut pipe| {
            thread::spawn(move || {
                let mut block = [0; 4096];
                while let Ok(n @ 1..) = pipe.read(&mut block) {
                    sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&block[..n]);
                }
            })
        });
        let mut server = Server {
            child,
            input,
            output,
            lines: None,
            stderr,
            stderr_reader,
            sent: HashMap::new(),
            progress: HashMap::new(),
            listens: HashMap::new(),
            session: None,
            early: VecDeque::new(),
            next_id: 1,
            revision: Revision::NEWEST,
            capabilities: json!({}),
        };
        if self.reads {
            server.start_reading();
        }
        server
    }
}

/// The state of a `subscriptions/listen`.
#[derive(Clone, Debug, PartialEq)]
enum Listen {
    Asked,
    /// With the part of the filter that the server honours.
    Acknowledged(Value),
    /// The client has had enough; what it is still told was on its way.
    Cancelled,
    /// The server has answered it.
    Ended,
}

/// A running server. It is killed when this is dropped.
pub struct Server {
    child: Child,
    input: Option<Box<dyn Write + Send>>,
    output: Option<Box<dyn Read + Send>>,
    lines: Option<Receiver<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_reader: Option<JoinHandle<()>>,
    /// The requests without an answer yet: for each id whether it is modern, and the method. Only a
    /// test of duplicate ids has more than one of an id.
    sent: HashMap<String, VecDeque<(bool, String)>>,
    /// The era of each progress token.
    progress: HashMap<String, bool>,
    /// The subscriptions that were asked for, by the text of their ids.
    listens: HashMap<String, Listen>,
    /// The legacy revision that this pipe has agreed on.
    session: Option<Revision>,
    /// Frames that came while another one was waited for.
    early: VecDeque<Frame>,
    next_id: i64,
    revision: Revision,
    /// The capabilities that the client declares.
    capabilities: Value,
}

impl Server {
    /// Prepares to start an example by its name.
    pub fn setup(name: &str) -> Setup {
        let mut command = Command::new(example(name));
        // Variables that the developer has set for other programs must not change the test.
        command.env_remove("DATABASE_URL").env_remove("RUST_LOG");
        Self::command(command)
    }

    /// Prepares to start any command.
    pub fn command(command: Command) -> Setup {
        Setup { command, input: None, output: None, stderr: None, reads: true }
    }

    pub fn start(name: &str) -> Self {
        Self::setup(name).start()
    }

    /// Starts an example and opens a session as a client of that revision does.
    pub fn connect(name: &str, revision: Revision) -> Self {
        let mut server = Self::start(name);
        server.open(revision);
        server
    }

    /// From here on, requests are those of a client of that revision.
    pub fn open(&mut self, revision: Revision) {
        self.open_with(revision, json!({}));
    }

    /// The same with a client that can be asked something.
    pub fn open_with(&mut self, revision: Revision, capabilities: Value) {
        self.revision = revision;
        self.capabilities = capabilities.clone();
        if !revision.is_modern() {
            let answer = self.exchange(&revision::initialize_with("init", revision.name(), capabilities));
            assert_eq!(answer.result()["protocolVersion"], revision.name());
            self.send(revision::INITIALIZED);
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a line.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are, and notes the requests in them.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.note(bytes);
        self.send_unnoted(bytes);
    }

    /// Sends bytes unchanged; no response to them is expected.
    pub fn send_unnoted(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("stdin is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the server reads");
    }

    /// Like [`send_unnoted`](Self::send_unnoted), for a server that may have ended.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let input = self.input.as_mut().expect("stdin is open");
        input.write_all(bytes).and_then(|()| input.flush())
    }

    /// Takes stdin, to write to it from another thread. Note the requests with [`note`](Self::note).
    pub fn take_input(&mut self) -> Box<dyn Write + Send> {
        self.input.take().expect("stdin is open")
    }

    /// Remembers the requests in these bytes, so that the answers can be checked.
    pub fn note(&mut self, bytes: &[u8]) {
        #[derive(Deserialize)]
        struct Request<'a> {
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            // Of any type, because the tests also send invalid requests.
            #[serde(default)]
            method: Value,
            #[serde(default)]
            params: Value,
            #[serde(default)]
            result: Value,
        }
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
            // A struct can be read from a list, too, which would take a batch of three for one request.
            let is_batch = line.first() == Some(&b'[');
            let requests: Vec<Request<'_>> = match serde_json::from_slice(line) {
                Ok(request) if !is_batch => vec![request],
                _ => serde_json::from_slice(line).unwrap_or_default(),
            };
            for request in requests {
                let meta = &request.params["_meta"];
                let modern = meta.get("io.modelcontextprotocol/protocolVersion").is_some();
                if let Some(token) = meta.get("progressToken") {
                    self.progress.insert(token.to_string(), modern);
                }
                if request.method == "notifications/cancelled" {
                    let id = request.params["requestId"].to_string();
                    if let Some(listen) = self.listens.get_mut(&id) {
                        *listen = Listen::Cancelled;
                        self.sent.remove(&id);
                    }
                }
                // A response answers the server, which does not answer it.
                let id = request.id.filter(|_| request.result.is_null());
                if let Some(id) = id {
                    let method = request.method.as_str().unwrap_or_default().to_owned();
                    if modern && method == "subscriptions/listen" {
                        self.listens.entry(id.get().to_owned()).or_insert(Listen::Asked);
                    }
                    self.sent.entry(id.get().to_owned()).or_default().push_back((modern, method));
                }
            }
        }
    }

    /// Starts to read what the server writes.
    pub fn start_reading(&mut self) {
        let Some(output) = self.output.take() else {
            return;
        };
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::with_capacity(1 << 16, output);
            loop {
                let mut line = Vec::new();
                match output.read_until(b'\n', &mut line) {
                    Ok(1..) if sender.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        self.lines = Some(lines);
    }

    /// Takes stdout, to read it in another way or to close it.
    pub fn take_output(&mut self) -> Box<dyn Read + Send> {
        self.output.take().expect("stdout is not being read")
    }

    /// The next line as it came, or `None` at the end of the output.
    fn line(&mut self, patience: Duration) -> Option<Vec<u8>> {
        match self.lines.as_ref().expect("the output is being read").recv_timeout(patience) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("no line within {patience:?}; waiting for {:?}; stderr:\n{}", self.sent, self.stderr())
            }
        }
    }

    /// The next frame, checked, or `None` at the end of the output.
    pub fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.early.pop_front() {
            return Some(frame);
        }
        self.read()
    }

    fn read(&mut self) -> Option<Frame> {
        let line = self.line(PATIENCE)?;
        let text = String::from_utf8(line).expect("frames are UTF-8");
        let Some(text) = text.strip_suffix('\n') else { panic!("half a frame: {text:?}") };
        assert!(!text.ends_with('\r'), "a frame ends with a bare newline: {text:?}");
        super::assert_no_separators(text.as_bytes());
        let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("junk on the wire: {text:?}: {error}"));
        let frame = Frame::new(text, value);
        match &frame.value {
            // Only a batch is answered by one.
            Value::Array(frames) => {
                assert_eq!(self.session, Some(Revision::V2025_03_26), "a batch: {text}");
                assert!(!frames.is_empty(), "an empty batch");
                for frame in frames {
                    self.check(&Frame::new(&frame.to_string(), frame.clone()));
                }
            }
            _ => self.check(&frame),
        }
        Some(frame)
    }

    /// Checks a frame against the schema of the revision it belongs to.
    fn check(&mut self, frame: &Frame) {
        let legacy = self.session.unwrap_or(Revision::V2025_11_25);
        let of = |modern: bool| {
            if modern { Revision::V2026_07_28 } else { legacy }
        };
        assert!(frame.value["error"].is_null() || frame.value.get("result").is_none(), "both: {}", frame.text);
        let checked = if let Some(id) = frame.id() {
            if !frame.value["method"].is_null() {
                let session = self.session.unwrap_or_else(|| panic!("a request without a session: {}", frame.text));
                if let Err(problem) = schema::check_request(session, &frame.value) {
                    panic!("{problem}");
                }
                return;
            }
            let Some((modern, method)) = self.sent.get_mut(id).and_then(VecDeque::pop_front) else {
                panic!("an answer to no request, or a second one: {}", frame.text);
            };
            if method == "initialize" && !modern {
                let version = frame.value["result"]["protocolVersion"].as_str();
                // A second handshake is refused, and changes nothing.
                if let Some(revision) = version.and_then(Revision::from_name) {
                    self.session = Some(revision);
                }
            }
            if method == "subscriptions/listen" && frame.value.get("result").is_some() {
                let listen = self.listens.insert(id.to_owned(), Listen::Ended);
                assert!(matches!(listen, Some(Listen::Acknowledged(_))), "{listen:?} is answered: {}", frame.text);
                let of = &frame.value["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
                assert_eq!(of, &frame.value["id"], "{}", frame.text);
            }
            let legacy = self.session.unwrap_or(legacy);
            let revision = if modern { Revision::V2026_07_28 } else { legacy };
            schema::check_answer(revision, &method, &frame.value)
        } else if frame.value.get("error").is_some() {
            schema::check_answer(Revision::NEWEST, "", &frame.value)
        } else if let Some(token) = frame.value["params"].get("progressToken") {
            match self.progress.get(&token.to_string()) {
                Some(modern) => schema::check_notification(of(*modern), &frame.value),
                None => Err(format!("progress that nobody asked for: {}", frame.text)),
            }
        } else if let Some(id) = frame.value.pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId") {
            self.check_subscription(id, &frame.value);
            schema::check_notification(Revision::V2026_07_28, &frame.value)
        } else if let Some(listen) = self.cancelled_listen(frame) {
            assert_eq!(*listen, Listen::Ended, "it is answered first: {}", frame.text);
            schema::check_notification(Revision::V2026_07_28, &frame.value)
        } else {
            schema::check_notification(of(self.session.is_none()), &frame.value)
        };
        if let Err(problem) = checked {
            panic!("{problem}");
        }
    }

    /// Returns the subscription that a notification ends.
    fn cancelled_listen(&self, frame: &Frame) -> Option<&Listen> {
        let is_cancellation = frame.value["method"] == "notifications/cancelled";
        is_cancellation.then(|| self.listens.get(&frame.value["params"]["requestId"].to_string()))?
    }

    /// Checks that a subscription begins with its acknowledgement, and has only acknowledged notifications.
    fn check_subscription(&mut self, id: &Value, notification: &Value) {
        let listen = self.listens.get_mut(&id.to_string());
        let listen = listen.unwrap_or_else(|| panic!("a subscription that nobody asked for: {notification}"));
        let params = &notification["params"];
        let is_honoured = match (notification["method"].as_str(), &*listen) {
            (_, Listen::Cancelled) => true,
            (Some("notifications/subscriptions/acknowledged"), Listen::Asked) => {
                *listen = Listen::Acknowledged(params["notifications"].clone());
                true
            }
            (Some("notifications/tools/list_changed"), Listen::Acknowledged(filter)) => {
                filter["toolsListChanged"] == true
            }
            (Some("notifications/resources/list_changed"), Listen::Acknowledged(filter)) => {
                filter["resourcesListChanged"] == true
            }
            (Some("notifications/prompts/list_changed"), Listen::Acknowledged(filter)) => {
                filter["promptsListChanged"] == true
            }
            (Some("notifications/resources/updated"), Listen::Acknowledged(filter)) => {
                filter["resourceSubscriptions"].as_array().is_some_and(|uris| uris.contains(&params["uri"]))
            }
            _ => false,
        };
        assert!(is_honoured, "{listen:?}, but {notification}");
    }

    /// The next frame, which has to come.
    pub fn receive(&mut self) -> Frame {
        match self.next() {
            Some(frame) => frame,
            None => panic!("the server closed its output; stderr:\n{}", self.stderr()),
        }
    }

    /// Returns the response with this id. Earlier frames are kept for [`receive`](Self::receive).
    pub fn answer_to(&mut self, id: &str) -> Frame {
        if let Some(at) = self.early.iter().position(|frame| frame.id() == Some(id)) {
            return self.early.remove(at).expect("it was just found");
        }
        loop {
            match self.read() {
                Some(frame) if frame.id() == Some(id) => return frame,
                Some(frame) => self.early.push_back(frame),
                None => panic!("no answer to {id}; stderr:\n{}", self.stderr()),
            }
        }
    }

    /// Frames that came before an answer that was waited for.
    pub fn take_early(&mut self) -> Vec<Frame> {
        self.early.drain(..).collect()
    }

    /// Sends a request and waits for its answer.
    pub fn exchange(&mut self, request: &str) -> Frame {
        let id = id_of(request).expect("a request has an id");
        self.send(request);
        self.answer_to(&id)
    }

    /// Asks as a client of the open revision, with an id of its own.
    pub fn ask(&mut self, method: &str, params: Value) -> Frame {
        self.ask_with_meta(method, params, Value::Null)
    }

    pub fn ask_with_meta(&mut self, method: &str, params: Value, meta: Value) -> Frame {
        let id = self.fresh_id();
        let request = self.revision.request_with_meta(id, method, params, self.meta(meta));
        self.exchange(&request)
    }

    /// Modern clients declare their capabilities in each request.
    fn meta(&self, mut more: Value) -> Value {
        if self.revision.is_modern() && more.get("io.modelcontextprotocol/clientCapabilities").is_none() {
            more["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        }
        more
    }

    /// Answers a request of the server.
    pub fn respond(&mut self, request: &Frame, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": request.value["id"], "result": result}).to_string());
    }

    /// Answers the next request of the server, which must be of that method, and returns its parameters.
    pub fn answer(&mut self, method: &str, result: Value) -> Value {
        let request = self.receive();
        assert_eq!(request.value["method"], method, "{}", request.text);
        self.respond(&request, result);
        request.value["params"].clone()
    }

    /// Sends such a request, and returns its id without waiting.
    pub fn begin(&mut self, method: &str, params: Value) -> String {
        let id = self.fresh_id();
        let request = self.revision.request_with_meta(id, method, params, self.meta(Value::Null));
        self.send(&request);
        id.to_string()
    }

    pub fn begin_call(&mut self, tool: &str, arguments: Value) -> String {
        self.begin("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    pub fn call(&mut self, tool: &str, arguments: Value) -> Frame {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    fn fresh_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// Proves that nothing was answered so far: a probe's answer is the next frame to come.
    pub fn assert_quiet(&mut self) {
        let id = format!("quiet-{}", self.fresh_id());
        self.send(&Revision::NEWEST.request(id.clone(), "server/discover", Value::Null));
        let frame = self.receive();
        assert_eq!(frame.value["id"], id.as_str(), "nothing before the probe's answer, but {}", frame.text);
    }

    /// Closes the server's input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_within(PATIENCE)
    }

    pub fn wait_within(&mut self, patience: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status;
            }
            assert!(start.elapsed() < patience, "still running after {patience:?}; stderr:\n{}", self.stderr());
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the child can be waited for").is_none()
    }

    /// The standard error of the server so far.
    pub fn stderr(&self) -> String {
        let bytes = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// All that an ended server has written to stderr.
    pub fn final_stderr(&mut self) -> String {
        if let Some(reader) = self.stderr_reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.stderr()
    }

    /// Waits until stderr contains a text.
    pub fn wait_for_stderr(&self, text: &str) {
        let start = Instant::now();
        while !self.stderr().contains(text) {
            assert!(start.elapsed() < PATIENCE, "no {text:?} in stderr:\n{}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The resident memory of the server in KiB.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it ever was.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(field)).expect("the field is there");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
