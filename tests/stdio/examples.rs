//! The examples, run as a client runs them.

use std::process::Command;

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
fn middleware_in_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("middleware", revision);
        let answer = server.call("repeat", json!({"text": "ab", "times": 3}));
        assert_eq!(answer.content_text(), "ababab");
        let answer = server.call("repeat", json!({"text": "ab", "times": 30_000}));
        assert!(answer.is_tool_error());
        assert!(answer.content_text().contains("at most 10000 are allowed"), "{}", answer.text);
        server.call("set_maintenance", json!({"on": true}));
        let answer = server.call("repeat", json!({"text": "ab", "times": 3}));
        assert!(answer.is_tool_error());
        assert_eq!(answer.content_text(), "The shop is closed for maintenance: try again in an hour.");
        assert!(!server.call("set_maintenance", json!({"on": false})).is_tool_error());
        let answer = server.call("set_maintenance", json!({"on": false}));
        assert!(answer.content_text().starts_with("Too many calls of `set_maintenance`"), "{}", answer.text);
        for _ in 0..7 {
            assert!(!server.call("repeat", json!({"text": "a", "times": 1})).is_tool_error());
        }
        assert!(server.call("repeat", json!({"text": "a", "times": 1})).is_tool_error());
        server.close_input();
        assert!(server.wait().success());
        // One line in the log for each operation, also for what was refused.
        let log = server.final_stderr();
        assert_eq!(log.matches("tools/call").count(), 14, "{log}");
        assert!(log.contains("tool_error"), "{log}");
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
