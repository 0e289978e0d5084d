//! Whole processes: start, shutdown and signals.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::client::{PATIENCE, Request, Server, call, modern};
use super::h2;
use super::support::Revision;
use super::support::client::example;

/// An example that runs, and is ended with the test.
pub(super) struct Process {
    child: Child,
    pub(super) server: Server,
    /// Its standard error before it was ready.
    pub(super) before: Vec<String>,
    /// Returns its standard error, once it has ended.
    said: Option<JoinHandle<Vec<String>>>,
}

/// Reads the output of a process up to the line with its address.
fn address_in(output: &mut impl BufRead, before: &mut Vec<String>) -> SocketAddr {
    loop {
        let line = output.lines().next().expect("it says where it listens").unwrap();
        if let Some((_, address)) = line.split_once("http://") {
            // A line of the log may follow without a line end in between.
            let address = address.split('/').next().unwrap_or_default();
            return address.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        before.push(line);
    }
}

impl Process {
    pub(super) fn start(name: &str, arguments: &[&str]) -> Process {
        Process::spawn(Command::new(example(name)).args(arguments))
    }

    pub(super) fn spawn(command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut before = Vec::new();
        let address = address_in(&mut stderr, &mut before);
        // The pipe is read, so that the process can go on writing to it.
        let said = std::thread::spawn(move || stderr.lines().map_while(Result::ok).collect());
        Process { child, server: Server::at(address), before, said: Some(said) }
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), signal).unwrap();
    }

    /// Its memory, in bytes.
    #[cfg(target_os = "linux")]
    pub(super) fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }

    /// The CPU time that it has taken, in hundredths of a second.
    #[cfg(target_os = "linux")]
    fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// Its standard error since it was ready.
    pub(super) fn said(&mut self) -> Vec<String> {
        self.said.take().expect("it is asked once").join().unwrap()
    }

    pub(super) fn wait(&mut self) -> std::process::ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that has no descriptors left waits longer and longer before it accepts again, and then does.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_out_of_descriptors_waits_for_free_ones() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 48 && exec \"$0\" 127.0.0.1:0"]).arg(example("http"));
    let mut process = Process::spawn(&mut command);
    let ready = || Request { path: "/readyz".into(), ..Request::new("GET") };
    let mut held = Vec::new();
    for _ in 0..80 {
        held.push(process.server.connect().await);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = process.cpu_ticks();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let spent = process.cpu_ticks() - before;
    held.clear();
    assert_eq!(process.server.send(&ready()).await.text(), "ok\n", "it serves again");
    process.signal(Signal::TERM);
    assert!(process.wait().success());
    let said = process.said();
    let warnings = said.iter().filter(|line| line.contains("cannot accept connections")).count();
    println!("no descriptors for a second: {warnings} warnings, {spent} ticks of CPU time");
    assert!((1..=20).contains(&warnings), "{said:?}");
    assert!(spent <= 20, "to ask again at once burns time: {spent} of 100 ticks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_subscriptions_and_lets_calls_finish() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut process = Process::start("http", &["127.0.0.1:0"]);
        let server = &process.server;
        assert_eq!(server.send(&Request { path: "/readyz".into(), ..Request::new("GET") }).await.text(), "ok\n");
        let mut listening = server.connect().await;
        listening.write(&modern("l", "subscriptions/listen", json!({"notifications": {}})).bytes()).await;
        let mut stream = listening.response_head().await.unwrap();
        listening.event(&mut stream).await.unwrap();
        let mut calling = server.connect().await;
        calling.write(&call(1, "count_down", json!({"from": 10})).bytes()).await;
        let mut resting = server.connect().await;
        resting.write(&call(1, "count_down", json!({"from": 0})).bytes()).await;
        resting.response().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let start = Instant::now();
        process.signal(signal);
        // A subscription gets its result, a call runs to its end, and an idle connection is closed.
        let last = listening.message(&mut stream).await.unwrap();
        assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!("l"), &json!("complete")), "{last}");
        assert_eq!(listening.event(&mut stream).await, None);
        assert!(resting.is_closed_within(Duration::from_secs(5)).await);
        let answer = calling.response().await.unwrap().json();
        assert_eq!(answer["result"]["content"][0]["text"], "zero");
        let status = process.wait();
        println!("shutdown: {status} {:?} after {signal:?}, with a call of 1 s", start.elapsed());
        assert!(status.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_subscriptions_and_lets_calls_finish_on_http_2() {
    let mut process = Process::start("http", &["127.0.0.1:0"]);
    let client = h2::Client::connect(&process.server).await;
    let resting = h2::Client::connect(&process.server).await;
    resting.answer(&call(1, "count_down", json!({"from": 0}))).await;
    let mut listening = client.begin(&h2::listen("l")).await.unwrap().into_body();
    h2::next(&mut listening).await;
    let calling = client.calling(call(1, "count_down", json!({"from": 10})));
    tokio::time::sleep(Duration::from_millis(100)).await;
    process.signal(Signal::TERM);
    assert!(h2::next(&mut listening).await.contains(r#""resultType":"complete""#));
    assert!(resting.end(Duration::from_secs(5)).await.unwrap().is_ok(), "an idle connection is closed");
    let answer = calling.await.unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "zero", "a call runs to its end");
    assert!(client.end(Duration::from_secs(5)).await.unwrap().is_ok());
    assert!(process.wait().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_functions_run_after_the_last_call() {
    let mut command = Command::new(example("fixture"));
    let mut process = Process::spawn(command.args(["--http", "127.0.0.1:0"]).env("FIXTURE_END_MS", "100"));
    let mut calling = process.server.connect().await;
    calling.write(&call(1, "sleep_ms", json!({"ms": 500})).bytes()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    process.signal(Signal::TERM);
    let answer = calling.response().await.unwrap().json();
    assert_eq!(answer["result"]["content"][0]["text"], "500", "the call runs to its end");
    assert!(process.wait().success());
    let said = process.said();
    let end = ["the end begins", "the end is over"];
    assert_eq!(said.iter().filter(|line| end.contains(&line.as_str())).collect::<Vec<_>>(), end, "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_lines_are_written_before_the_process_ends() {
    const COUNT: usize = 300;
    let mut command = Command::new(example("fixture"));
    command.args(["--http", "127.0.0.1:0"]).env("RUST_LOG", "debug").stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let server = Server::at(address_in(&mut stderr, &mut Vec::new()));
    let initialize = server.send(&Request::post(Revision::V2025_11_25.initialize(1))).await;
    let session = initialize.header("mcp-session-id").unwrap().to_owned();
    // More than a pipe holds, and nobody reads it.
    let reason = "x".repeat(1_000);
    for id in 0..COUNT {
        let params = json!({"requestId": id, "reason": reason});
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        server.send(&Request::post(cancelled.to_string()).with("Mcp-Session-Id", &session)).await;
    }
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::TERM).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let lines: Vec<String> = stderr.lines().map_while(Result::ok).collect();
    assert!(child.wait().unwrap().success());
    let cancelled = lines.iter().filter(|line| line.contains("is cancelled")).count();
    assert_eq!(cancelled, COUNT, "{:?}", lines.last());
}

#[test]
fn a_signal_ends_a_server_that_creates_its_states() {
    for setting in ["FIXTURE_STATE_MS", "FIXTURE_STATE_BLOCKS_MS"] {
        let mut command = Command::new(example("fixture"));
        command.args(["--http", "127.0.0.1:0"]).env(setting, "60000").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let first = BufReader::new(child.stdout.take().unwrap()).lines().next();
        assert!(first.is_some_and(|line| line.unwrap().starts_with("the state")));
        let start = Instant::now();
        kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::TERM).unwrap();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(5), "it waits for its state");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_panic_of_a_state_function_is_an_error() {
    let mut command = Command::new(example("fixture"));
    let output = command.args(["--http", "127.0.0.1:0"]).env("FIXTURE_STATE_PANICS", "outer").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "an unwinding `main` has another code: {said}");
    for part in ["Slow` panicked: a state panics, at ", "Error: cannot create the state `", "the factory panicked"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_does_not_end_is_cancelled_after_the_shutdown_timeout() {
    let mut process = Process::start("http", &["127.0.0.1:0"]);
    let mut calling = process.server.connect().await;
    calling.write(&call(1, "count_down", json!({"from": 600})).bytes()).await;
    let client = h2::Client::connect(&process.server).await;
    let stream = client.calling(call(1, "count_down", json!({"from": 600})));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    process.signal(Signal::TERM);
    assert!(process.wait().success());
    println!("shutdown: {:?} with a call that would take a minute", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(15));
    assert!(stream.await.unwrap_err().is_panic(), "there was no answer");
    let said = process.said().join("\n");
    assert!(
        said.contains("the shutdown took longer than 10s: 2 requests were cancelled, 2 connections were closed"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_a_request_do_not_delay_the_shutdown() {
    let mut process = Process::start("http", &["127.0.0.1:0"]);
    let server = &process.server;
    let rest = call(1, "count_down", json!({"from": 0}));
    let mut idle = Vec::new();
    // Nothing, half a preface of HTTP/2, half a head, and half a head behind a request.
    for bytes in [&b""[..], b"PRI * HT", b"POST /mcp HT", &[&rest.bytes()[..], b"POST /mcp HT"].concat()] {
        let mut connection = server.connect().await;
        connection.write(bytes).await;
        idle.push(connection);
    }
    // Connections of HTTP/2 send nothing when they get the notice of the end.
    let mut silent = h2::Raw::connect(server).await;
    let mut answered = h2::Raw::connect(server).await;
    answered.request(1, "/healthz").await;
    let client = h2::Client::connect(server).await;
    client.answer(&rest).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = Instant::now();
    process.signal(Signal::TERM);
    for kinds in [silent.rest().await, answered.rest().await] {
        assert!(kinds.contains(&h2::GOAWAY), "no GOAWAY: {kinds:?}");
    }
    assert!(client.end(Duration::from_secs(5)).await.unwrap().is_ok());
    for mut connection in idle {
        assert!(connection.is_closed_within(Duration::from_secs(5)).await);
    }
    assert!(process.wait().success());
    println!("shutdown: {:?} with connections that only rest", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    let said = process.said().join("\n");
    assert!(!said.contains("WARN"), "nothing was cut off: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_process_at_once() {
    // While a call runs, and while the shutdown functions run.
    for (milliseconds, is_called) in [("0", true), ("60000", false)] {
        let mut command = Command::new(example("fixture"));
        command.args(["--http", "127.0.0.1:0"]).env("FIXTURE_END_MS", milliseconds);
        let mut process = Process::spawn(&mut command);
        let mut calling = process.server.connect().await;
        if is_called {
            calling.write(&call(1, "sleep_ms", json!({"ms": 60_000})).bytes()).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        process.signal(Signal::TERM);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = Instant::now();
        process.signal(Signal::INT);
        process.wait();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

/// CVE-2025-49596: no server listens on a public address by accident.
#[test]
fn cve_2025_49596_a_public_address_needs_an_explicit_choice() {
    let start = Instant::now();
    let output = Command::new(example("http")).arg("0.0.0.0:0").output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("App::authenticate") && text.contains("allowed_hosts"), "{text}");
    println!("refused to start within {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_inside_axum_is_served() {
    let process = Process::start("axum_mount", &["127.0.0.1:0"]);
    let sum = process.server.send(&call(1, "add", json!({"a": 1, "b": 2}))).await;
    assert_eq!(sum.answer("tools/call")["result"]["content"][0]["text"], "3");
    assert_eq!(process.server.send(&Request { path: "/".into(), ..Request::new("GET") }).await.text(), "a page");
}
