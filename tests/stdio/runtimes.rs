//! What runtimes have to do with it: code that blocks, runtimes that lack something, and the version of the program.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

use crate::support::client::Frame;
use crate::support::{Revision, Server};

/// A web server that answers every request with `fetched`.
pub(crate) fn web() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nfetched");
        }
    });
    url
}

const WAYS: [(&str, &str); 6] = [
    ("Runtime::block_on", "Runtime::block_on"),
    ("Handle::block_on", "Handle::block_on"),
    ("blocking_recv", "blocking_recv: sent"),
    ("blocking_send", "blocking_send: Some(\"sent\")"),
    ("reqwest", "reqwest: fetched"),
    ("drop", "drop"),
];

const RUNTIMES: [&str; 3] = ["mcp::main", "multi", "current"];

fn start(runtime: &str) -> Server {
    let setup = Server::setup("runtimes").env("URL", web()).env("VERSION", "1.0.0");
    let setup = if runtime == "mcp::main" { setup } else { setup.env("RUNTIME", runtime) };
    let mut server = setup.start();
    server.open(Revision::NEWEST);
    server
}

/// What a server that has ended has logged, but for what is said of the library's tools.
fn log(mut server: Server) -> Vec<String> {
    let lines = server.final_stderr();
    lines.lines().filter(|line| !line.contains("clients in JavaScript")).map(str::to_owned).collect()
}

fn read(server: &mut Server, uri: &str) -> Frame {
    server.ask("resources/read", json!({"uri": uri}))
}

#[test]
fn code_that_blocks_works_where_it_is_marked() {
    for runtime in RUNTIMES {
        let mut server = start(runtime);
        for (way, expected) in WAYS {
            for round in 0..3 {
                for tool in ["block_marked", "block_plain"] {
                    let answer = server.call(tool, json!({"way": way}));
                    assert_eq!(answer.content_text(), expected, "{tool}, round {round} on {runtime}");
                }
                let prompt =
                    server.ask("prompts/get", json!({"name": "block_prompt_marked", "arguments": {"way": way}}));
                assert_eq!(prompt.result()["messages"][0]["content"]["text"], expected, "round {round} on {runtime}");
                if !way.contains(':') {
                    let resource = read(&mut server, &format!("blocked-marked://{way}"));
                    assert_eq!(resource.result()["contents"][0]["text"], expected, "round {round} on {runtime}");
                }
            }
        }
        server.close_input();
        assert!(server.wait().success());
        assert_eq!(log(server), [""; 0]);
    }
}

#[test]
fn code_that_blocks_fails_in_every_call_where_it_is_not_marked() {
    for runtime in RUNTIMES {
        for (way, _) in WAYS {
            // The first call of a server is polled where it is read.
            let mut server = start(runtime);
            for round in 0..12 {
                let answer = server.call("block", json!({"way": way}));
                assert!(answer.is_tool_error(), "{way}, round {round} on {runtime}: {}", answer.text);
            }
            server.close_input();
            assert!(server.wait().success());
            let log = log(server);
            let is_told = |line: &&String| {
                line.contains("tool `block` failed")
                    && line.contains("mark it `blocking`, as in `#[mcp::tool(blocking)]`")
            };
            assert_eq!((log.len(), log.iter().filter(is_told).count()), (12, 12), "{way} on {runtime}: {log:#?}");
        }
    }
}

#[test]
fn the_log_names_the_attribute_of_resources_and_prompts() {
    let mut server = start("mcp::main");
    assert!(read(&mut server, "blocked://drop").error_code().is_some());
    let prompt = server.ask("prompts/get", json!({"name": "block_prompt", "arguments": {"way": "drop"}}));
    assert!(prompt.error_code().is_some());
    server.close_input();
    assert!(server.wait().success());
    let log = server.final_stderr();
    for line in [
        "resource `blocked` failed",
        "#[mcp::resource(\"…\", blocking)]",
        "prompt `block_prompt` failed",
        "#[mcp::prompt(blocking)]",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}
