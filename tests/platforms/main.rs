//! Guarantees of a stdio server on every supported platform.
//!
//! `cargo test` runs this with a server for this machine. `.ci/targets` runs it with servers for other systems: the
//! variable `PLATFORM_SERVER` names the program, and `PLATFORM_RUNNER` the command that runs it, such as `wine64`. Each
//! frame is checked against the official schema of its revision (`support::schema`).
#![cfg(unix)]

// The other tests use more of it.
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use support::client::example;
use support::{Folder, Frame, Revision, Server};

fn program() -> PathBuf {
    match std::env::var_os("PLATFORM_SERVER") {
        Some(server) => server.into(),
        None => example("platform_server"),
    }
}

/// Prepares to start a program of the platform.
fn command(program: &Path, arguments: &[&str]) -> Command {
    let runner = std::env::var("PLATFORM_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace().map(OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().expect("at least the program"));
    command.args(words).args(arguments).env_remove("RUST_LOG");
    command
}

fn start_with(arguments: &[&str]) -> Server {
    Server::command(command(&program(), arguments)).start()
}

/// Starts a server and opens a session of the newest revision.
fn connect_with(arguments: &[&str]) -> Server {
    let mut server = start_with(arguments);
    server.open(Revision::NEWEST);
    server
}

fn connect() -> Server {
    connect_with(&["--serve"])
}

/// Closes standard input and proves that the server ends with exit code 0 and without another word to the client.
fn finish(mut server: Server) -> String {
    server.close_input();
    let end = server.next();
    assert!(end.is_none(), "nothing but responses reaches the client: {end:?}");
    let status = server.wait();
    let stderr = server.final_stderr();
    assert_eq!(status.code(), Some(0), "{stderr}");
    stderr
}

fn calls(tool: &str, arguments: Value, text: &str) {
    let mut server = connect();
    assert_eq!(server.call(tool, arguments).content_text(), text);
    finish(server);
}

#[test]
fn a_session_of_every_revision_opens_and_lists_tools() {
    for revision in Revision::ALL {
        let mut server = start_with(&["--serve"]);
        server.open(revision);
        let tools = server.ask("tools/list", Value::Null);
        let tools = tools.result()["tools"].as_array().expect("a list").clone();
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert!(["add", "arguments", "echo", "print_in_child"].iter().all(|name| names.contains(name)), "{names:?}");
        assert_eq!(server.call("echo", json!({"text": "å∫ç"})).content_text(), "å∫ç");
        finish(server);
    }
}

#[test]
fn a_blocking_tool_returns_its_result() {
    calls("add", json!({"a": 40, "b": 2}), "42");
}

#[test]
fn a_panic_is_an_error_result_and_the_server_continues() {
    let mut server = connect();
    assert!(server.call("fail", json!({})).is_tool_error());
    assert_eq!(server.call("add", json!({"a": 1, "b": 2})).content_text(), "3");
    assert!(finish(server).contains("this tool always panics"));
}

#[test]
fn a_mebibyte_passes_in_both_directions() {
    let mut server = connect_with(&["--relay"]);
    // Line ends inside of the text, and characters of every length.
    let text = "é\r\n日本\u{1F980}x".repeat(90_000);
    assert!(text.len() >= 1 << 20);
    assert_eq!(server.call("echo", json!({"text": text})).content_text(), text);
    finish(server);
}

#[test]
fn many_requests_at_once_get_one_response_each() {
    let mut server = connect();
    let ids: Vec<String> = (0..500).map(|n| server.begin_call("add", json!({"a": n, "b": 1}))).collect();
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(server.answer_to(id).content_text(), (n + 1).to_string());
    }
    finish(server);
}

#[test]
fn printed_text_goes_to_standard_error() {
    let mut server = connect();
    assert_eq!(server.call("print", json!({"text": "a line é"})).content_text(), "printed");
    assert_eq!(server.call("print_half", json!({"text": "half a line"})).content_text(), "printed");
    assert_eq!(server.call("print_in_c", json!({})).content_text(), "printed");
    let stderr = finish(server);
    for text in ["printed before the start", "a line é\n", "half a line", "printed in C", "printed after the end"] {
        assert!(stderr.contains(text), "{text:?} is not in {stderr:?}");
    }
}

#[test]
fn output_of_a_child_process_goes_to_standard_error() {
    let mut server = connect();
    let response = server.call("print_in_child", json!({}));
    assert_eq!(response.content_text(), "the child ended with Some(0)");
    assert!(finish(server).contains("printed by a child"));
}

#[test]
fn a_child_that_reads_standard_input_gets_nothing() {
    let mut server = connect();
    // Requests that the child would read if it could.
    let id = server.begin_call("read_in_child", json!({}));
    let others: Vec<String> = (0..20).map(|n| server.begin_call("add", json!({"a": n, "b": 0}))).collect();
    assert_eq!(server.answer_to(&id).content_text(), "the child read Some(0) bytes");
    for (n, id) in others.iter().enumerate() {
        assert_eq!(server.answer_to(id).content_text(), n.to_string());
    }
    finish(server);
}

#[test]
fn printed_text_goes_to_the_log_if_configured() {
    let mut server = connect_with(&["--log"]);
    server.call("print", json!({"text": "a line"}));
    server.call("print_in_c", json!({}));
    server.call("print_in_child", json!({}));
    for text in ["stdout: printed before the starta line\n", "stdout: printed in C\n", "stdout: printed by a child\n"] {
        server.wait_for_stderr(text);
    }
    finish(server);
}

#[test]
fn printed_text_is_dropped_if_configured() {
    let mut server = connect_with(&["--discard"]);
    server.call("print", json!({"text": "a line"}));
    server.call("print_in_child", json!({}));
    let stderr = finish(server);
    assert!(!stderr.contains("printed") && !stderr.contains("a line"), "{stderr:?}");
}

#[test]
fn only_responses_are_written_when_both_streams_are_one() {
    let mut server = connect_with(&["--merged"]);
    server.call("print", json!({"text": "a line"}));
    server.call("print_in_c", json!({}));
    server.call("print_in_child", json!({}));
    assert!(server.call("fail", json!({})).is_tool_error());
    finish(server);
}

#[test]
fn arguments_and_paths_may_be_long_and_in_any_script() {
    let folder = Folder::new();
    let mut path = folder.path().to_owned();
    // Longer than the 260 characters that older programs for Windows are limited to.
    for part in ["été", "日本語", "пример", "with a space"] {
        path.push(part.repeat(60 / part.chars().count()));
    }
    std::fs::create_dir_all(&path).expect("a folder can be made");
    let original = program();
    let copy = path.join("ένας server").with_extension(original.extension().unwrap_or_default());
    std::fs::copy(&original, &copy).expect("the program can be copied");
    // Libraries beside a program for Windows belong to it.
    for library in original.parent().into_iter().flat_map(|folder| folder.read_dir().expect("a folder")).flatten() {
        if library.path().extension().is_some_and(|extension| extension == "dll") {
            std::fs::copy(library.path(), path.join(library.file_name())).expect("a library can be copied");
        }
    }
    let arguments = ["--serve", "naïve \"quoted\" \\ 日本", ""];
    let mut server = Server::command(command(&copy, &arguments)).start();
    server.open(Revision::NEWEST);
    let response = server.call("arguments", json!({}));
    assert_eq!(response.result()["structuredContent"], json!(arguments), "{}", response.text);
    let path = server.call("path", json!({}));
    assert!(path.content_text().contains("ένας server"), "{}", path.text);
    finish(server);
}

/// Waits until the server has closed its output.
fn wait_for_end(server: &mut Server) -> Duration {
    let start = Instant::now();
    let end: Option<Frame> = server.next();
    assert!(end.is_none(), "{end:?}");
    start.elapsed()
}

#[test]
fn a_server_ends_with_its_parent() {
    // Standard input stays open.
    let mut server = connect_with(&["--abandon"]);
    assert_eq!(server.call("add", json!({"a": 1, "b": 1})).content_text(), "2");
    let took = wait_for_end(&mut server);
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_server_ends_with_its_input_while_a_tool_blocks_the_reader() {
    let mut server = connect_with(&["--relay"]);
    // The first call teaches nothing yet, so it is polled by the reader.
    server.begin_call("block", json!({"ms": 120_000}));
    std::thread::sleep(Duration::from_millis(500));
    server.close_input();
    let took = wait_for_end(&mut server);
    assert!(took < Duration::from_secs(25), "{took:?}");
}

#[test]
fn a_server_that_is_asked_to_stop_ends_with_exit_code_0() {
    for way in ["ctrl-c", "ctrl-break", "close"] {
        // Standard input stays open.
        let mut server = connect();
        assert_eq!(server.call("stop", json!({"by": way})).content_text(), "asked");
        let took = wait_for_end(&mut server);
        assert!(took < Duration::from_secs(4), "{way}: {took:?}");
        assert_eq!(server.wait().code(), Some(0), "{way}: {}", server.final_stderr());
    }
}
