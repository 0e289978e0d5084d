//! Settings of operators: real processes with real environment variables, and apps whose code fixes some settings.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastmcp_rs::prelude::*;
use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpListener;

use super::client::{Request, Server, call, modern};
use super::processes::Process;
use super::sessions::Session;
use super::support::Folder;
use super::support::Revision;
use super::support::client::example;

/// A key of 32 bytes, as Base64.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The example, without the settings of the machine that runs the tests.
fn program(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(example("settings"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FASTMCP_RS_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

/// The standard error of a program that does not start.
fn refused(settings: &[(&str, &str)]) -> String {
    let output = program(settings).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    text(&output)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_set_the_address_the_access_and_the_limits_of_a_server() {
    let mut process = Process::spawn(&mut program(&[
        ("FASTMCP_RS_BIND", "127.0.0.1:0"),
        ("FASTMCP_RS_PATH", "/other"),
        ("FASTMCP_RS_ALLOWED_HOSTS", "mcp.example.com, localhost"),
        ("FASTMCP_RS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("FASTMCP_RS_PAGE_SIZE", "1"),
        ("FASTMCP_RS_TIMEOUT", "100ms"),
        ("FASTMCP_RS_MAX_BODY", "1 KiB"),
        ("FASTMCP_RS_METRICS", "1"),
        // Not ours: the Python framework reads it.
        ("FASTMCP_LOG_LEVEL", "chatty"),
    ]));
    let server = &process.server;
    let at = |request: Request| Request { path: "/other".into(), ..request };
    assert_eq!(server.send(&modern(1, "tools/list", json!({}))).await.status, 404, "the endpoint has another path");
    let list = at(modern(1, "tools/list", json!({})));
    let page = server.send(&list.clone().set("Host", "mcp.example.com")).await.answer("tools/list");
    assert_eq!(page["result"]["tools"].as_array().unwrap().len(), 1, "{page}");
    assert!(page["result"]["nextCursor"].is_string(), "{page}");
    assert_eq!(server.send(&list.clone().set("Host", "127.0.0.1")).await.status, 403, "no longer an allowed host");
    assert_eq!(server.send(&list.clone().with("Origin", "https://app.example.com")).await.status, 200);
    assert_eq!(server.send(&list.with("Origin", "https://other.example.com")).await.status, 403);
    let slow = server.send(&at(call(1, "wait", json!({"milliseconds": 60_000})))).await.answer("tools/call");
    assert_eq!(slow["result"]["isError"], true, "{slow}");
    let long = call(1, "wait", json!({"milliseconds": 1, "padding": "x".repeat(2_000)}));
    assert_eq!(server.send(&at(long)).await.status, 413);
    let metrics = server.send(&Request { path: "/metrics".into(), ..Request::new("GET") }).await;
    assert!(metrics.text().contains("mcp_"), "{}", metrics.text());
    process.signal(Signal::TERM);
    assert!(process.wait().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_replaces_a_key_of_the_file() {
    let folder = Folder::new();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "bind = \"127.0.0.1:0\"\npage_size = 1\nmax_body = \"1 KiB\"\n").unwrap();
    let process = Process::spawn(&mut program(&[
        ("FASTMCP_RS_CONFIG", file.to_str().unwrap()),
        ("FASTMCP_RS_PAGE_SIZE", "10"),
        ("FASTMCP_RS_MAX_BODY", ""),
    ]));
    let page = process.server.modern(1, "tools/list", json!({})).await.answer("tools/list");
    assert_eq!(page["result"]["tools"].as_array().unwrap().len(), 2, "the variable has precedence: {page}");
    let long = call(1, "wait", json!({"milliseconds": 1, "padding": "x".repeat(2_000)}));
    assert_eq!(process.server.send(&long).await.status, 413, "an empty variable is not set");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_the_code_fixes_is_logged_and_has_no_effect() {
    let process = Process::spawn(&mut program(&[
        ("FASTMCP_RS_BIND", "127.0.0.1:0"),
        ("FASTMCP_RS_SHOW_ERRORS", "true"),
        ("FASTMCP_RS_LOG_FORMAT", "plain"),
    ]));
    let before = process.before.join("\n");
    let line = "`FASTMCP_RS_SHOW_ERRORS` has no effect: the code of this program fixes `show_errors`";
    assert!(before.contains("WARN") && before.contains(line), "{before}");
    let failed = process.server.send(&call(1, "read_note", json!({"day": 1}))).await.answer("tools/call");
    let shown = failed["result"]["content"][0]["text"].as_str().unwrap();
    assert!(shown.contains("Internal error") && !shown.contains("No such file"), "{failed}");
}

#[test]
fn all_mistakes_of_the_environment_and_the_file_end_the_program_at_once() {
    let folder = Folder::new();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "page_size = 0\n\npage_sizes = 2\n").unwrap();
    let said = refused(&[
        ("FASTMCP_RS_CONFIG", file.to_str().unwrap()),
        ("FASTMCP_RS_TIMEOUT", "90"),
        ("FASTMCP_RS_MAX_BODIES", "1 MiB"),
        ("FASTMCP_RS_SEALING_KEYS", "swordfish"),
        ("FASTMCP_RS_ALLOWED_HOSTS", "https://mcp.example.com"),
    ]);
    let at = |line: u32| format!("({}:{line}): ", file.display());
    for part in [
        "Error: 6 problems:",
        "- `FASTMCP_RS_TIMEOUT`: `90` has no unit: write a whole number and a unit, as in `500ms`",
        "- `FASTMCP_RS_MAX_BODIES`: there is no such setting: did you mean `FASTMCP_RS_MAX_BODY`?",
        "- `FASTMCP_RS_SEALING_KEYS`: key 1 cannot be used: ",
        "- `FASTMCP_RS_ALLOWED_HOSTS`: `https://mcp.example.com` cannot be an allowed host: write it as in a URL",
        &format!(
            "- `page_size` {}`0` is not a number that this setting accepts: write a whole number from 1 on",
            at(1)
        ),
        &format!("- `page_sizes` {}there is no such setting: did you mean `page_size`?", at(3)),
    ] {
        assert!(said.contains(part), "{part}\n\n{said}");
    }
    assert!(!said.contains("swordfish"), "{said}");
}

#[test]
fn a_public_address_names_the_setting_that_it_needs() {
    let said = refused(&[("FASTMCP_RS_BIND", "0.0.0.0:0")]);
    assert!(said.contains("without authentication") && said.contains("the setting `allowed_hosts`"), "{said}");
    let said = refused(&[("FASTMCP_RS_BIND", "127.0.0.1:0"), ("FASTMCP_RS_TLS_KEY", "/etc/key.pem")]);
    assert!(said.contains("HTTPS needs both a certificate and its key"), "{said}");
    let absent = [("FASTMCP_RS_TLS_KEY", "/nowhere/key.pem"), ("FASTMCP_RS_TLS_CERTIFICATE", "/nowhere/chain.pem")];
    let said = refused(&[&absent[..], &[("FASTMCP_RS_BIND", "127.0.0.1:0")]].concat());
    assert!(said.contains("/nowhere/chain.pem"), "{said}");
    let said = refused(&[("FASTMCP_RS_BIND", "127.0.0.1:0"), ("FASTMCP_RS_REPLICAS", "2")]);
    assert!(said.contains("sealing_keys"), "{said}");
}

#[test]
fn the_transport_is_standard_input_and_output_unless_an_address_is_set() {
    for settings in [&[][..], &[("FASTMCP_RS_TRANSPORT", "stdio"), ("FASTMCP_RS_BIND", "127.0.0.1:0")]] {
        let all = [settings, &[("FASTMCP_RS_MAX_LINE", "1 KiB")]].concat();
        let mut child = program(&all).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let long = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"ping","params":{{"x":"{}"}}}}"#, "x".repeat(2_000));
        let mut input = child.stdin.take().unwrap();
        input.write_all(format!("{ping}\n{long}\n").as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let answers = String::from_utf8(output.stdout).unwrap();
        assert!(answers.contains(r#""id":1"#) && answers.contains("-32600"), "{answers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_with_the_same_file_of_keys_share_sessions() {
    let folder = Folder::new();
    let file = folder.path().join("keys");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let settings = [("FASTMCP_RS_BIND", "127.0.0.1:0"), ("FASTMCP_RS_SEALING_KEYS_FILE", file.to_str().unwrap())];
    let [first, second] = [(); 2].map(|()| Process::spawn(&mut program(&settings)));
    // The file has the mode that the umask of the tests leaves, which usually lets every user read it.
    use std::os::unix::fs::PermissionsExt;
    let is_exposed = std::fs::metadata(&file).unwrap().permissions().mode() & 0o004 != 0;
    let before = first.before.join("\n");
    assert_eq!(before.contains("every user of this machine can read the keys in"), is_exposed, "{before}");
    assert!(!before.contains(&KEY[..16]), "{before}");
    let session = Session::open(&first.server, Revision::V2025_11_25).await;
    let restored = second.server.send(&session.request(2, "tools/list", json!({}))).await;
    assert_eq!(restored.status, 200, "{}", restored.text());
}

#[test]
fn log_lines_have_the_level_and_the_format_of_the_operator() {
    let said = |settings: &[(&str, &str)]| {
        let all = [&[("FASTMCP_RS_SHOW_ERRORS", "true")], settings].concat();
        text(&program(&all).output().unwrap())
    };
    let warning = "`FASTMCP_RS_SHOW_ERRORS` has no effect";
    let json = said(&[]);
    let line = json.lines().find(|line| line.contains(warning)).expect("a warning");
    let line: serde_json::Value = serde_json::from_str(line).expect("lines are JSON where there is no terminal");
    assert_eq!(line["level"], "WARN");
    let plain = said(&[("FASTMCP_RS_LOG_FORMAT", "plain")]);
    let line = plain.lines().find(|line| line.contains(warning)).expect("a warning");
    assert!(line.contains(" WARN ") && !line.starts_with('{'), "{line}");
    assert!(!said(&[("FASTMCP_RS_LOG_LEVEL", "error")]).contains(warning));
    assert!(!said(&[("FASTMCP_RS_LOG_LEVEL", "error"), ("RUST_LOG", "debug")]).contains(warning));
    let folder = Folder::new();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "log_level = \"error\"").unwrap();
    let config = ("FASTMCP_RS_CONFIG", file.to_str().unwrap());
    assert!(!said(&[config]).contains(warning));
    assert!(said(&[config, ("RUST_LOG", "warn")]).contains(warning), "RUST_LOG precedes the file");
}

#[test]
fn an_address_may_be_a_unix_socket() {
    let folder = Folder::new();
    let socket = folder.path().join("mcp.sock");
    let bind = format!("unix:{}", socket.display());
    let settings = [("FASTMCP_RS_BIND", bind.as_str()), ("FASTMCP_RS_SOCKET_MODE", "660")];
    let mut child = program(&settings).stderr(Stdio::null()).spawn().unwrap();
    let start = std::time::Instant::now();
    while !socket.exists() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&socket).map(|metadata| metadata.permissions().mode() & 0o777);
    let _ = (child.kill(), child.wait());
    assert_eq!(mode.unwrap(), 0o660);
}

/// Adds two numbers.
#[mcp::tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Doubles a number.
#[mcp::tool]
fn double(number: i64) -> i64 {
    number * 2
}

fn settings() -> Settings {
    Settings::from_variables([("FASTMCP_RS_PAGE_SIZE", "1"), ("FASTMCP_RS_MAX_BODY", "1 KiB")]).unwrap()
}

/// The number of tools on the first page, and the status of a message of 2 KiB.
async fn page_and_status(app: App) -> (usize, u16) {
    let server = Server::start(app.tool::<add>().tool::<double>()).await;
    let page = server.modern(1, "tools/list", json!({})).await.answer("tools/list");
    let long = call(1, "add", json!({"a": 1, "b": 2, "padding": "x".repeat(2_000)}));
    (page["result"]["tools"].as_array().unwrap().len(), server.send(&long).await.status)
}

#[tokio::test]
async fn the_order_of_the_builders_calls_does_not_decide_the_precedence() {
    let http = || HttpConfig::new().max_body(1 << 20);
    let free = App::empty("x").settings(settings());
    assert_eq!(page_and_status(free).await, (1, 413), "the settings apply");
    let before = App::empty("x").page_size(5).http(http()).settings(settings());
    let after = App::empty("x").settings(settings()).page_size(5).http(http());
    for app in [before, after] {
        let (tools, status) = page_and_status(app).await;
        assert_eq!(tools, 2, "the code has fixed the page size");
        assert_ne!(status, 413, "the code has fixed the limit");
    }
    let allowed = || settings().overriding(["page_size"]).overriding(["max_body"]);
    let before = App::empty("x").page_size(5).http(http()).settings(allowed());
    let after = App::empty("x").settings(allowed()).page_size(5).http(http());
    for app in [before, after] {
        assert_eq!(page_and_status(app).await, (1, 413), "the code allows operators to change both");
    }
}

#[tokio::test]
async fn settings_apply_to_test_clients_and_mounted_services() {
    let app = || App::empty("x").tool::<add>().tool::<double>().settings(settings());
    let client = app().test_client().await.unwrap();
    assert_eq!(client.list_tools().await.unwrap().len(), 2, "the client reads all pages");
    client.close().await;
    assert!(app().into_service().await.is_ok());
}

#[tokio::test]
async fn an_overridden_address_replaces_that_of_the_code() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let settings = Settings::from_variables([("FASTMCP_RS_BIND", address.to_string())]).unwrap().overriding(["bind"]);
    // The address in code cannot be bound.
    let task = tokio::spawn(App::empty("x").tool::<add>().settings(settings).run_http("192.0.2.1:1"));
    let failure = Arc::new(Mutex::new(String::new()));
    for _ in 0..500 {
        match tokio::net::TcpStream::connect(address).await {
            Ok(_) => break,
            Err(error) => *failure.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let sum = Server::at(address).send(&call(1, "add", json!({"a": 1, "b": 2}))).await.answer("tools/call");
    assert_eq!(sum["result"]["content"][0]["text"], "3");
    task.abort();
}

#[tokio::test]
async fn a_name_that_cannot_be_overridden_is_an_error_at_start() {
    for (name, part) in [("max_bdy", "did you mean `max_body`?"), ("transport", "call `App::run`")] {
        let error = App::empty("x").settings(settings().overriding([name])).check().unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains(part), "{error}");
    }
}
