//! The examples, run as a client runs them.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::example;
use crate::support::{Frame, Revision, Server};

#[test]
fn hello_serves_every_revision() {
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
fn hello_has_at_most_twelve_lines() {
    let source = include_str!("../../examples/hello.rs");
    assert!(source.lines().count() <= 12, "{source}");
}

/// The limit of each port is a fifth below its size before the features that it uses.
#[test]
fn the_ports_are_short_and_import_nothing_of_the_library_but_the_prelude() {
    for (source, limit) in [
        (include_str!("../../examples/ports/everything.rs"), 297),
        (include_str!("../../examples/ports/issue_tracker.rs"), 246),
        (include_str!("../../examples/ports/memory.rs"), 187),
    ] {
        let lines: Vec<&str> = source.lines().map(str::trim).collect();
        let title = lines[0];
        let code = lines.iter().filter(|line| !line.is_empty() && !line.starts_with("//"));
        let count = code.count();
        assert!(count <= limit, "{count} lines of code, at most {limit}: {title}");
        let imports: Vec<&&str> =
            lines.iter().filter(|line| line.starts_with("use ") && line.contains("mcp")).collect();
        assert_eq!(imports, [&"use fastmcp_rs::prelude::*;"], "{title}");
    }
}

#[test]
fn the_testing_example_prints_requests_and_results() {
    let output = Command::new(example("testing_program")).output().expect("the example starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Buy 95.00 CHF for 100.00 EUR?\n{\"amount\":95.0,\"currency\":\"CHF\"}\n"
    );
}

#[test]
fn the_resources_example_serves_every_revision() {
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
fn the_middleware_example_serves_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("middleware", revision);
        let answer = server.call("repeat", json!({"text": "ab", "times": 3}));
        assert_eq!(answer.content_text(), "ababab");
        let answer = server.call("repeat", json!({"text": "ab", "times": 30_000}));
        assert!(answer.is_tool_error());
        assert!(answer.content_text().contains("the limit is 10000 bytes"), "{}", answer.text);
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
        // One line in the log per operation, including rejected ones.
        let log = server.final_stderr();
        assert_eq!(log.matches("tools/call").count(), 14, "{log}");
        assert!(log.contains("tool_error"), "{log}");
    }
}

#[test]
fn the_dynamic_example_serves_every_revision() {
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
        assert!(refused.is_tool_error() && refused.content_text().contains("`/city`: missing"));
        let twice = server.call("install", json!({"operation": forecast}));
        assert!(twice.is_tool_error() && twice.content_text().contains("two tools are named `forecast`"));
        let bad = json!({"operation": {"name": "x", "description": "", "schema": {"type": "string"}}});
        let bad = server.call("install", bad);
        assert!(bad.is_tool_error() && bad.content_text().contains("its `type` is \"string\""), "{bad:?}");
        server.call("maintenance", json!({"on": true}));
        assert_eq!(server.call("forecast", json!({"city": "Lyon"})).error_code(), Some(-32602));
        server.call("maintenance", json!({"on": false}));
        assert_eq!(server.call("uninstall", json!({"name": "forecast"})).content_text(), "forecast is removed");
        assert_eq!(names(&mut server), ["install", "maintenance", "uninstall"]);
    }
}

#[test]
fn the_mounting_example_serves_every_revision() {
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
        assert_eq!(deleted.content_text(), "ada was deleted");
        server.close_input();
        assert!(server.wait().success());
        assert_eq!(server.final_stderr().matches("the ledger closes at 5 cents").count(), 1);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_runs_the_shutdown_functions_of_an_app() {
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
fn the_prompts_example_serves_every_revision() {
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
fn the_methods_example_serves_every_revision() {
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
        let expected = "Summarize this in one sentence:\n\ntest it, then ship it";
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

#[test]
fn the_structured_output_example_serves_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("structured_output", revision);
        let tools = server.ask("tools/list", Value::Null);
        let tools = tools.result()["tools"].as_array().expect("a list").clone();
        let knows_structure = revision >= Revision::V2025_06_18;
        let [rank, report, summarize] = tools.as_slice() else { panic!("{tools:?}") };
        assert_eq!(rank.get("outputSchema").is_some(), knows_structure);
        assert_eq!(summarize.get("outputSchema").is_some(), knows_structure);
        assert_eq!(report.get("outputSchema"), summarize.get("outputSchema"));
        if knows_structure {
            let verdict = &summarize["outputSchema"]["properties"]["verdict"];
            assert_eq!(verdict["enum"], json!(["good", "fair", "poor"]));
        }

        let summary = server.call("summarize", json!({"marks": [90, 80]}));
        assert_eq!(summary.content_text(), r#"{"count":2,"mean":85.0,"verdict":"good"}"#);
        let structured = summary.result().get("structuredContent");
        let expected = json!({"count": 2, "mean": 85.0, "verdict": "good"});
        assert_eq!(structured, knows_structure.then_some(&expected));
        let nothing = server.call("summarize", json!({"marks": []}));
        assert_eq!(nothing.content_text(), r#"{"count":0,"mean":null,"verdict":"poor"}"#);

        let ranked = server.call("rank", json!({"marks": [1, 3, 2]}));
        assert_eq!(ranked.content_text(), "[3,2,1]");
        let structured = ranked.result().get("structuredContent");
        let expected = if revision.is_modern() { json!([3, 2, 1]) } else { json!({"result": [3, 2, 1]}) };
        assert_eq!(structured, knows_structure.then_some(&expected));

        let report = server.call("report", json!({"marks": [60, 51]}));
        assert_eq!(report.content_text(), "2 marks, 55.5 on average.");
        let structured = report.result().get("structuredContent");
        let expected = json!({"count": 2, "mean": 55.5, "verdict": "fair"});
        assert_eq!(structured, knows_structure.then_some(&expected));
    }
}

#[test]
fn the_errors_example_serves_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("errors", revision);
        let rich = server.call("withdraw", json!({"amount": 100}));
        assert_eq!(rich.content_text(), "100 euros withdrawn, 200 left");
        let poor = server.call("withdraw", json!({"amount": 500}));
        assert!(poor.is_tool_error());
        let expected = "The balance is 300 euros: withdraw at most this amount, or ask for credit.";
        assert_eq!(poor.content_text(), expected);
        let greedy = server.call("withdraw", json!({"amount": 5000}));
        assert!(greedy.is_tool_error());
        let expected = "Invalid arguments for `withdraw`:\n- `/amount`: expected an integer from 1 to 1000, got 5000\nNothing was done. Correct the arguments and call again.";
        assert_eq!(greedy.content_text(), expected);

        for (tool, arguments, logged) in [
            ("statement", json!({}), "No such file or directory"),
            ("add", json!({"number": "ten"}), "invalid digit found in string"),
            ("transfer", json!({"to": "A-3", "amount": 1}), "the ledger is not available: connection refused"),
            ("share", json!({"owners": 0}), "panicked: attempt to divide by zero, at examples/errors.rs:"),
        ] {
            let failed = server.call(tool, arguments);
            assert!(failed.is_tool_error());
            let text = failed.content_text();
            let rest = text.strip_prefix("Internal error ");
            let id = rest.and_then(|rest| {
                rest.strip_suffix(". Changing the arguments will not help; the details are in the server's log.")
            });
            let id = id.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(id.len(), 8, "{text}");
            server.wait_for_stderr(&format!("tool `{tool}` failed (error {id}): {logged}"));
        }

        for (to, text) in
            [("B-9", "There is no account B-9: use one of A-1 and A-2."), ("A-2", "Account A-2 cannot receive money.")]
        {
            let failed = server.call("transfer", json!({"to": to, "amount": 1}));
            assert!(failed.is_tool_error());
            assert_eq!(failed.content_text(), text);
        }
        let branch = server.call("branch", json!({"town": "Ulm"}));
        assert!(branch.is_tool_error());
        assert_eq!(branch.content_text(), "There is no branch in Ulm. There is one in Bonn.");
        server.wait_for_stderr("the directory of branches: entity not found");
        assert_eq!(server.call("add", json!({"number": "-1"})).content_text(), "299");
        assert_eq!(server.call("share", json!({"owners": 2})).content_text(), "150");
    }
}

#[test]
fn the_state_example_serves_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("state", revision);
        assert_eq!(server.call("inventory", json!({})).content_text(), "{}");
        assert_eq!(server.call("receive", json!({"article": "nail", "quantity": 3})).content_text(), "3");
        assert_eq!(server.call("receive", json!({"article": "nail", "quantity": 4})).content_text(), "7");
        assert_eq!(server.call("receive", json!({"article": "bolt", "quantity": 1})).content_text(), "1");
        let full = server.call("receive", json!({"article": "bolt", "quantity": u32::MAX}));
        assert!(full.is_tool_error());
        assert_eq!(full.content_text(), "The shelf is full: reduce the quantity.");
        assert_eq!(server.call("inventory", json!({})).content_text(), r#"{"bolt":1,"nail":7}"#);

        // An injected parameter is not an argument.
        let tools = server.ask("tools/list", Value::Null);
        assert_eq!(tools.result()["tools"][1]["inputSchema"]["required"], json!(["article"]));
        let sent = server.call("price", json!({"article": "nail", "currency": "USD"}));
        let expected = "Invalid arguments for `price`:\n- `/currency`: unknown argument; the only valid one is `article`\nNothing was done. Correct the arguments and call again.";
        assert_eq!(sent.content_text(), expected);

        let mut price = |meta: Value| {
            let params = json!({"name": "price", "arguments": {"article": "nail"}});
            server.ask_with_meta("tools/call", params, meta)
        };
        assert_eq!(price(json!({})).content_text(), "nail: 10 EUR");
        assert_eq!(price(json!({"com.example/currency": "USD"})).content_text(), "nail: 10 USD");
        let unknown = price(json!({"com.example/currency": "GBP"}));
        assert!(unknown.is_tool_error());
        assert_eq!(unknown.content_text(), "There are no prices in GBP.");
    }
}

#[test]
fn the_progress_example_serves_every_revision() {
    for revision in Revision::ALL {
        let mut server = Server::connect("progress", revision);
        let boil = json!({"name": "boil", "arguments": {"eggs": 3, "each": 60}});
        // Modern clients say in each request which messages they want; older ones get them without asking.
        let meta = json!({"progressToken": "eggs", "io.modelcontextprotocol/logLevel": "info"});
        let boiled = server.ask_with_meta("tools/call", boil, meta);
        assert_eq!(boiled.content_text(), "3 eggs");
        let told: Vec<Value> = server.take_early().into_iter().map(|frame| frame.value["params"].clone()).collect();
        let [eggs @ .., last] = told.as_slice() else { panic!("nothing was told") };
        let expected: Vec<Value> = (1..=3)
            .map(|egg| {
                let mut params = json!({"progressToken": "eggs", "progress": f64::from(egg), "total": 3.0});
                // The oldest revision has no words for it.
                if revision > Revision::V2024_11_05 {
                    params["message"] = format!("egg {egg} is done").into();
                }
                params
            })
            .collect();
        assert_eq!(eggs, expected);
        assert_eq!(*last, json!({"level": "info", "logger": "boil", "data": "the stove is off"}));

        let primes = json!({"name": "primes", "arguments": {"below": 100}});
        let counted = server.ask_with_meta("tools/call", primes, json!({"progressToken": 7}));
        assert_eq!(counted.content_text(), "25");
        let told = server.take_early();
        let last = told.last().expect("the last report is never lost");
        assert_eq!(last.value["params"], json!({"progressToken": 7, "progress": 98.0, "total": 98.0}));

        // Without a subscription there is no notification: the response is the first frame.
        let id = server.begin_call("boil", json!({"eggs": 2, "each": 10}));
        let answer = loop {
            let frame = server.receive();
            match frame.value["method"].as_str() {
                Some(method) => assert_eq!((method, revision.is_modern()), ("notifications/message", false)),
                None => break frame,
            }
        };
        assert_eq!((answer.id(), answer.content_text()), (Some(id.as_str()), "2 eggs"));
    }
}

#[test]
fn a_cancelled_call_makes_no_further_progress() {
    for revision in Revision::ALL {
        let mut server = Server::connect("progress", revision);
        let id = server.begin_call("boil", json!({"eggs": 12, "each": 60_000}));
        let cancelled = json!({"requestId": id.parse::<i64>().expect("a number")});
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}).to_string());
        assert_eq!(server.call("boil", json!({"eggs": 2, "each": 0})).content_text(), "2 eggs");
        server.close_input();
        // A call that runs would be waited for.
        assert!(server.wait_within(Duration::from_secs(4)).success());
        while let Some(frame) = server.next() {
            assert_ne!(frame.id(), Some(id.as_str()), "a cancelled call is not answered: {}", frame.text);
        }
    }
}

/// Calls a tool as a client that answers its requests in turn. Returns the requests and the final response.
fn call_and_answer(
    server: &mut Server,
    revision: Revision,
    tool: &str,
    arguments: &Value,
    answers: &[Value],
) -> (Vec<Value>, Frame) {
    let mut answers = answers.iter().cloned();
    let mut next = || answers.next().expect("an answer for each question");
    let mut questions = Vec::new();
    if !revision.is_modern() {
        let id = server.begin_call(tool, arguments.clone());
        loop {
            let frame = server.receive();
            // Client and server number their requests each for itself.
            if frame.value["method"].is_null() {
                assert_eq!(frame.id(), Some(id.as_str()));
                return (questions, frame);
            }
            assert_eq!(frame.value["method"], "elicitation/create", "{}", frame.text);
            questions.push(frame.value["params"].clone());
            server.respond(&frame, next());
        }
    }
    let mut params = json!({"name": tool, "arguments": arguments});
    loop {
        let frame = server.ask("tools/call", params.clone());
        let result = &frame.value["result"];
        if result["resultType"] != "input_required" {
            return (questions, frame);
        }
        // Nothing is kept between the rounds but what the client brings.
        params["requestState"] = result["requestState"].clone();
        params["inputResponses"] = json!({});
        for (key, request) in result["inputRequests"].as_object().expect("questions") {
            questions.push(request["params"].clone());
            params["inputResponses"][key] = next();
        }
    }
}

#[test]
fn the_elicitation_example_serves_every_revision() {
    let accept = |content: Value| json!({"action": "accept", "content": content});
    for revision in Revision::ALL.into_iter().filter(|revision| *revision >= Revision::V2025_06_18) {
        let mut server = Server::start("elicitation");
        server.open_with(revision, json!({"elicitation": {}}));
        let to = json!({"to": "Lyon"});
        let wishes = accept(json!({"seats": 2, "class": "business", "note": "no fish"}));
        let (questions, booked) = call_and_answer(&mut server, revision, "book_flight", &to, &[wishes]);
        assert_eq!(booked.content_text(), "2 seats to Lyon in business class are booked. Note: no fish");
        let [question] = questions.as_slice() else { panic!("{questions:?}") };
        assert_eq!(question["message"], "Your flight to Lyon");
        let form = &question["requestedSchema"];
        assert_eq!(form["required"], json!(["seats", "class"]));
        let seats = json!({"type": "integer", "description": "The number of seats.", "minimum": 1, "maximum": 8});
        assert_eq!(form["properties"]["seats"], seats);
        let class = &form["properties"]["class"];
        let titles = ["Economy, 90 euros", "Business, 240 euros"];
        if revision == Revision::V2025_06_18 {
            assert_eq!((&class["enum"], &class["enumNames"]), (&json!(["economy", "business"]), &json!(titles)));
        } else {
            let titled = json!([{"const": "economy", "title": titles[0]}, {"const": "business", "title": titles[1]}]);
            assert_eq!(class["oneOf"], titled);
        }

        let mut book = |answer: Value| {
            let (_, frame) = call_and_answer(&mut server, revision, "book_flight", &to, &[answer]);
            (frame.is_tool_error(), frame.content_text().to_owned())
        };
        assert_eq!(book(json!({"action": "decline"})), (false, "The user declined. Nothing was booked.".into()));
        let nothing = "The user dismissed the form. Nothing was booked.";
        assert_eq!(book(json!({"action": "cancel"})), (false, nothing.into()));
        let (is_error, text) = book(accept(json!({"seats": 20, "class": "economy"})));
        let misfit = "the client's response is invalid: `/seats`: expected an integer from 1 to 8, got 20";
        assert_eq!((is_error, text.as_str()), (true, misfit));
        let eight = || accept(json!({"seats": 8, "class": "economy"}));
        for _ in 0..12 {
            assert_eq!(book(eight()), (false, "8 seats to Lyon in economy class are booked.".into()));
        }
        // Two are left of the hundred.
        assert_eq!(book(eight()), (true, "There are not enough seats left.".into()));

        let yes = || accept(json!({"value": true}));
        let answers = [yes(), accept(json!({"value": false}))];
        let (questions, kept) = call_and_answer(&mut server, revision, "cancel_all", &json!({}), &answers);
        assert_eq!(kept.content_text(), "Nothing was cancelled.");
        let messages: Vec<&Value> = questions.iter().map(|question| &question["message"]).collect();
        assert_eq!(messages, ["Cancel all bookings?", "Really all of them?"]);
        let (_, cancelled) = call_and_answer(&mut server, revision, "cancel_all", &json!({}), &[yes(), yes()]);
        assert_eq!(cancelled.content_text(), "All bookings are cancelled.");
    }
}

#[test]
fn a_client_without_elicitation_gets_an_error() {
    for revision in Revision::ALL {
        let mut server = Server::connect("elicitation", revision);
        let told = server.call("book_flight", json!({"to": "Lyon"}));
        assert!(told.is_tool_error());
        assert_eq!(told.content_text(), "This client cannot ask the user: suggest a travel agency instead.");
        let refused = server.call("cancel_all", json!({}));
        let text = "the client cannot ask its user: it has not declared `elicitation.form`";
        if revision.is_modern() {
            assert_eq!(refused.error_code(), Some(-32021));
            assert_eq!(refused.value["error"]["message"], text);
            let required = json!({"requiredCapabilities": {"elicitation": {"form": {}}}});
            assert_eq!(refused.value["error"]["data"], required);
        } else {
            assert!(refused.is_tool_error());
            assert_eq!(refused.content_text(), text);
        }
    }
}
