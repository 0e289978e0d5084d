//! The order manager, when orders are created and change.

use serde_json::{Value, json};

use crate::order_manager::{change, database, order_manager};
use crate::support::{Folder, Frame, Revision, Server};

fn structured(frame: &Frame) -> &Value {
    assert!(!frame.is_tool_error(), "{}", frame.text);
    &frame.result()["structuredContent"]
}

fn refusal(frame: &Frame) -> &str {
    assert!(frame.is_tool_error(), "{}", frame.text);
    frame.content_text()
}

/// The arguments of an order for two mugs and a teapot: $42.49.
fn mugs() -> Value {
    json!({
        "customer_email": "dora@example.com",
        "lines": [
            {"product": "Mug \"Größe L\"", "quantity": 2, "unit_price_cents": 1250},
            {"product": "Teapot", "quantity": 1, "unit_price_cents": 1749},
        ],
    })
}

/// Those arguments with some of them replaced, or left out where the value is `null`.
fn mugs_but(changes: Value) -> Value {
    let mut arguments = mugs();
    for (key, value) in changes.as_object().expect("an object") {
        arguments[key] = value.clone();
    }
    arguments
}

fn set_status(server: &mut Server, order: &str, status: &str) -> Frame {
    server.call("update_order_status", json!({"order_id": order, "status": status}))
}

fn rows(folder: &Folder, table: &'static str) -> i64 {
    let count = match table {
        "orders" => "SELECT count(*) FROM orders",
        "order_lines" => "SELECT count(*) FROM order_lines",
        _ => panic!("no count of {table}"),
    };
    database(folder.path(), async |connection| sqlx::query_scalar(count).fetch_one(connection).await.expect("a count"))
}

#[test]
fn an_order_is_created_in_every_revision() {
    let folder = Folder::new();
    for (revision, number) in Revision::ALL.into_iter().zip(105..) {
        let mut server = order_manager(&folder);
        server.open(revision);
        let created = server.call("create_order", mugs());
        assert!(!created.is_tool_error(), "{}", created.text);
        let text: Value = serde_json::from_str(created.content_text()).expect("structured output is text too");
        let order_id = format!("ORD-{number}");
        let expected = json!({"order_id": order_id, "status": "PROCESSING", "total_cents": 4249, "created": true});
        assert_eq!(text, expected);
        if revision >= Revision::V2025_06_18 {
            assert_eq!(structured(&created), &expected);
        }

        let details = server.call("get_order_details", json!({"order_id": order_id}));
        let expected = format!(
            "Order ID: {order_id}\nCustomer: dora@example.com\nStatus: PROCESSING\nTotal: $42.49\nRefundable: Yes\n\
             Line: 2 x Mug \"Größe L\" at $12.50\nLine: 1 x Teapot at $17.49"
        );
        assert_eq!(details.content_text(), expected);
        let order = server.ask("resources/read", json!({"uri": format!("orders://{order_id}")}));
        let order: Value =
            serde_json::from_str(order.result()["contents"][0]["text"].as_str().expect("a text")).expect("JSON");
        assert_eq!(order["total_amount"], 42.49);
        assert_eq!(order["lines"], mugs()["lines"]);
    }
    assert_eq!(rows(&folder, "orders"), 9);
}

#[test]
fn the_largest_order_is_exact_to_the_cent() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let mut lines = vec![json!({"product": "Gold", "quantity": 1000, "unit_price_cents": 10_000_000}); 100];
    lines[99] = json!({"product": "Gold dust", "quantity": 999, "unit_price_cents": 9_999_999});
    let created = server.call("create_order", mugs_but(json!({"lines": lines})));
    assert_eq!(structured(&created)["total_cents"], 99 * 10_000_000_000_i64 + 999 * 9_999_999);
}

#[test]
fn a_repeated_key_creates_one_order() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let keyed = mugs_but(json!({"idempotency_key": "6c1f"}));
    let expected =
        |created: bool| json!({"order_id": "ORD-105", "status": "PROCESSING", "total_cents": 4249, "created": created});
    assert_eq!(structured(&server.call("create_order", keyed.clone())), &expected(true));
    assert_eq!(structured(&server.call("create_order", keyed.clone())), &expected(false));
    drop(server);

    // Also in another process, all at once, and when the order has gone on meanwhile.
    let mut server = order_manager(&folder);
    set_status(&mut server, "ORD-105", "SHIPPED");
    let calls: Vec<String> = (0..20).map(|_| server.begin_call("create_order", keyed.clone())).collect();
    for call in &calls {
        let again = server.answer_to(call);
        assert_eq!(structured(&again)["order_id"], "ORD-105");
        assert_eq!(structured(&again)["status"], "SHIPPED");
        assert_eq!(structured(&again)["created"], false);
    }
    assert_eq!((rows(&folder, "orders"), rows(&folder, "order_lines")), (5, 2));

    for different in [
        json!({"customer_email": "eve@example.com"}),
        json!({"lines": [{"product": "Teapot", "quantity": 1, "unit_price_cents": 1749}]}),
        json!({"is_refundable": false}),
    ] {
        let mut other = keyed.clone();
        other.as_object_mut().expect("an object").extend(different.as_object().expect("an object").clone());
        let refused = server.call("create_order", other);
        assert!(refusal(&refused).contains("belongs to ORD-105"), "{}", refused.text);
        assert!(refusal(&refused).contains("Nothing was created"), "{}", refused.text);
    }
    assert_eq!(rows(&folder, "orders"), 5);

    let calls: Vec<String> =
        (0..20).map(|_| server.begin_call("create_order", mugs_but(json!({"idempotency_key": "new"})))).collect();
    let created = calls.iter().filter(|call| structured(&server.answer_to(call))["created"] == true).count();
    assert_eq!(created, 1);
    assert_eq!(rows(&folder, "orders"), 6);
}

#[test]
fn orders_without_a_key_have_numbers_of_their_own() {
    let folder = Folder::new();
    let mut servers: Vec<Server> = (0..2).map(|_| order_manager(&folder)).collect();
    let calls: Vec<(usize, String)> =
        (0..20).map(|n| (n % 2, servers[n % 2].begin_call("create_order", mugs()))).collect();
    let mut numbers: Vec<String> = calls
        .iter()
        .map(|(server, call)| {
            let created = servers[*server].answer_to(call);
            structured(&created)["order_id"].as_str().expect("an id").to_owned()
        })
        .collect();
    numbers.sort();
    let expected: Vec<String> = (105..125).map(|number| format!("ORD-{number}")).collect();
    assert_eq!(numbers, expected);

    // A number is not given again, and one that another program took is left to it.
    change(folder.path(), "DELETE FROM orders WHERE order_id = 'ORD-124'");
    assert_eq!(structured(&servers[0].call("create_order", mugs()))["order_id"], "ORD-125");
    change(folder.path(), "INSERT INTO orders VALUES ('ORD-126', 'eve@example.com', 'SHIPPED', 1.0, 1)");
    assert_eq!(structured(&servers[1].call("create_order", mugs()))["order_id"], "ORD-127");
}

#[test]
fn an_order_that_breaks_a_limit_is_not_created() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let line = |changes: Value| {
        let mut line = json!({"product": "Mug", "quantity": 1, "unit_price_cents": 1});
        line.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        json!({"lines": [line]})
    };
    for (changes, named) in [
        (json!({"customer_email": "nobody"}), "/customer_email"),
        (json!({"customer_email": "a b@example.com"}), "/customer_email"),
        (json!({"customer_email": format!("{}@example.com", "a".repeat(250))}), "/customer_email"),
        (json!({"customer_email": 7}), "/customer_email"),
        (json!({"lines": []}), "/lines"),
        (json!({"lines": vec![mugs()["lines"][0].clone(); 101]}), "/lines"),
        (line(json!({"quantity": 0})), "/lines/0/quantity"),
        (line(json!({"quantity": -1})), "/lines/0/quantity"),
        (line(json!({"quantity": 1.5})), "/lines/0/quantity"),
        (line(json!({"quantity": 1001})), "/lines/0/quantity"),
        (line(json!({"unit_price_cents": -1})), "/lines/0/unit_price_cents"),
        (line(json!({"unit_price_cents": 12.5})), "/lines/0/unit_price_cents"),
        (line(json!({"unit_price_cents": 10_000_001})), "/lines/0/unit_price_cents"),
        (line(json!({"product": ""})), "/lines/0/product"),
        (line(json!({"product": "  "})), "/lines/0/product"),
        (line(json!({"product": "Mug\nStatus: DELIVERED"})), "/lines/0/product"),
        (line(json!({"product": "M".repeat(201)})), "/lines/0/product"),
        (line(json!({"discount": 5})), "/lines/0/discount"),
        (json!({"idempotency_key": ""}), "/idempotency_key"),
        (json!({"idempotency_key": "k".repeat(101)}), "/idempotency_key"),
        (json!({"total_cents": 1}), "/total_cents"),
    ] {
        let refused = server.call("create_order", mugs_but(changes.clone()));
        assert!(refusal(&refused).contains(named), "{changes}: {}", refused.text);
    }
    assert_eq!((rows(&folder, "orders"), rows(&folder, "order_lines")), (4, 0));
}

#[test]
fn the_status_of_an_order_only_moves_forward() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let skipped = set_status(&mut server, "ORD-102", "DELIVERED");
    let expected = "ORD-102 is PROCESSING and cannot become DELIVERED: the next status is SHIPPED or CANCELLED. Nothing was changed.";
    assert_eq!(refusal(&skipped), expected);

    for (status, back) in [("SHIPPED", "PROCESSING"), ("DELIVERED", "SHIPPED")] {
        for (changed, message) in [
            (true, format!("ORD-102 is {status} now.")),
            (false, format!("ORD-102 is {status}, and nothing was changed: it already had this status.")),
        ] {
            let expected = json!({"order_id": "ORD-102", "status": status, "changed": changed, "message": message});
            assert_eq!(structured(&set_status(&mut server, "ORD-102", status)), &expected);
        }
        let refused = set_status(&mut server, "ORD-102", back);
        assert!(refusal(&refused).contains(&format!("is {status} and cannot become {back}")), "{}", refused.text);
    }
    for (order, current) in [("ORD-102", "DELIVERED"), ("ORD-104", "CANCELLED")] {
        let refused = set_status(&mut server, order, "PROCESSING");
        let expected =
            format!("{order} is {current} and cannot become PROCESSING: its status is final. Nothing was changed.");
        assert_eq!(refusal(&refused), expected);
    }
    let details = server.call("get_order_details", json!({"order_id": "ORD-102"}));
    assert!(details.content_text().contains("Status: DELIVERED"), "{}", details.text);
}

#[test]
fn a_status_is_one_of_four() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let lost = set_status(&mut server, "ORD-102", "LOST");
    assert!(refusal(&lost).contains("/status") && refusal(&lost).contains("SHIPPED"), "{}", lost.text);
    let cancelled = set_status(&mut server, "ORD-102", "CANCELLED");
    assert!(refusal(&cancelled).contains("use cancel_order"), "{}", cancelled.text);
    let missing = set_status(&mut server, "ORD-999", "SHIPPED");
    assert!(refusal(&missing).contains("ORD-999 was not found"), "{}", missing.text);

    // An unknown status is unchanged, and a status in another case is understood.
    change(folder.path(), "UPDATE orders SET status = 'LOST' WHERE order_id = 'ORD-101'");
    change(folder.path(), "UPDATE orders SET status = 'processing' WHERE order_id = 'ORD-102'");
    let unknown = set_status(&mut server, "ORD-101", "DELIVERED");
    assert!(refusal(&unknown).contains("ORD-101 is LOST and cannot become DELIVERED"), "{}", unknown.text);
    assert_eq!(structured(&set_status(&mut server, "ORD-102", "SHIPPED"))["changed"], true);
}

#[test]
fn of_simultaneous_updates_exactly_one_wins() {
    let folder = Folder::new();
    let mut servers: Vec<Server> = (0..2).map(|_| order_manager(&folder)).collect();
    for status in ["SHIPPED", "DELIVERED"] {
        let calls: Vec<(usize, String)> = (0..20)
            .map(|n| {
                let arguments = json!({"order_id": "ORD-102", "status": status});
                (n % 2, servers[n % 2].begin_call("update_order_status", arguments))
            })
            .collect();
        let mut winners = 0;
        for (server, call) in &calls {
            let answer = servers[*server].answer_to(call);
            assert_eq!(structured(&answer)["status"], status);
            winners += usize::from(structured(&answer)["changed"] == true);
        }
        assert_eq!(winners, 1, "{status}");
    }
}

#[test]
fn subscribers_of_an_order_are_notified_of_its_changes() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = order_manager(&folder);
        server.open_with(revision, json!({"elicitation": {}}));
        if revision.is_modern() {
            let watched = json!({"notifications": {"resourceSubscriptions": ["orders://ORD-102", "orders://ORD-104"]}});
            server.begin("subscriptions/listen", watched);
            assert_eq!(server.receive().value["method"], "notifications/subscriptions/acknowledged");
        } else {
            for uri in ["orders://ORD-102", "orders://ORD-104"] {
                server.ask("resources/subscribe", json!({"uri": uri})).result();
            }
        }
        let set = |order: &str, status: &str| json!({"order_id": order, "status": status});
        for (tool, arguments, told) in [
            ("update_order_status", set("ORD-102", "SHIPPED"), Some("orders://ORD-102")),
            ("update_order_status", set("ORD-102", "SHIPPED"), None),
            ("update_order_status", set("ORD-102", "PROCESSING"), None),
            ("update_order_status", set("ORD-101", "DELIVERED"), None),
            ("add_order_note", json!({"order_id": "ORD-104", "text": "gone"}), Some("orders://ORD-104")),
            ("add_order_note", json!({"order_id": "ORD-101", "text": "here"}), None),
            ("add_order_note", json!({"order_id": "ORD-999", "text": "lost"}), None),
            ("cancel_order", json!({"order_id": "ORD-104"}), None),
            ("update_order_status", set("ORD-102", "DELIVERED"), Some("orders://ORD-102")),
        ] {
            server.call(tool, arguments);
            if let Some(uri) = told {
                let update = server.receive();
                assert_eq!(update.value["method"], "notifications/resources/updated", "{}", update.text);
                assert_eq!(update.value["params"]["uri"], uri);
            }
            server.assert_quiet();
        }
    }
}

#[test]
fn a_database_with_only_orders_is_served() {
    let folder = Folder::new();
    std::fs::File::create(folder.path().join("orders.db")).expect("an empty file is an empty database");
    change(folder.path(), include_str!("../../examples/order_manager/database/orders.sql"));
    change(folder.path(), "DELETE FROM orders WHERE order_id <> 'ORD-103'");
    let mut server = order_manager(&folder);
    assert_eq!(structured(&server.call("create_order", mugs()))["order_id"], "ORD-104");
    let note = server.call("add_order_note", json!({"order_id": "ORD-103", "text": "kept"}));
    assert_eq!(structured(&note)["note_id"], 1);
    assert_eq!(rows(&folder, "orders"), 2);
}

#[test]
fn a_change_that_finds_the_database_locked_can_be_tried_again() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    server.call("get_order_details", json!({"order_id": "ORD-101"}));
    database(folder.path(), async |connection| {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.expect("a lock");
        let busy = set_status(&mut server, "ORD-102", "SHIPPED");
        assert_eq!(refusal(&busy), "The database is busy, try again.");
        sqlx::raw_sql("ROLLBACK").execute(connection).await.expect("the lock is given back");
    });
    assert_eq!(structured(&set_status(&mut server, "ORD-102", "SHIPPED"))["changed"], true);
}
