//! Code that blocks, and the end of states, in whole processes that serve HTTP.

use std::process::Command;

use rustix::process::Signal;
use serde_json::json;

use super::client::call;
use super::processes::Process;
use super::support::Folder;
use super::support::client::example;
use super::support::web::start_web;

const RUNTIMES: [&str; 3] = ["mcp::main", "multi", "current"];

fn command(runtime: &str) -> Command {
    let mut command = Command::new(example("runtimes"));
    command.env("HTTP", "127.0.0.1:0").env("VERSION", "1.0.0").env("URL", start_web());
    if runtime != "mcp::main" {
        command.env("RUNTIME", runtime);
    }
    command
}

#[tokio::test]
async fn blocking_code_works_only_in_blocking_handlers() {
    const WAYS: [(&str, &str); 6] = [
        ("Runtime::block_on", "Runtime::block_on"),
        ("Handle::block_on", "Handle::block_on"),
        ("blocking_recv", "blocking_recv: sent"),
        ("blocking_send", "blocking_send: Some(\"sent\")"),
        ("reqwest", "reqwest: fetched"),
        ("drop", "drop"),
    ];
    for runtime in RUNTIMES {
        let mut process = Process::spawn(&mut command(runtime));
        for (way, expected) in WAYS {
            for round in 0..2 {
                for tool in ["block_marked", "block_plain"] {
                    let answer = process.server.send(&call(round, tool, json!({"way": way}))).await;
                    let answer = answer.answer("tools/call");
                    assert_eq!(answer["result"]["content"][0]["text"], expected, "{tool}, round {round} on {runtime}");
                }
                let refused = process.server.send(&call(round, "block", json!({"way": way}))).await;
                assert_eq!(
                    refused.answer("tools/call")["result"]["isError"],
                    true,
                    "{way}, round {round} on {runtime}"
                );
            }
        }
        process.signal(Signal::TERM);
        assert!(process.wait().success());
        let said = process.said();
        let told =
            said.iter().filter(|line| line.contains("tool `block` failed") && line.contains("#[mcp::tool(blocking)]"));
        assert_eq!(told.count(), 2 * WAYS.len(), "{said:#?}");
    }
}

#[tokio::test]
async fn states_are_dropped_when_a_server_is_asked_to_stop() {
    for runtime in RUNTIMES {
        let folder = Folder::new();
        let journal = folder.path().join("journal");
        let notes = folder.path().join("notes");
        let mut process =
            Process::spawn(command(runtime).env("JOURNAL", &journal).env("NOTES", &notes).env("NOTED", ""));
        for (tool, arguments) in
            [("write", json!({"text": "said"})), ("inner_write", json!({"text": "said"})), ("write_closure", json!({}))]
        {
            let answer = process.server.send(&call(1, tool, arguments)).await;
            assert_ne!(answer.answer("tools/call")["result"]["isError"], true);
        }
        process.signal(Signal::TERM);
        assert!(process.wait().success());
        for (name, text) in
            [("", "said"), (".made", "said"), (".mounted", "said"), (".closure", "closure"), (".layer", "write")]
        {
            let written = std::fs::read_to_string(format!("{}{name}", journal.display())).unwrap();
            assert!(written.contains(text), "{name} on {runtime}: {written:?}");
        }
        let notes = std::fs::read_to_string(&notes).unwrap();
        let names = ["made by the mounted app", "made last", "made first", "given to the mounted app", "given last"];
        let dropped = names.into_iter().chain(["given first"]).map(|name| format!("{name} dropped in a runtime\n"));
        let dropped: String = dropped.collect();
        assert_eq!(notes, format!("shut down\n{dropped}returned\n"), "{runtime}");
    }
}
