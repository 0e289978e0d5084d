//! The examples, run as a client runs them.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::example;
use crate::support::{Folder, Revision, Server};

/// An order manager of its own database, in a folder that lives as long as the test.
fn order_manager(folder: &Folder) -> Server {
    Server::setup("order_manager").current_dir(folder.path()).start()
}

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

#[test]
fn order_manager_in_every_revision() {
    let folder = Folder::new();
    for revision in Revision::ALL {
        let mut server = order_manager(&folder);
        server.open(revision);

        let details = server.call("get_order_details", json!({"order_id": "ORD-101"}));
        let expected =
            "Order ID: ORD-101\nCustomer: alice@example.com\nStatus: SHIPPED\nTotal: $120.50\nRefundable: Yes";
        assert_eq!(details.content_text(), expected);
        assert!(!details.is_tool_error());

        let missing = server.call("get_order_details", json!({"order_id": "ORD-999"}));
        assert!(missing.is_tool_error());
        assert!(missing.content_text().contains("ORD-999 was not found"), "{}", missing.text);

        let shipped = server.call("list_orders_by_status", json!({"status": "shipped"}));
        let expected = json!([{"id": "ORD-101", "amount": 120.5, "email": "alice@example.com"}]);
        let text: Value = serde_json::from_str(shipped.content_text()).expect("structured output is text too");
        assert_eq!(text, expected);
        match revision {
            Revision::V2026_07_28 => assert_eq!(shipped.result()["structuredContent"], expected),
            Revision::V2025_06_18 | Revision::V2025_11_25 => {
                assert_eq!(shipped.result()["structuredContent"], json!({"result": expected}));
            }
            _ => {}
        }

        for (order, eligible) in [("ORD-101", true), ("ORD-102", true), ("ORD-103", false), ("ORD-104", false)] {
            let refund = server.call("check_refund_eligibility", json!({"order_id": order}));
            let refund: Value = serde_json::from_str(refund.content_text()).expect("structured output is text too");
            assert_eq!(refund["order_id"], order);
            assert_eq!(refund["eligible"], eligible);
            assert!(!refund["reason"].as_str().expect("a reason").is_empty());
        }

        server.close_input();
        assert!(server.wait().success());
    }
}

#[test]
fn order_manager_publishes_the_schema_that_fastmcp_gives() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let tools = server.ask("tools/list", Value::Null);
    let tools = tools.result()["tools"].as_array().expect("a list").clone();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    let expected = ["check_refund_eligibility", "fetch_external_data", "get_order_details", "list_orders_by_status"];
    assert_eq!(names, expected);
    let details = &tools[2];
    assert_eq!(
        details["inputSchema"],
        json!({
            "type": "object",
            "properties": {"order_id": {"type": "string", "description": "The order reference, e.g. `ORD-101`."}},
            "required": ["order_id"],
            "additionalProperties": false,
        })
    );
    assert_eq!(
        details["description"],
        "Retrieves full details for a specific order by ID.\n\n\
         Use this when the user provides a specific order reference (e.g., ORD-101)."
    );
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
    assert_eq!(tools[3]["outputSchema"]["type"], "array");
    assert_eq!(tools[0]["outputSchema"]["type"], "object");
}

#[test]
fn order_manager_lists_in_a_stable_order_and_any_case() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    for status in ["CANCELLED", "cancelled", " Cancelled "] {
        let orders = server.call("list_orders_by_status", json!({"status": status}));
        assert_eq!(orders.result()["structuredContent"][0]["id"], "ORD-104", "{}", orders.text);
    }
    let none = server.call("list_orders_by_status", json!({"status": "LOST"}));
    assert_eq!(none.result()["structuredContent"], json!([]));
}

#[test]
fn order_manager_has_resources() {
    let folder = Folder::new();
    for revision in Revision::ALL {
        let mut server = order_manager(&folder);
        server.open(revision);
        let resources = server.ask("resources/list", Value::Null);
        let schema = json!([{
            "uri": "orders://schema",
            "name": "orders_schema",
            "description": "The table that holds the orders, as SQL.",
            "mimeType": "application/sql",
        }]);
        assert_eq!(resources.result()["resources"], schema);
        let templates = server.ask("resources/templates/list", Value::Null);
        assert_eq!(templates.result()["resourceTemplates"][0]["uriTemplate"], "orders://{order_id}");

        let schema = server.ask("resources/read", json!({"uri": "orders://schema"}));
        let sql = schema.result()["contents"][0]["text"].as_str().expect("a text");
        assert!(sql.starts_with("CREATE TABLE orders") && sql.contains("customer_email TEXT"), "{sql}");

        let order = server.ask("resources/read", json!({"uri": "orders://ORD-101"}));
        let contents = &order.result()["contents"][0];
        assert_eq!(contents["mimeType"], "application/json");
        let order: Value = serde_json::from_str(contents["text"].as_str().expect("a text")).expect("JSON");
        let expected = json!({
            "order_id": "ORD-101",
            "customer_email": "alice@example.com",
            "status": "SHIPPED",
            "total_amount": 120.5,
            "is_refundable": true,
        });
        assert_eq!(order, expected);

        let missing = server.ask("resources/read", json!({"uri": "orders://ORD-999"}));
        assert_eq!(missing.error_code(), Some(if revision.is_modern() { -32602 } else { -32002 }));
        assert_eq!(missing.value["error"]["data"]["uri"], "orders://ORD-999");
    }
}

#[test]
fn order_manager_has_a_prompt_with_suggestions() {
    let folder = Folder::new();
    for revision in Revision::ALL {
        let mut server = order_manager(&folder);
        server.open(revision);
        let mut review =
            |arguments: Value| server.ask("prompts/get", json!({"name": "refund_review", "arguments": arguments}));
        let answer = review(json!({"order_id": "ORD-102"}));
        let text = answer.result()["messages"][0]["content"]["text"].as_str().expect("a text");
        assert!(text.contains("Order ID: ORD-102\nCustomer: bob@example.com"), "{text}");
        let missing = review(json!({}));
        assert_eq!(missing.error_code(), Some(-32602));
        assert!(missing.text.contains("order_id"), "{}", missing.text);
        let unknown = review(json!({"order_id": "ORD-999"}));
        assert!(unknown.text.contains("ORD-999 was not found"), "{}", unknown.text);

        let references = [
            json!({"type": "ref/prompt", "name": "refund_review"}),
            json!({"type": "ref/resource", "uri": "orders://{order_id}"}),
        ];
        for reference in references {
            for (typed, expected) in [
                ("", json!(["ORD-101", "ORD-102", "ORD-103", "ORD-104"])),
                ("ord-10", json!(["ORD-101", "ORD-102", "ORD-103", "ORD-104"])),
                ("103", json!(["ORD-103"])),
                ("%", json!([])),
                ("ORD-1__", json!([])),
                ("' OR 1=1 --", json!([])),
            ] {
                let argument = json!({"name": "order_id", "value": typed});
                let answer = server.ask("completion/complete", json!({"ref": reference, "argument": argument}));
                assert_eq!(answer.result()["completion"]["values"], expected, "{typed:?}");
            }
        }
    }
}

#[test]
fn order_manager_takes_no_sql_from_its_arguments() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let injections = [
        "' OR '1'='1",
        "ORD-101' --",
        "ORD-101'; DROP TABLE orders; --",
        "' UNION SELECT 1, 2, 3, 4, 5 --",
        "\" OR \"\"=\"",
        "ORD-101\u{0}",
        "%",
        "ORD-1__",
        "\\'; DELETE FROM orders; --",
    ];
    for injection in injections {
        let details = server.call("get_order_details", json!({"order_id": injection}));
        assert!(details.is_tool_error(), "{}", details.text);
        assert!(details.content_text().contains("not found"), "{}", details.text);
        let orders = server.call("list_orders_by_status", json!({"status": injection}));
        assert_eq!(orders.result()["structuredContent"], json!([]), "{}", orders.text);
    }
    assert_eq!(count_orders(folder.path()), 4);
}

#[test]
fn other_calls_go_on_while_external_data_is_fetched() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let start = Instant::now();
    let slow: Vec<String> =
        (0..4).map(|n| server.begin_call("fetch_external_data", json!({"query": format!("topic {n}")}))).collect();
    for _ in 0..20 {
        server.call("get_order_details", json!({"order_id": "ORD-102"}));
    }
    assert!(start.elapsed() < Duration::from_millis(900), "quick calls waited: {:?}", start.elapsed());
    for (n, id) in slow.iter().enumerate() {
        assert!(server.answer_to(id).content_text().contains(&format!("topic {n}")));
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(3), "they ran one after the other: {took:?}");
}

#[test]
fn order_manager_keeps_what_was_changed() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    server.call("get_order_details", json!({"order_id": "ORD-104"}));
    drop(server);
    change(folder.path(), "DELETE FROM orders WHERE order_id = 'ORD-104'");
    change(folder.path(), "UPDATE orders SET status = 'DELIVERED' WHERE order_id = 'ORD-101'");

    let mut server = order_manager(&folder);
    assert!(server.call("get_order_details", json!({"order_id": "ORD-104"})).is_tool_error());
    let details = server.call("get_order_details", json!({"order_id": "ORD-101"}));
    assert!(details.content_text().contains("Status: DELIVERED"), "{}", details.text);
}

#[test]
fn order_managers_that_start_at_once_share_a_new_database() {
    let folder = Folder::new();
    let mut servers: Vec<Server> = (0..6).map(|_| order_manager(&folder)).collect();
    for server in &mut servers {
        let details = server.call("get_order_details", json!({"order_id": "ORD-103"}));
        assert!(details.content_text().contains("charlie@example.com"), "{}", details.text);
    }
    assert_eq!(count_orders(folder.path()), 4);
}

#[test]
fn a_writer_that_holds_its_lock_stops_no_reader() {
    let folder = Folder::new();
    let mut before = order_manager(&folder);
    before.call("get_order_details", json!({"order_id": "ORD-101"}));
    database(folder.path(), async |connection| {
        sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE orders SET status = 'LOST';").execute(connection).await.expect("a lock");
        let mut after = order_manager(&folder);
        for server in [&mut before, &mut after] {
            let start = Instant::now();
            let details = server.call("get_order_details", json!({"order_id": "ORD-101"}));
            assert!(details.content_text().contains("Status: SHIPPED"), "{}", details.text);
            assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        }
    });
}

#[test]
fn the_database_is_where_database_url_says() {
    let folder = Folder::new();
    let plain = folder.path().join("plain path.db");
    let urls = [
        plain.to_str().expect("UTF-8").to_owned(),
        format!("sqlite://{}", folder.path().join("url.db").display()),
        "sqlite:relative.db".to_owned(),
    ];
    for url in urls {
        let mut server = Server::setup("order_manager").current_dir(folder.path()).env("DATABASE_URL", &url).start();
        assert!(!server.call("get_order_details", json!({"order_id": "ORD-101"})).is_tool_error(), "{url}");
    }
    for name in ["plain path.db", "url.db", "relative.db"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert!(!folder.path().join("orders.db").exists());
}

#[test]
fn a_database_that_cannot_be_opened_is_one_clear_sentence() {
    for (url, named) in [
        ("/nonexistent/orders.db", "/nonexistent/orders.db"),
        ("/dev/null/orders.db", "/dev/null/orders.db"),
        ("postgres://localhost/orders", "postgres://localhost/orders"),
        ("sqlite::memory:", "sqlite::memory:"),
    ] {
        let mut server = Server::setup("order_manager").env("DATABASE_URL", url).start();
        assert!(!server.wait().success());
        let stderr = server.final_stderr();
        assert!(stderr.contains(named), "{stderr}");
        assert!(stderr.contains("set DATABASE_URL") || stderr.contains("set it to a path"), "{stderr}");
        assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
        assert!(server.next().is_none(), "nothing on stdout");
    }
}

fn change(folder: &std::path::Path, statement: &'static str) {
    database(folder, async move |connection| {
        sqlx::raw_sql(statement).execute(connection).await.expect("the statement runs");
    });
}

fn count_orders(folder: &std::path::Path) -> i64 {
    database(folder, async |connection| {
        sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(connection).await.expect("the table is there")
    })
}

fn database<T>(folder: &std::path::Path, work: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
    use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(folder.join("orders.db"));
        let mut connection = options.connect().await.expect("the database opens");
        let value = work(&mut connection).await;
        connection.close().await.expect("the database closes");
        value
    })
}
