//! Runtimes: code that blocks, runtimes that lack something, and the version of the program.

use serde_json::json;

use crate::support::client::{Frame, PATIENCE, Setup};
use crate::support::web::start_web;
use crate::support::{Revision, Server};

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
    let setup = Server::setup("runtimes").env("URL", start_web()).env("VERSION", "1.0.0");
    let setup = if runtime == "mcp::main" { setup } else { setup.env("RUNTIME", runtime) };
    let mut server = setup.start();
    server.open(Revision::NEWEST);
    server
}

/// Returns the log of a server that has ended, without the warnings about the library's tools.
fn log(mut server: Server) -> Vec<String> {
    let lines = server.final_stderr();
    lines.lines().filter(|line| !line.contains("clients in JavaScript")).map(str::to_owned).collect()
}

fn read(server: &mut Server, uri: &str) -> Frame {
    server.ask("resources/read", json!({"uri": uri}))
}

#[test]
fn blocking_code_works_in_blocking_handlers() {
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
fn blocking_code_fails_in_every_call_of_other_handlers() {
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

/// The error with which a server does not start.
fn refused(setup: Setup) -> String {
    let mut server = setup.start();
    // It has said so before it reads, so its input is still open.
    let status = server.wait_within(PATIENCE);
    assert_eq!(status.code(), Some(1));
    server.final_stderr()
}

#[test]
fn a_runtime_without_timers_is_refused_at_start() {
    for runtime in ["current, bare", "multi, bare", "current, no timers"] {
        for transport in ["stdio", "http"] {
            let setup = Server::setup("runtimes").env("RUNTIME", runtime).env("VERSION", "1.0.0");
            let setup = if transport == "http" { setup.env("HTTP", "127.0.0.1:0") } else { setup };
            let told = refused(setup);
            let expected = "Error: the tokio runtime has no timers, which the server needs: call `enable_all()` on its builder, or put `#[mcp::main]` or `#[tokio::main]` on `main`\n";
            assert_eq!(told, expected, "{transport} on {runtime}");
        }
    }
}

#[test]
fn http_needs_a_runtime_with_input_and_output_and_stdio_does_not() {
    let setup = || Server::setup("runtimes").env("RUNTIME", "current, timers only").env("VERSION", "1.0.0");
    let told = refused(setup().env("HTTP", "127.0.0.1:0"));
    assert!(
        told.starts_with("Error: the tokio runtime has no input and output") && told.lines().count() == 1,
        "{told}"
    );
    let mut server = setup().start();
    server.open(Revision::NEWEST);
    assert_eq!(server.call("block_marked", json!({"way": "blocking_recv"})).content_text(), "blocking_recv: sent");
}

#[test]
fn a_missing_tokio_runtime_is_an_error() {
    for transport in ["stdio", "http"] {
        let setup = Server::setup("runtimes").env("RUNTIME", "none").env("VERSION", "1.0.0");
        let told = refused(if transport == "http" { setup.env("HTTP", "127.0.0.1:0") } else { setup });
        assert!(told.starts_with("Error: there is no tokio runtime: put") && told.lines().count() == 1, "{told}");
    }
}

#[test]
fn the_version_is_the_programs_and_never_a_librarys() {
    // The tools of `toolbox` 0.3.0 are among its own.
    for (runtime, version, expected) in [
        (None, None, env!("CARGO_PKG_VERSION")),
        (None, Some("7.0.1"), "7.0.1"),
        (Some("multi"), None, "0.0.0"),
        (Some("multi"), Some("7.0.1"), "7.0.1"),
    ] {
        let setup = Server::setup("runtimes");
        let setup = if let Some(runtime) = runtime { setup.env("RUNTIME", runtime) } else { setup };
        let setup = if let Some(version) = version { setup.env("VERSION", version) } else { setup };
        let mut server = setup.start();
        let info = server.exchange(&crate::support::revision::initialize("init", "2025-11-25"));
        assert_eq!(info.result()["serverInfo"]["version"], expected, "{runtime:?} {version:?}");
        server.close_input();
        assert!(server.wait().success());
        let warning = "WARN fastmcp_rs: the version of `runtimes` is unknown, so clients see 0.0.0: put `#[mcp::main]` on `main`, or add `.version(env!(\"CARGO_PKG_VERSION\"))`";
        let expected = if expected == "0.0.0" { vec![warning] } else { vec![] };
        assert_eq!(log(server), expected, "{runtime:?} {version:?}");
    }
}
