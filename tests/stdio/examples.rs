//! The examples, run as a client runs them.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::example;
use crate::support::{Revision, Server};

#[test]
fn hello_in_every_revision() {
    for revision in Revision::ALL {
        let mut hello = Server::connect("hello", revision);
        let tools = hello.ask("tools/list", Value::Null);
        let tool = &tools.result()["tools"][0];
        assert_eq!(tool["name"], "hello");
        assert_eq!(tool["description"], "Greets someone by name.");
        let greeting = hello.call("hello", json!({"name": "Ada"}));
        assert_eq!(greeting.content_text(), "Hello, Ada!");
        hello.close_input();
        assert!(hello.wait().success());
    }
}

#[test]
fn hello_is_at_most_twelve_lines() {
    let source = include_str!("../../examples/hello.rs");
    assert!(source.lines().count() <= 12, "{source}");
}

#[test]
fn testing_prints_what_is_asked_and_what_a_call_gives() {
    let output = Command::new(example("testing")).output().expect("the example starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Buy 95.00 CHF for 100.00 EUR?\n{\"amount\":95.0,\"currency\":\"CHF\"}\n"
    );
}

#[test]
fn resources_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("resources", revision);
        let mut read = |uri: &str| server.ask("resources/read", json!({"uri": uri}));
        let about = read("planets://about");
        assert_eq!(about.result()["contents"][0]["mimeType"], "text/markdown");
        let mars = read("planets://mars");
        let contents = json!([{
            "uri": "planets://mars",
            "mimeType": "application/json",
            "text": r#"{"name":"mars","distance":1.52}"#,
        }]);
        assert_eq!(mars.result()["contents"], contents);
        let missing = if revision.is_modern() { -32602 } else { -32002 };
        assert_eq!(read("planets://pluto").error_code(), Some(missing));
        let text = |answer: &Value| answer["contents"][0]["text"].clone();
        assert_eq!(text(read("planets://within/1").result()), r#"["mercury","venus","earth"]"#);
        assert_eq!(text(read("planets://within/1.6?limit=2").result()), r#"["mercury","venus"]"#);
    }
}

#[test]
fn dynamic_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("dynamic", revision);
        let names = |server: &mut Server| -> Vec<String> {
            let tools = server.ask("tools/list", Value::Null);
            let tools = tools.result()["tools"].as_array().unwrap();
            tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&mut server), ["install", "maintenance", "uninstall"]);
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let forecast = json!({"name": "forecast", "description": "Tells the weather.", "schema": schema});
        let told = "notifications/tools/list_changed";
        if revision.is_modern() {
            server.begin("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
            let acknowledged = server.receive();
            assert_eq!(acknowledged.value["method"], "notifications/subscriptions/acknowledged");
        }
        let installed = server.call("install", json!({"operation": forecast}));
        assert_eq!(installed.content_text(), "forecast is installed");
        let early = server.take_early();
        assert!(
            early.iter().any(|frame| frame.value["method"] == told) || server.receive().value["method"] == told,
            "{revision} is told"
        );
        assert_eq!(names(&mut server), ["forecast", "install", "maintenance", "uninstall"]);
        let called = server.call("forecast", json!({"city": "Lyon"}));
        assert_eq!(called.content_text(), r#"{"operation":"forecast","arguments":{"city":"Lyon"}}"#);
        let refused = server.call("forecast", json!({}));
        assert!(refused.is_tool_error() && refused.content_text().contains("`/city`: it is required"));
        let twice = server.call("install", json!({"operation": forecast}));
        assert!(twice.is_tool_error() && twice.content_text().contains("two tools are named `forecast`"));
        let bad = json!({"operation": {"name": "x", "description": "", "schema": {"type": "string"}}});
        let bad = server.call("install", bad);
        assert!(bad.is_tool_error() && bad.content_text().contains("its `type` is \"string\""), "{bad:?}");
        server.call("maintenance", json!({"on": true}));
        assert_eq!(server.call("forecast", json!({"city": "Lyon"})).error_code(), Some(-32602));
        server.call("maintenance", json!({"on": false}));
        assert_eq!(server.call("uninstall", json!({"name": "forecast"})).content_text(), "forecast is gone");
        assert_eq!(names(&mut server), ["install", "maintenance", "uninstall"]);
    }
}

#[test]
fn mounting_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("mounting", revision);
        let tools = server.ask("tools/list", Value::Null);
        let names: Vec<_> = tools.result()["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, ["pay_charge", "users_find"]);
        assert_eq!(server.call("pay_charge", json!({"cents": 5})).content_text(), "charged 5, 5 in all");
        let read = server.ask("resources/read", json!({"uri": "ledger://pay/total"}));
        assert_eq!(read.result()["contents"][0]["text"], "5");
        assert_eq!(server.call("users_find", json!({"prefix": "a"})).content_text(), r#"["ada","alan"]"#);
        let delete = json!({"name": "users_delete", "arguments": {"name": "ada"}});
        assert_eq!(server.ask("tools/call", delete.clone()).error_code(), Some(-32602), "it is not there for others");
        let deleted = server.ask_with_meta("tools/call", delete, json!({"com.example/role": "admin"}));
        assert_eq!(deleted.content_text(), "ada is deleted");
        server.close_input();
        assert!(server.wait().success());
        assert_eq!(server.final_stderr().matches("the ledger closes at 5 cents").count(), 1);
    }
}

#[cfg(unix)]
#[test]
fn an_app_ends_when_it_is_asked_to_stop() {
    use rustix::process::{Pid, Signal, kill_process};

    for stop in [Signal::TERM, Signal::INT] {
        let mut server = Server::connect("mounting", Revision::NEWEST);
        server.call("pay_charge", json!({"cents": 7}));
        let pid = Pid::from_raw(server.pid().try_into().unwrap()).unwrap();
        kill_process(pid, stop).unwrap();
        let start = Instant::now();
        assert!(server.wait_within(Duration::from_secs(5)).success());
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert_eq!(server.final_stderr().matches("the ledger closes at 7 cents").count(), 1);
    }
}

#[test]
fn prompts_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("prompts", revision);
        let arguments = json!({"text": "gravity", "sentences": "2"});
        let explain = server.ask("prompts/get", json!({"name": "explain", "arguments": arguments}));
        let expected = "Explain this in 2 sentences that a child understands:\n\ngravity";
        assert_eq!(explain.result()["messages"][0]["content"]["text"], expected);
        let arguments = json!({"country": "France", "city": "Lyon", "tone": "formal"});
        let letter = server.ask("prompts/get", json!({"name": "letter", "arguments": arguments}));
        let first = &letter.result()["messages"][0]["content"]["text"];
        assert_eq!(first, "Write a formal letter to the city hall of Lyon, France.");

        let mut complete = |name: &str, typed: &str| {
            let answer = server.ask(
                "completion/complete",
                json!({
                    "ref": {"type": "ref/prompt", "name": "letter"},
                    "argument": {"name": name, "value": typed},
                    "context": {"arguments": {"country": "Germany"}},
                }),
            );
            answer.result()["completion"]["values"].clone()
        };
        assert_eq!(complete("country", "f"), json!(["France"]));
        assert_eq!(complete("city", ""), json!(["Berlin", "Bonn", "Bremen"]));
        assert_eq!(complete("tone", ""), json!(["friendly", "formal"]));
    }
}

#[test]
fn methods_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("methods", revision);
        let mut write = |text: &str| {
            let written = server.call("write_note", json!({"title": "plan", "text": text}));
            written.content_text().to_owned()
        };
        assert_eq!(write("ship it"), "plan was written");
        assert_eq!(write("test it, then ship it"), "plan was replaced");
        assert_eq!(server.call("list_notes", json!({})).content_text(), r#"["plan"]"#);

        let note = server.ask("resources/read", json!({"uri": "notes://plan"}));
        assert_eq!(note.result()["contents"][0]["text"], "test it, then ship it");
        let prompt = server.ask("prompts/get", json!({"name": "sum_up", "arguments": {"title": "plan"}}));
        let expected = "Sum this up in one sentence:\n\ntest it, then ship it";
        assert_eq!(prompt.result()["messages"][0]["content"]["text"], expected);
        for reference in
            [json!({"type": "ref/prompt", "name": "sum_up"}), json!({"type": "ref/resource", "uri": "notes://{title}"})]
        {
            let argument = json!({"name": "title", "value": "p"});
            let answer = server.ask("completion/complete", json!({"ref": reference, "argument": argument}));
            assert_eq!(answer.result()["completion"]["values"], json!(["plan"]));
        }
    }
}
