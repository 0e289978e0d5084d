//! The order manager as its clients run it: its tools and resources, and its database.

use std::time::{Duration, Instant};

use fastmcp_rs::testing::assert_tools_snapshot;
use serde_json::{Value, json};

use crate::support::{Folder, Revision, Server};

/// The names of its tools, in the order of the list.
pub const TOOLS: [&str; 9] = [
    "add_order_note",
    "cancel_order",
    "check_refund_eligibility",
    "create_order",
    "fetch_external_data",
    "get_order_details",
    "list_orders_by_status",
    "search_order_notes",
    "update_order_status",
];

/// An order manager of its own database, in a folder that lives as long as the test.
pub fn order_manager(folder: &Folder) -> Server {
    Server::setup("order_manager").current_dir(folder.path()).start()
}

#[test]
fn order_manager_serves_every_revision() {
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
fn order_manager_publishes_the_schema_of_fastmcp() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let tools = server.ask("tools/list", Value::Null);
    let tools = tools.result()["tools"].as_array().expect("a list").clone();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, TOOLS);
    let tool = |name: &str| tools.iter().find(|tool| tool["name"] == name).expect("it was just listed");

    let details = tool("get_order_details");
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
    assert_eq!(tool("list_orders_by_status")["outputSchema"]["type"], "array");
    assert_eq!(tool("check_refund_eligibility")["outputSchema"]["type"], "object");
    for name in ["add_order_note", "cancel_order", "create_order", "search_order_notes", "update_order_status"] {
        assert!(tool(name)["outputSchema"].is_object(), "{name} tells what it returns");
    }
    let annotations: Vec<Value> = tools.iter().map(|tool| tool["annotations"].clone()).collect();
    let looks = json!({"readOnlyHint": true});
    let expected = [
        json!({"destructiveHint": false}),
        json!({"destructiveHint": true, "idempotentHint": true}),
        looks.clone(),
        json!({"destructiveHint": false}),
        json!({"readOnlyHint": true, "openWorldHint": true}),
        looks.clone(),
        looks.clone(),
        looks,
        json!({"idempotentHint": true}),
    ];
    assert_eq!(annotations, expected);
}

#[test]
fn order_manager_has_instructions_for_models() {
    let folder = Folder::new();
    let mut legacy = order_manager(&folder);
    let opened = legacy.exchange(&Revision::V2025_11_25.initialize(1));
    let mut modern = order_manager(&folder);
    let discovered = modern.ask("server/discover", json!({}));
    for answer in [opened, discovered] {
        let instructions = answer.result()["instructions"].as_str().expect("instructions");
        let names = instructions.split(|other: char| !other.is_ascii_lowercase() && other != '_');
        let tools: Vec<_> = names.filter(|name| name.contains('_')).collect();
        assert!(tools.len() > 3 && tools.iter().all(|tool| TOOLS.contains(tool)), "{tools:?}");
        assert!(instructions.contains("ORD-101") && instructions.len() < 1024, "{instructions}");
    }
}

#[test]
fn order_manager_matches_its_lock_file() {
    let folder = Folder::new();
    let tools = order_manager(&folder).ask("tools/list", Value::Null);
    let tools = tools.result()["tools"].as_array().expect("a list").clone();
    assert_tools_snapshot!(tools, "../examples/order_manager/tools.json");
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

    change(folder.path(), "UPDATE orders SET status = 'shipped'");
    let two = server.call("list_orders_by_status", json!({"status": "SHIPPED", "limit": 2}));
    let two = two.result()["structuredContent"].as_array().expect("a list").clone();
    assert_eq!(two.iter().map(|order| &order["id"]).collect::<Vec<_>>(), ["ORD-101", "ORD-102"]);
    for limit in [0, 501] {
        let refused = server.call("list_orders_by_status", json!({"status": "SHIPPED", "limit": limit}));
        assert!(refused.is_tool_error() && refused.content_text().contains("/limit"), "{}", refused.text);
    }
}

#[test]
fn order_manager_serves_resources() {
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
fn order_manager_completes_the_arguments_of_its_prompt() {
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
fn order_manager_runs_no_sql_from_its_arguments() {
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
fn other_calls_continue_while_external_data_is_fetched() {
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
fn order_manager_persists_changes() {
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
fn a_locked_writer_does_not_block_readers() {
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
fn database_url_locates_the_database() {
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
fn a_database_that_cannot_be_opened_is_reported_in_one_sentence() {
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

pub fn change(folder: &std::path::Path, statement: &'static str) {
    database(folder, async move |connection| {
        sqlx::raw_sql(statement).execute(connection).await.expect("the statement runs");
    });
}

fn count_orders(folder: &std::path::Path) -> i64 {
    database(folder, async |connection| {
        sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(connection).await.expect("the table is there")
    })
}

/// Works on the database of a test beside the server.
pub fn database<T>(folder: &std::path::Path, work: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
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
