//! Servers in separate processes, their figures from the kernel, and a client on standard input and output.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::CpuSet;

use crate::calls::{Call, id_of};
use crate::report::{median, percentile};

pub const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"figures","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The form of requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25, with a handshake.
    Legacy,
    /// 2026-07-28, with independent requests.
    Modern,
}

impl Era {
    pub const BOTH: [Era; 2] = [Era::Legacy, Era::Modern];

    pub fn name(self) -> &'static str {
        match self {
            Era::Legacy => "2025-11-25",
            Era::Modern => "2026-07-28",
        }
    }

    /// Returns the text after the other members of `params`.
    fn meta(self) -> String {
        match self {
            Era::Legacy => String::new(),
            Era::Modern => format!(",{META}"),
        }
    }

    pub fn call(self, id: usize, tool: &str, arguments: &str) -> String {
        let meta = self.meta();
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}{meta}}}}}"#
        )
    }

    /// Writes the request of a call.
    pub fn request(self, call: Call, id: usize) -> String {
        self.call(id, call.tool(), &call.arguments(id))
    }

    pub fn echo(self, id: usize) -> String {
        self.request(Call::Echo, id)
    }

    pub fn handshake() -> &'static str {
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"figures","version":"1"}}}"#
    }

    pub fn initialized() -> &'static str {
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
    }
}

/// The cores that this process had at its start.
pub struct Cores(CpuSet);

impl Cores {
    pub fn of_this_process() -> Cores {
        Cores(rustix::thread::sched_getaffinity(None).expect("the cores of this process are known"))
    }

    /// Pins this process, and those that it starts, to one core.
    pub fn pin(&self) {
        let mut cores = CpuSet::new();
        cores.set((0..CpuSet::MAX_CPU).find(|core| self.0.is_set(*core)).expect("there is a core"));
        rustix::thread::sched_setaffinity(None, &cores).expect("a process may be kept on a core of its own");
    }

    pub fn unpin(&self) {
        rustix::thread::sched_setaffinity(None, &self.0).expect("a process may have its cores back");
    }
}

/// Returns the program of a server, such as `stdio` or `tools 100`, and its arguments. Cargo sets the path when it
/// builds this program, and not when it only checks it.
pub fn program(server: &str) -> (&'static str, impl Iterator<Item = &str>) {
    let mut words = server.split(' ');
    let program = match words.next() {
        Some("floor") => option_env!("CARGO_BIN_EXE_figures-floor"),
        Some("stdio") => option_env!("CARGO_BIN_EXE_figures-stdio"),
        Some("tools") => option_env!("CARGO_BIN_EXE_figures-tools"),
        Some("rmcp") => option_env!("CARGO_BIN_EXE_figures-rmcp"),
        Some("floor-http") => option_env!("CARGO_BIN_EXE_figures-floor-http"),
        Some("http") => option_env!("CARGO_BIN_EXE_figures-http"),
        Some("rmcp-http") => option_env!("CARGO_BIN_EXE_figures-rmcp-http"),
        _ => None,
    };
    (program.unwrap_or_else(|| panic!("there is no server `{server}`: `cargo bench` builds them")), words)
}

/// A process that is killed when this value is dropped.
pub struct Process(pub Child);

impl Process {
    /// Starts a server.
    pub fn start(server: &str, piped: bool) -> Process {
        let (program, arguments) = program(server);
        Process::run(Command::new(program).args(arguments), piped)
    }

    pub fn run(command: &mut Command, piped: bool) -> Process {
        let stdio = || if piped { Stdio::piped() } else { Stdio::null() };
        Process(command.stdin(stdio()).stdout(stdio()).stderr(Stdio::null()).spawn().expect("the server starts"))
    }

    /// Returns the CPU time of all threads so far, in microseconds.
    pub fn cpu(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("the server runs");
        // The first field is the time of one thread on a core, in nanoseconds.
        let nanoseconds = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
        nanoseconds.filter_map(|line| line.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e3
    }

    /// Returns the number of reads and writes so far.
    pub fn reads_and_writes(&self) -> f64 {
        self.number_of("io", "syscr:") + self.number_of("io", "syscw:")
    }

    pub fn resident_kib(&self) -> f64 {
        self.number_of("status", "VmRSS:")
    }

    /// Returns the peak memory.
    pub fn peak_kib(&self) -> f64 {
        self.number_of("status", "VmHWM:")
    }

    fn number_of(&self, file: &str, label: &str) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).expect("the server runs");
        let line = text.lines().find(|line| line.starts_with(label)).expect("the kernel counts it");
        line.split_whitespace().nth(1).and_then(|count| count.parse().ok()).expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on standard input and output, and its client.
pub struct Server {
    pub process: Process,
    stdin: ChildStdin,
    stdout: ChildStdout,
    era: Era,
    /// The bytes that were read and are not yet parsed.
    buffer: Vec<u8>,
    used: usize,
    next_id: usize,
}

impl Server {
    /// Starts a server, and performs the handshake of the era, if it has one.
    pub fn start(server: &str, era: Era) -> Server {
        let mut server = Server::without_handshake(Process::start(server, true), era);
        server.greet();
        server
    }

    pub fn without_handshake(mut process: Process, era: Era) -> Server {
        let stdin = process.0.stdin.take().expect("it was piped");
        let stdout = process.0.stdout.take().expect("it was piped");
        Server { process, stdin, stdout, era, buffer: vec![0; 256 << 10], used: 0, next_id: 1 }
    }

    pub fn greet(&mut self) {
        if self.era == Era::Legacy {
            let answer = self.ask(Era::handshake());
            assert!(answer.contains("2025-11-25"), "not a handshake: {answer}");
            self.send(Era::initialized());
        }
    }

    pub fn send(&mut self, message: &str) {
        let line = format!("{message}\n");
        self.stdin.write_all(line.as_bytes()).expect("the server reads");
    }

    /// Reads until there is at least one line, and returns all lines.
    fn lines(&mut self) -> Vec<u8> {
        loop {
            let from = self.used;
            let read = self.stdout.read(&mut self.buffer[from..]).expect("the server answers");
            assert!(read > 0, "the server has ended");
            self.used += read;
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer[from..self.used]).map(|at| from + at + 1) {
                let lines = self.buffer[..end].to_vec();
                self.buffer.copy_within(end..self.used, 0);
                self.used -= end;
                return lines;
            }
            if self.used == self.buffer.len() {
                self.buffer.resize(2 * self.used, 0);
            }
        }
    }

    pub fn read_line(&mut self) -> String {
        let lines = self.lines();
        String::from_utf8(lines).expect("frames are UTF-8")
    }

    pub fn ask(&mut self, message: &str) -> String {
        self.send(message);
        self.read_line()
    }

    pub fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Returns the CPU time, in milliseconds, of a server from its start to its first response.
    pub fn startup_cpu(server: &str) -> f64 {
        let mut server = Server::without_handshake(Process::start(server, true), Era::Modern);
        let discover = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{{META}}}}}"#);
        let answer = server.ask(&discover);
        assert!(answer.contains("supportedVersions"), "not an answer to server/discover: {answer}");
        server.process.cpu() / 1e3
    }

    /// Calls `echo` in sequence, and returns the median time of a call in microseconds. Each response is checked.
    pub fn sequence(&mut self, calls: usize) -> f64 {
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            let id = self.id();
            let line = format!("{}\n", self.era.echo(id));
            let start = Instant::now();
            self.stdin.write_all(line.as_bytes()).expect("the server reads");
            let answer = self.read_line();
            times.push(start.elapsed().as_secs_f64() * 1e6);
            Call::Echo.assert_answer(&answer, id);
        }
        median(&times)
    }

    /// Makes `calls` calls of a tool, with `window` of them in flight.
    pub fn in_flight(&mut self, call: Call, calls: usize, window: usize) -> Flight {
        let first = self.next_id;
        self.next_id += calls;
        let mut answered = vec![false; calls];
        let (mut asked, mut open) = (0, 0);
        let mut batch = String::new();
        let (cpu, start) = (self.process.cpu(), Instant::now());
        let mut left = calls;
        while left > 0 {
            batch.clear();
            while open < window && asked < calls {
                let id = first + asked;
                batch.push_str(&self.era.request(call, id));
                batch.push('\n');
                asked += 1;
                open += 1;
            }
            if !batch.is_empty() {
                self.stdin.write_all(batch.as_bytes()).expect("the server reads");
            }
            let lines = self.lines();
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line = std::str::from_utf8(line).expect("frames are UTF-8");
                let id = id_of(line);
                call.assert_answer(line, id);
                assert!(!std::mem::replace(&mut answered[id - first], true), "two answers to {id}");
                open -= 1;
                left -= 1;
            }
        }
        let took = start.elapsed().as_secs_f64();
        Flight { cpu: (self.process.cpu() - cpu) / calls as f64, per_second: calls as f64 / took }
    }

    /// Reads the first page of `tools/list` `times` times, 16 in flight. Returns the CPU time of each, in microseconds.
    pub fn lists(&mut self, tools: usize, times: usize) -> f64 {
        assert_eq!(self.list().1, tools, "the list is not whole");
        let meta = self.era.meta();
        let meta = meta.strip_prefix(',').unwrap_or_default();
        let mut batch = String::new();
        for _ in 0..16 {
            let id = self.id();
            let _ = writeln!(batch, r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{{meta}}}}}"#);
        }
        let cpu = self.process.cpu();
        for _ in 0..times.div_ceil(16) {
            self.stdin.write_all(batch.as_bytes()).expect("the server reads");
            let mut left = 16;
            while left > 0 {
                left -= memchr::memchr_iter(b'\n', &self.lines()).count();
            }
        }
        (self.process.cpu() - cpu) / (times.div_ceil(16) * 16) as f64
    }

    /// Reads the whole list, page after page. Returns the time in microseconds, and the number of tools.
    pub fn list(&mut self) -> (f64, usize) {
        let (mut seen, mut cursor) = (0, String::new());
        let meta = self.era.meta();
        let meta = meta.strip_prefix(',').unwrap_or_default().to_owned();
        let start = Instant::now();
        loop {
            let id = self.id();
            let message = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{{cursor}{meta}}}}}"#);
            let answer = self.ask(&message);
            seen += answer.matches("\"inputSchema\"").count();
            match answer.split_once("\"nextCursor\":\"").and_then(|(_, rest)| rest.split_once('"')) {
                Some((next, _)) if meta.is_empty() => cursor = format!("\"cursor\":\"{next}\""),
                Some((next, _)) => cursor = format!("\"cursor\":\"{next}\","),
                None => return (start.elapsed().as_secs_f64() * 1e6, seen),
            }
        }
    }

    /// Sends a text of `bytes` bytes and receives it back, `calls` times. Returns the CPU time and the median wall time
    /// of each, in microseconds.
    pub fn long_text(&mut self, bytes: usize, calls: usize) -> (f64, f64) {
        let text = "x".repeat(bytes);
        let mut times = Vec::new();
        let mut cpu = self.process.cpu();
        // The first one allocates the buffers.
        for call in 0..=calls {
            if call == 1 {
                cpu = self.process.cpu();
            }
            let id = self.id();
            let line = format!("{}\n", self.era.call(id, "echo", &format!(r#"{{"text":"{text}"}}"#)));
            let start = Instant::now();
            self.stdin.write_all(line.as_bytes()).expect("the server reads");
            let answer = self.lines();
            times.push(start.elapsed().as_secs_f64() * 1e6);
            assert!(answer.len() > bytes, "the answer is not whole");
        }
        ((self.process.cpu() - cpu) / calls as f64, median(&times[1..]))
    }

    /// Lets `calls` calls sleep at once, each for 50 ms. Returns the time until the last response, in milliseconds.
    pub fn sleepers(&mut self, calls: usize) -> f64 {
        let mut batch = String::new();
        for _ in 0..calls {
            let id = self.id();
            batch.push_str(&self.era.call(id, "sleep_ms", r#"{"ms":50}"#));
            batch.push('\n');
        }
        let start = Instant::now();
        self.stdin.write_all(batch.as_bytes()).expect("the server reads");
        let mut left = calls;
        while left > 0 {
            let lines = self.lines();
            let lines = String::from_utf8_lossy(&lines);
            left -= lines.lines().inspect(|line| assert!(line.contains("\"slept\""), "{line}")).count();
        }
        start.elapsed().as_secs_f64() * 1e3
    }

    /// Returns the 99th percentile, in milliseconds, of `calls` calls of an `async` tool, 63 in flight, while a
    /// blocking tool may sleep for two seconds beside them.
    pub fn beside_a_sleeper(&mut self, calls: usize, sleeper: bool) -> f64 {
        let sleeper = sleeper.then(|| {
            let id = self.id();
            let message = self.era.call(id, "block_ms", r#"{"ms":2000}"#);
            self.send(&message);
            id
        });
        let first = self.next_id;
        self.next_id += calls;
        let mut sent: Vec<Option<Instant>> = vec![None; calls];
        let mut times = Vec::with_capacity(calls);
        let (mut asked, mut open) = (0, 0);
        while times.len() < calls {
            let mut batch = String::new();
            while open < 63 && asked < calls {
                batch.push_str(&self.era.echo(first + asked));
                batch.push('\n');
                sent[asked] = Some(Instant::now());
                asked += 1;
                open += 1;
            }
            self.stdin.write_all(batch.as_bytes()).expect("the server reads");
            let lines = self.lines();
            for line in String::from_utf8_lossy(&lines).lines() {
                let id = id_of(line);
                assert_ne!(Some(id), sleeper, "the sleeper woke before the others had ended");
                Call::Echo.assert_answer(line, id);
                let sent = sent[id - first].take().expect("one answer to each");
                times.push(sent.elapsed().as_secs_f64() * 1e3);
                open -= 1;
            }
        }
        percentile(&times, 0.99)
    }

    /// Closes the server's input and waits for its end.
    pub fn end(self) -> Duration {
        let Server { mut process, stdin, stdout, .. } = self;
        let start = Instant::now();
        drop((stdin, stdout));
        let _ = process.0.wait();
        start.elapsed()
    }
}

/// The cost of many calls.
pub struct Flight {
    /// The CPU time of each, in microseconds.
    pub cpu: f64,
    pub per_second: f64,
}
