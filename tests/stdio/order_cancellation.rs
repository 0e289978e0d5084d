//! The order manager asks before it cancels, and cancels once, in both eras.

use serde_json::{Value, json};

use crate::order_manager::{change, database, order_manager};
use crate::support::{Folder, Frame, Revision, Server};

/// The revisions with a handshake in which a client can be asked.
const ASKED_BY_REQUEST: [Revision; 2] = [Revision::V2025_06_18, Revision::V2025_11_25];

/// A client of that revision whose user can be asked.
fn connect(folder: &Folder, revision: Revision) -> Server {
    let mut server = order_manager(folder);
    let modes = if revision >= Revision::V2025_11_25 { json!({"form": {}}) } else { json!({}) };
    server.open_with(revision, json!({"elicitation": modes}));
    server
}

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// A call that waits for the result of its client request.
struct Asked {
    /// The message for the user and its form.
    question: Value,
    /// The continuation of the call: the id of a call that waits, or the state for a repeated call.
    waiting: Result<(String, Frame), String>,
}

fn ask(server: &mut Server, revision: Revision, order: &str) -> Asked {
    let params = json!({"name": "cancel_order", "arguments": {"order_id": order}});
    if revision.is_modern() {
        let round = server.ask("tools/call", params);
        assert_eq!(round.result()["resultType"], "input_required", "{}", round.text);
        let questions = round.result()["inputRequests"].as_object().expect("questions");
        assert_eq!(questions.len(), 1, "{}", round.text);
        let question = questions["elicitation_1"].clone();
        assert_eq!(question["method"], "elicitation/create");
        let state = round.result()["requestState"].as_str().expect("a state").to_owned();
        Asked { question: question["params"].clone(), waiting: Err(state) }
    } else {
        let call = server.begin("tools/call", params);
        let request = server.receive();
        assert_eq!(request.value["method"], "elicitation/create", "{}", request.text);
        Asked { question: request.value["params"].clone(), waiting: Ok((call, request)) }
    }
}

impl Asked {
    fn answer(&self, server: &mut Server, order: &str, answer: Value) -> Frame {
        match &self.waiting {
            Ok((call, request)) => {
                server.respond(request, answer);
                server.answer_to(call)
            }
            Err(state) => server.ask("tools/call", round(order, state, answer)),
        }
    }
}

/// The call once more, with the answer.
fn round(order: &str, state: &str, answer: Value) -> Value {
    json!({
        "name": "cancel_order",
        "arguments": {"order_id": order},
        "inputResponses": {"elicitation_1": answer},
        "requestState": state,
    })
}

fn change_of(frame: &Frame) -> Value {
    assert!(!frame.is_tool_error(), "{}", frame.text);
    frame.result()["structuredContent"].clone()
}

fn refusal(frame: &Frame) -> &str {
    assert!(frame.is_tool_error(), "{}", frame.text);
    frame.content_text()
}

fn status(folder: &Folder, order: &'static str) -> String {
    database(folder.path(), async |connection| {
        let status = sqlx::query_scalar("SELECT status FROM orders WHERE order_id = ?").bind(order);
        status.fetch_one(connection).await.expect("the order is there")
    })
}

/// Every cancellation adds a note of its reason, so the notes count the cancellations.
fn notes(folder: &Folder) -> Vec<String> {
    database(folder.path(), async |connection| {
        let notes = sqlx::query_scalar("SELECT text FROM order_notes ORDER BY note_id");
        notes.fetch_all(connection).await.expect("the notes")
    })
}

/// Makes the database refuse a second cancellation, so that none goes unseen.
fn watch(folder: &Folder) {
    change(
        folder.path(),
        "CREATE TABLE cancellations (order_id TEXT);
         CREATE TRIGGER cancelled AFTER UPDATE OF status ON orders WHEN new.status = 'CANCELLED' BEGIN
             INSERT INTO cancellations VALUES (new.order_id);
         END",
    );
}

fn cancellations(folder: &Folder) -> i64 {
    database(folder.path(), async |connection| {
        let count = sqlx::query_scalar("SELECT count(*) FROM cancellations");
        count.fetch_one(connection).await.expect("a count")
    })
}

fn asking_revisions() -> impl Iterator<Item = Revision> {
    ASKED_BY_REQUEST.into_iter().chain([Revision::V2026_07_28])
}

#[test]
fn a_confirmed_order_is_cancelled_and_the_reason_is_noted() {
    for revision in asking_revisions() {
        let folder = Folder::new();
        let mut server = connect(&folder, revision);
        let asked = ask(&mut server, revision, "ORD-102");
        assert_eq!(asked.question["message"], "Cancel order ORD-102 of bob@example.com over $450.00?");
        let form = &asked.question["requestedSchema"];
        assert_eq!(form["properties"]["confirm"]["type"], "boolean");
        assert_eq!(form["properties"]["reason"]["maxLength"], 500);
        assert_eq!(form["required"], json!(["confirm"]));
        assert_eq!(status(&folder, "ORD-102"), "PROCESSING", "nothing happens before the answer");

        let answer = accept(json!({"confirm": true, "reason": "ordered twice"}));
        let cancelled = asked.answer(&mut server, "ORD-102", answer);
        let expected = json!({
            "order_id": "ORD-102",
            "status": "CANCELLED",
            "changed": true,
            "message": "ORD-102 is CANCELLED now.",
        });
        assert_eq!(change_of(&cancelled), expected);
        assert_eq!(status(&folder, "ORD-102"), "CANCELLED");
        assert_eq!(notes(&folder), ["Cancelled: ordered twice"]);
        let found = server.call("search_order_notes", json!({"query": "twice"}));
        assert!(found.content_text().contains("ordered **twice**"), "{}", found.text);

        // A repeated cancellation needs no confirmation.
        let again = server.call("cancel_order", json!({"order_id": "ORD-102"}));
        let message = "ORD-102 is CANCELLED, and nothing was changed: it already had this status.";
        assert_eq!(change_of(&again)["changed"], false);
        assert_eq!(change_of(&again)["message"], message);
    }
}

#[test]
fn subscribers_of_an_order_are_notified_of_its_cancellation() {
    for revision in ASKED_BY_REQUEST {
        let folder = Folder::new();
        let mut server = connect(&folder, revision);
        server.ask("resources/subscribe", json!({"uri": "orders://ORD-102"})).result();
        for (answer, is_told) in [(json!({"action": "decline"}), false), (accept(json!({"confirm": true})), true)] {
            ask(&mut server, revision, "ORD-102").answer(&mut server, "ORD-102", answer);
            if is_told {
                let update = server.receive();
                assert_eq!(update.value["method"], "notifications/resources/updated", "{}", update.text);
                assert_eq!(update.value["params"]["uri"], "orders://ORD-102");
            }
            server.assert_quiet();
        }
    }
}

#[test]
fn an_unconfirmed_order_is_not_cancelled() {
    for revision in asking_revisions() {
        let folder = Folder::new();
        let mut server = connect(&folder, revision);
        for (answer, why) in [
            (accept(json!({"confirm": false, "reason": "no"})), "the user declined."),
            (json!({"action": "decline"}), "the user declined."),
            (json!({"action": "cancel"}), "the user dismissed the question."),
        ] {
            let asked = ask(&mut server, revision, "ORD-102");
            let kept = asked.answer(&mut server, "ORD-102", answer);
            let expected = json!({
                "order_id": "ORD-102",
                "status": "PROCESSING",
                "changed": false,
                "message": format!("ORD-102 is PROCESSING, and nothing was changed: {why}"),
            });
            assert_eq!(change_of(&kept), expected);
        }
        for wrong in [
            accept(json!({})),
            accept(json!({"confirm": "yes"})),
            accept(json!({"confirm": true, "reason": "x".repeat(501)})),
            json!({"action": "perhaps", "content": {"confirm": true}}),
        ] {
            let asked = ask(&mut server, revision, "ORD-102");
            let refused = asked.answer(&mut server, "ORD-102", wrong);
            assert!(refused.error_code().is_some() || refused.is_tool_error(), "{}", refused.text);
        }
        assert_eq!(status(&folder, "ORD-102"), "PROCESSING");
        assert_eq!(notes(&folder), [""; 0]);
    }
}

#[test]
fn only_a_cancellable_order_needs_confirmation() {
    for revision in asking_revisions() {
        let folder = Folder::new();
        let mut server = connect(&folder, revision);
        for (order, expected) in [
            ("ORD-101", "ORD-101 is SHIPPED and cannot become CANCELLED: the next status is DELIVERED."),
            ("ORD-103", "ORD-103 is DELIVERED and cannot become CANCELLED: its status is final."),
            ("ORD-999", "ORD-999 was not found"),
        ] {
            let refused = server.call("cancel_order", json!({"order_id": order}));
            assert!(refusal(&refused).contains(expected), "{}", refused.text);
        }
        let already = server.call("cancel_order", json!({"order_id": "ORD-104"}));
        assert_eq!(change_of(&already)["changed"], false);
    }
}

#[test]
fn without_elicitation_the_model_gets_advice() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = order_manager(&folder);
        server.open(revision);
        let refused = server.call("cancel_order", json!({"order_id": "ORD-102"}));
        let text = refusal(&refused);
        assert!(text.contains("ORD-102 was not cancelled") && text.contains("Tell the user"), "{text}");
        assert_eq!(status(&folder, "ORD-102"), "PROCESSING");
    }
    // A client that can only open pages cannot show a form.
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    server.open_with(Revision::NEWEST, json!({"elicitation": {"url": {}}}));
    let refused = server.call("cancel_order", json!({"order_id": "ORD-102"}));
    assert!(refusal(&refused).contains("ORD-102 was not cancelled"), "{}", refused.text);
}

#[test]
fn a_repeated_confirmation_cancels_once() {
    let folder = Folder::new();
    let mut server = connect(&folder, Revision::NEWEST);
    let Asked { waiting: Err(state), .. } = ask(&mut server, Revision::NEWEST, "ORD-102") else {
        panic!("a modern client gets a state");
    };
    watch(&folder);
    let confirmed = round("ORD-102", &state, accept(json!({"confirm": true, "reason": "once"})));
    // Twenty at the same time, and then one more.
    let calls: Vec<String> = (0..20).map(|_| server.begin("tools/call", confirmed.clone())).collect();
    let mut changes: Vec<Value> = calls.iter().map(|call| change_of(&server.answer_to(call))).collect();
    changes.push(change_of(&server.ask("tools/call", confirmed)));
    assert_eq!(changes.iter().filter(|change| change["changed"] == true).count(), 1);
    for change in changes {
        assert_eq!(change["status"], "CANCELLED");
        let is_first = change["changed"] == true;
        let message = if is_first { "is CANCELLED now." } else { "nothing was changed: it already had this status." };
        assert!(change["message"].as_str().expect("a text").contains(message), "{change}");
    }
    assert_eq!(cancellations(&folder), 1);
    assert_eq!(notes(&folder), ["Cancelled: once"]);
}

#[test]
fn a_confirmation_without_a_request_does_not_cancel() {
    let folder = Folder::new();
    let mut server = connect(&folder, Revision::NEWEST);
    let yes = || accept(json!({"confirm": true, "reason": "unasked"}));
    for key in ["elicitation_1", "elicitation", "confirm"] {
        let params = json!({
            "name": "cancel_order",
            "arguments": {"order_id": "ORD-102"},
            "inputResponses": {key: yes()},
        });
        let asked = server.ask("tools/call", params);
        assert_eq!(asked.result()["resultType"], "input_required", "{}", asked.text);
        assert_eq!(status(&folder, "ORD-102"), "PROCESSING");
    }
    assert_eq!(notes(&folder), [""; 0]);
    // The question comes with a state, and an answer with that state counts.
    let cancelled = ask(&mut server, Revision::NEWEST, "ORD-102").answer(&mut server, "ORD-102", yes());
    assert_eq!(change_of(&cancelled)["changed"], true);
}

#[test]
fn two_confirmations_of_one_order_cancel_it_once() {
    for revision in ASKED_BY_REQUEST {
        let folder = Folder::new();
        let mut server = connect(&folder, revision);
        let first = ask(&mut server, revision, "ORD-102");
        let second = ask(&mut server, revision, "ORD-102");
        watch(&folder);
        let answer = || accept(json!({"confirm": true, "reason": "once"}));
        assert_eq!(change_of(&second.answer(&mut server, "ORD-102", answer()))["changed"], true);
        assert_eq!(change_of(&first.answer(&mut server, "ORD-102", answer()))["changed"], false);
        // An answer that is sent twice is heard once.
        if let Ok((_, request)) = &first.waiting {
            server.respond(request, answer());
        }
        server.assert_quiet();
        assert_eq!(cancellations(&folder), 1);
        assert_eq!(notes(&folder), ["Cancelled: once"]);
    }
}

#[test]
fn an_order_that_ships_before_the_confirmation_is_not_cancelled() {
    for revision in asking_revisions() {
        let folder = Folder::new();
        let mut server = connect(&folder, revision);
        let asked = ask(&mut server, revision, "ORD-102");
        let mut warehouse = order_manager(&folder);
        warehouse.call("update_order_status", json!({"order_id": "ORD-102", "status": "SHIPPED"}));
        let late = asked.answer(&mut server, "ORD-102", accept(json!({"confirm": true})));
        assert!(refusal(&late).contains("ORD-102 is SHIPPED and cannot become CANCELLED"), "{}", late.text);
        assert_eq!(status(&folder, "ORD-102"), "SHIPPED");
    }
}

#[test]
fn a_confirmation_counts_for_its_own_order() {
    let folder = Folder::new();
    let mut server = connect(&folder, Revision::NEWEST);
    let order = json!({
        "customer_email": "eve@example.com",
        "lines": [{"product": "Mug", "quantity": 1, "unit_price_cents": 100}],
    });
    server.call("create_order", order);
    let Asked { waiting: Err(state), .. } = ask(&mut server, Revision::NEWEST, "ORD-102") else {
        panic!("a modern client gets a state");
    };
    let yes = || accept(json!({"confirm": true}));
    let mut flipped = state.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).expect("the state is ASCII");
    let mut another = connect(&folder, Revision::NEWEST);
    let Asked { waiting: Err(foreign), .. } = ask(&mut another, Revision::NEWEST, "ORD-102") else {
        panic!("a modern client gets a state");
    };
    let mut errors = Vec::new();
    for (order, state) in [
        ("ORD-105", &state[..]),
        ("ORD-102", &flipped),
        ("ORD-102", &state[..state.len() - 1]),
        ("ORD-102", ""),
        ("ORD-102", "e30="),
        // Another process has a key of its own.
        ("ORD-102", &foreign),
    ] {
        let refused = server.ask("tools/call", round(order, state, yes()));
        assert_eq!(refused.error_code(), Some(-32602), "{}", refused.text);
        errors.push(refused.value["error"].clone());
    }
    assert!(errors.iter().all(|error| *error == errors[0]), "nothing tells them apart: {errors:?}");
    assert_eq!((status(&folder, "ORD-102"), status(&folder, "ORD-105")), ("PROCESSING".into(), "PROCESSING".into()));
    let without_a_reason = accept(json!({"confirm": true, "reason": " "}));
    let cancelled = server.ask("tools/call", round("ORD-102", &state, without_a_reason));
    assert_eq!(change_of(&cancelled)["changed"], true);
    assert_eq!(notes(&folder), [""; 0], "nobody gave a reason");
}
