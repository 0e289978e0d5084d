//! Text printed to standard output: it goes to standard error, and blocks no call.

use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::messages::call;
use crate::support::{Revision, Server};

/// More than any pipe and any queue of the server holds.
const LINES: usize = 4_000;
/// The length of a line.
const LINE: usize = 1_000;

/// Calls the noisy tool that often, all at once, and expects every answer and nothing else.
///
/// The harness refuses every line that is not a frame, so a response proves clean bytes before it.
pub fn be_noisy(server: &mut Server, rounds: u64) {
    let lines: Vec<String> = (0..rounds).map(|round| call(round, "noisy", json!({"round": round}))).collect();
    for some in lines.chunks(20) {
        server.send(&some.join("\n"));
    }
    for round in 0..rounds {
        let answer = server.answer_to(&round.to_string());
        assert_eq!(answer.is_tool_error(), round % 8 == 7, "{}", answer.text);
        if round % 8 != 7 {
            assert_eq!(answer.content_text(), round.to_string());
        }
    }
    server.assert_quiet();
}

#[test]
fn printed_text_goes_to_standard_error() {
    let mut server = Server::start("fixture");
    be_noisy(&mut server, 1_000);
    server.close_input();
    assert!(server.wait().success());
    assert!(server.next().is_none(), "nothing after the last answer either");
    let stderr = server.final_stderr();
    for text in ["println! of round 0", "println! of round 998", "print! without a newline", "printf of a child"] {
        assert!(stderr.contains(text), "{text:?} is on stderr");
    }
}

#[test]
fn printed_text_stays_off_the_wire_under_every_policy() {
    for policy in ["log", "discard"] {
        let mut server = Server::setup("fixture").env("FIXTURE_STDOUT", policy).start();
        be_noisy(&mut server, 64);
        server.close_input();
        assert!(server.wait().success());
        let kept = server.final_stderr().contains("println! of round 0");
        assert_eq!(kept, policy == "log");
    }
}

#[test]
fn printed_text_stays_off_the_wire_on_one_socket() {
    // Node gives its children sockets, and here one is both input and output.
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let clone = |socket: &UnixStream| -> OwnedFd { socket.try_clone().expect("a descriptor").into() };
    let mut server = Server::setup("fixture")
        .input(clone(&theirs), Some(clone(&ours)))
        .output(clone(&theirs), Some(clone(&ours)))
        .start();
    drop(theirs);
    be_noisy(&mut server, 64);
    server.close_input();
    ours.shutdown(std::net::Shutdown::Write).expect("the socket is open");
    assert!(server.wait().success());
    assert!(server.next().is_none());
}

/// A server whose standard error is a pipe that is not read yet.
fn unread(stdout: Option<&str>) -> (Server, PipeReader) {
    let (ours, theirs) = std::io::pipe().expect("a pipe");
    let mut setup = Server::setup("fixture").stderr(theirs);
    if let Some(stdout) = stdout {
        setup = setup.env("FIXTURE_STDOUT", stdout);
    }
    let mut server = setup.start();
    server.open(Revision::NEWEST);
    (server, ours)
}

#[test]
fn unread_text_does_not_block_a_tool() {
    for stdout in [None, Some("log"), Some("discard")] {
        let (mut server, _unread) = unread(stdout);
        for _ in 0..3 {
            server.call("print_lines", json!({"lines": LINES}));
            server.call("print_lines_inline", json!({"lines": LINES}));
            assert_eq!(server.call("add", json!({"a": 1, "b": 2})).content_text(), "3");
        }
        assert_eq!(server.call("child_prints", json!({"bytes": LINES * LINE})).content_text(), "true");
        let start = Instant::now();
        server.close_input();
        assert!(server.wait().success());
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
}

#[test]
fn text_that_does_not_fit_is_counted() {
    let (mut server, mut stderr) = unread(None);
    server.call("print_lines", json!({"lines": LINES}));
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).expect("it is UTF-8");
        text
    });
    // Once there is room again, printed text arrives again.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        server.call("print_lines", json!({"lines": 1}));
        thread::sleep(Duration::from_millis(100));
    }
    server.close_input();
    assert!(server.wait().success());
    let text = reader.join().expect("the reader does not panic");
    let dropped: usize = text
        .lines()
        .filter_map(|line| line.split_once("WARN fastmcp_rs: ")?.1.split_once(" bytes of printed text were dropped"))
        .map(|(count, _)| count.parse::<usize>().expect("a number"))
        .sum();
    let printed: usize = text.lines().filter(|line| !line.contains("WARN")).map(|line| line.len() + 1).sum();
    assert!(dropped > LINES * LINE / 4, "{dropped} bytes are counted");
    assert!(printed + dropped >= LINES * LINE, "{printed} bytes are there, and {dropped} are counted");
    assert!(text.trim_end().ends_with(&"0".repeat(LINE - 1)), "the last line was printed while there was room");
}

#[test]
fn printed_text_arrives_completely_in_a_pipe() {
    let mut server = Server::start("fixture");
    server.open(Revision::NEWEST);
    server.call("print_lines", json!({"lines": LINES}));
    server.call("child_prints", json!({"bytes": LINES * LINE}));
    server.close_input();
    assert!(server.wait().success());
    let stderr = server.final_stderr();
    let expected = (0..LINES).map(|line| format!("{line:0>width$}\n", width = LINE - 1)).collect::<String>();
    assert!(stderr.contains(&expected), "every line, in order, without anything before it");
    assert!(stderr.contains(&"c".repeat(LINES * LINE)) && stderr.contains("the child has printed"));
}

#[test]
fn printed_text_arrives_completely_in_a_file() {
    let folder = crate::support::Folder::new();
    let path = folder.path().join("stderr");
    let mut server = Server::setup("fixture").stderr(File::create(&path).expect("a file")).start();
    server.open(Revision::NEWEST);
    server.call("print_lines", json!({"lines": 3 * LINES}));
    server.close_input();
    assert!(server.wait().success());
    let lines =
        std::fs::read_to_string(&path).expect("it is UTF-8").lines().filter(|line| line.len() == LINE - 1).count();
    assert_eq!(lines, 3 * LINES);
}

#[test]
fn the_last_text_arrives_before_the_process_ends() {
    for stdout in [None, Some("log")] {
        for _ in 0..5 {
            let mut setup = Server::setup("fixture").env("FIXTURE_LAST_WORDS", "goodbye");
            if let Some(stdout) = stdout {
                setup = setup.env("FIXTURE_STDOUT", stdout);
            }
            let mut server = setup.start();
            server.open(Revision::NEWEST);
            server.begin_call("print_lines", json!({"lines": 3}));
            server.close_input();
            assert!(server.wait().success());
            let stderr = server.final_stderr();
            assert!(stderr.contains(&format!("{:0>width$}\n", 2, width = LINE - 1)), "{stderr}");
            assert!(stderr.ends_with("goodbye\n"), "what `main` prints afterwards: {stderr}");
        }
    }
}

#[test]
fn a_full_standard_error_does_not_keep_the_process() {
    let (ours, mut theirs) = std::io::pipe().expect("a pipe");
    let mut server = Server::setup("fixture")
        .stderr(theirs.try_clone().expect("a descriptor"))
        .env("FIXTURE_LAST_WORDS", "x".repeat(LINE))
        .start();
    server.open(Revision::NEWEST);
    // A pipe holds 64 KiB, in pages.
    theirs.write_all(&[b'.'; (64 << 10) - 100]).expect("there is room");
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(5)).success());
    drop(ours);
}

#[test]
fn printing_continues_when_standard_error_is_closed() {
    let (mut server, stderr) = unread(None);
    drop(stderr);
    for _ in 0..2 {
        assert!(!server.call("print_lines", json!({"lines": LINES})).is_tool_error());
        assert_eq!(server.call("child_prints", json!({"bytes": LINES})).content_text(), "true");
    }
    server.close_input();
    assert!(server.wait().success());
}

#[test]
fn a_log_on_standard_output_does_not_feed_itself() {
    let mut server = Server::setup("fixture").env("FIXTURE_STDOUT", "log").env("FIXTURE_LOG", "stdout").start();
    server.call("noisy", json!({"round": 0}));
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(server.call("noisy", json!({"round": 8})).content_text(), "8");
    // A failure is an event of ours, and so goes to stdout and from there to the log, once.
    server.call("fail_foreign", json!({}));
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(8)).success());
    let stderr = server.final_stderr();
    for text in ["println! of round 0", "println! of round 8", "secret-canary"] {
        assert_eq!(stderr.matches(text).count(), 1, "{text:?} in\n{stderr}");
    }
}

#[test]
fn an_unread_standard_error_does_not_block_calls() {
    let (_unread, theirs) = std::io::pipe().expect("a pipe");
    let mut server = Server::setup("fixture").stderr(theirs).start();
    // Each of these logs a line, far more than a pipe holds.
    for n in 0..3_000 {
        assert!(server.exchange(&call(n, "fail_inside", json!({}))).is_tool_error());
    }
    server.close_input();
    assert!(server.wait().success());
}
