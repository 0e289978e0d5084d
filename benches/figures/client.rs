//! A client that asks one thing at a time, and reads the kernel's clocks of its server.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

pub const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"figures","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A server in a process of its own, which ends with this value.
pub struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: String,
}

/// Keeps this process, and those that it starts, on one core.
pub fn pin_to_one_core() {
    let mut cores = rustix::thread::CpuSet::new();
    let allowed = rustix::thread::sched_getaffinity(None).expect("the cores of this process are known");
    let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).expect("there is a core");
    cores.set(first);
    rustix::thread::sched_setaffinity(None, &cores).expect("a process may be kept on a core of its own");
}

impl Server {
    /// Starts this program in another role, such as `fastmcp`, or `fastmcp-tools 100`.
    pub fn start(role: &str) -> Server {
        let program = std::env::current_exe().expect("a program knows where it is");
        let mut child = Command::new(program)
            .args(role.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let stdin = child.stdin.take().expect("it was piped");
        let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
        Server { child, stdin, stdout, line: String::new() }
    }

    fn ask(&mut self, message: &str) -> &str {
        self.stdin.write_all(message.as_bytes()).expect("the server reads");
        self.line.clear();
        self.stdout.read_line(&mut self.line).expect("the server answers");
        &self.line
    }

    /// The CPU time in milliseconds that the server took from its start to its first answer.
    pub fn cpu_until_discovered(&mut self) -> f64 {
        let answer = self
            .ask(&format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{{{META}}}}}\n"));
        assert!(answer.contains("supportedVersions"), "not an answer to server/discover: {answer}");
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the server runs");
        // The first field is the time on a core in nanoseconds, of one thread.
        let nanoseconds = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
        let total: f64 = nanoseconds.filter_map(|line| line.split(' ').next()?.parse::<f64>().ok()).sum();
        total / 1e6
    }

    /// The time in microseconds for a whole `tools/list`, page after page; the number of tools is checked.
    pub fn list(&mut self, tools: usize) -> f64 {
        let (mut seen, mut cursor) = (0, String::new());
        let start = Instant::now();
        loop {
            let message =
                format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{{{cursor}{META}}}}}\n");
            let answer = self.ask(&message);
            seen += answer.matches("\"inputSchema\"").count();
            match answer.split_once("\"nextCursor\":\"").and_then(|(_, rest)| rest.split_once('"')) {
                Some((next, _)) => cursor = format!("\"cursor\":\"{next}\","),
                None => break,
            }
        }
        let took = start.elapsed().as_secs_f64() * 1e6;
        assert_eq!(seen, tools, "the list is not whole");
        took
    }

    /// The median time in microseconds of a call of `echo` with so many bytes.
    pub fn echo(&mut self, bytes: usize, calls: usize) -> f64 {
        let text = "x".repeat(bytes);
        let message = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"echo\",\"arguments\":{{\"text\":\"{text}\"}},{META}}}}}\n"
        );
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            let start = Instant::now();
            let answer = self.ask(&message);
            times.push(start.elapsed().as_secs_f64() * 1e6);
            assert!(answer.len() > bytes && answer.contains("\"id\":1"), "not the answer to a call");
        }
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    /// How many reads and writes the server has made, of all its threads.
    pub fn reads_and_writes(&self) -> f64 {
        let counts = fs::read_to_string(format!("/proc/{}/io", self.child.id())).expect("the server runs");
        let of = |name: &str| {
            let line = counts.lines().find(|line| line.starts_with(name)).expect("the kernel counts system calls");
            line.split_whitespace().nth(1).and_then(|count| count.parse::<f64>().ok()).expect("a number")
        };
        of("syscr:") + of("syscw:")
    }

    pub fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel counts memory");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
    }

    /// The median time in microseconds of a call, one at a time; each answer is checked.
    pub fn median_call(&mut self, calls: usize) -> f64 {
        let mut times = Vec::with_capacity(calls);
        for number in 0..calls {
            let message = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{number},\"method\":\"tools/call\",\"params\":{{\"name\":\"echo\",\"arguments\":{{\"text\":\"hello {number}\"}},{META}}}}}\n"
            );
            let start = Instant::now();
            let answer = self.ask(&message);
            times.push(start.elapsed().as_secs_f64() * 1e6);
            let right = answer.contains(&format!("\"id\":{number},")) || answer.contains(&format!("\"id\":{number}}}"));
            assert!(
                right && answer.contains(&format!("\"hello {number}\"")),
                "not the answer to call {number}: {answer}"
            );
        }
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
