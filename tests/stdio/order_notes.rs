//! Notes of the order manager: every query is a list of words, and the best match comes first.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::order_manager::{change, order_manager};
use crate::support::{Folder, Revision, Server};

fn add(server: &mut Server, order: &str, text: &str) -> Value {
    let note = server.call("add_order_note", json!({"order_id": order, "text": text}));
    assert!(!note.is_tool_error(), "{}", note.text);
    note.result()["structuredContent"].clone()
}

/// The matches, as pairs of order and snippet.
fn search(server: &mut Server, arguments: Value) -> Vec<(String, String)> {
    let found = server.call("search_order_notes", arguments);
    assert!(!found.is_tool_error(), "{}", found.text);
    let found = found.result()["structuredContent"].as_array().expect("a list").clone();
    let text = |note: &Value, key: &str| note[key].as_str().expect("a text").to_owned();
    found.iter().map(|note| (text(note, "order_id"), text(note, "snippet"))).collect()
}

fn orders_about(server: &mut Server, query: &str) -> Vec<String> {
    search(server, json!({"query": query})).into_iter().map(|(order, _)| order).collect()
}

#[test]
fn notes_are_added_and_found_in_every_revision() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = order_manager(&folder);
        server.open(revision);
        let added =
            server.call("add_order_note", json!({"order_id": "ORD-102", "text": "Rang twice, asks for a refund."}));
        assert!(!added.is_tool_error(), "{}", added.text);
        let added: Value = serde_json::from_str(added.content_text()).expect("structured output is text too");
        assert_eq!(added["text"], "Rang twice, asks for a refund.");
        let time = added["created_at"].as_str().expect("a time");
        assert!(time.len() == 20 && time.starts_with("20") && time.ends_with('Z'), "{time}");

        let found = server.call("search_order_notes", json!({"query": "refunds"}));
        let found: Value = serde_json::from_str(found.content_text()).expect("structured output is text too");
        let expected = json!([{
            "note_id": added["note_id"],
            "order_id": "ORD-102",
            "created_at": time,
            "snippet": "Rang twice, asks for a **refund**.",
        }]);
        assert_eq!(found, expected);
        let details = server.call("get_order_details", json!({"order_id": "ORD-102"}));
        let expected = format!("Refundable: Yes\nNote of {time}: Rang twice, asks for a refund.");
        assert!(details.content_text().ends_with(&expected), "{}", details.text);
    }
}

#[test]
fn better_matches_come_first() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    // The best are the oldest, so that age does not put them in front.
    add(&mut server, "ORD-102", "A late mug arrived broken; broken handle.");
    add(
        &mut server,
        "ORD-101",
        "The customer says that the mug came late, and otherwise praises what came in the box.",
    );
    for n in 0..20 {
        add(&mut server, "ORD-103", &format!("Nothing new on day {n}, the customer waits."));
    }
    assert_eq!(orders_about(&mut server, "mug broken late"), ["ORD-102", "ORD-101"]);
    // One rare word counts for more than one that is in every note.
    assert_eq!(orders_about(&mut server, "customer praised")[0], "ORD-101");
    // Notes that match equally well: the newest first.
    let found = search(&mut server, json!({"query": "nothing", "limit": 2}));
    assert_eq!(found[0].1, "**Nothing** new on day 19, the customer waits.");
    assert_eq!(found[1].1, "**Nothing** new on day 18, the customer waits.");
}

#[test]
fn a_snippet_contains_the_matched_words() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let filler = "the customer talked about the weather and about nothing else. ".repeat(12);
    add(&mut server, "ORD-101", &format!("{filler}The TEAPOT has a crack, and the Teapots before had none. {filler}"));
    let found = search(&mut server, json!({"query": "teapot crack"}));
    let snippet = &found[0].1;
    assert!(snippet.contains("The **TEAPOT** has a **crack**, and the **Teapots** before"), "{snippet}");
    assert!(snippet.starts_with('…') && snippet.ends_with('…'), "{snippet}");
    assert!(snippet.len() < 250, "{snippet}");
}

#[test]
fn a_search_is_limited_and_can_be_about_one_order() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    for n in 0..60 {
        add(&mut server, if n % 2 == 0 { "ORD-101" } else { "ORD-102" }, "called about the teapot");
    }
    assert_eq!(orders_about(&mut server, "teapot").len(), 10);
    assert_eq!(search(&mut server, json!({"query": "teapot", "limit": 50})).len(), 50);
    let found = search(&mut server, json!({"query": "teapot", "limit": 50, "order_id": "ORD-102"}));
    assert_eq!(found.len(), 30);
    assert!(found.iter().all(|(order, _)| order == "ORD-102"));
    assert_eq!(search(&mut server, json!({"query": "teapot", "order_id": "ORD-999"})), []);
    let details = server.call("get_order_details", json!({"order_id": "ORD-101"}));
    assert_eq!(details.content_text().matches("Note of").count(), 10);
}

#[test]
fn a_note_that_breaks_a_limit_is_not_added() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    for (order, text, named) in [
        ("ORD-999", "hello".to_owned(), "ORD-999 was not found"),
        ("ORD-101' --", "hello".to_owned(), "was not found"),
        ("ORD-101", String::new(), "/text"),
        ("ORD-101", " \n\t ".to_owned(), "/text"),
        ("ORD-101", "ä".repeat(2001), "/text"),
    ] {
        let refused = server.call("add_order_note", json!({"order_id": order, "text": text}));
        assert!(refused.is_tool_error() && refused.content_text().contains(named), "{}", refused.text);
    }
    for (arguments, named) in [
        (json!({"query": "ä".repeat(501)}), "/query"),
        (json!({"query": "hello", "limit": 0}), "/limit"),
        (json!({"query": "hello", "limit": 51}), "/limit"),
        (json!({}), "/query"),
    ] {
        let refused = server.call("search_order_notes", arguments);
        assert!(refused.is_tool_error() && refused.content_text().contains(named), "{}", refused.text);
    }
    assert_eq!(orders_about(&mut server, "hello"), [""; 0]);
    add(&mut server, "ORD-101", &"ä".repeat(2000));
    assert_eq!(orders_about(&mut server, &"ä".repeat(500)), [""; 0]);
}

#[test]
fn a_query_in_fts5_syntax_is_searched_as_words() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    add(&mut server, "ORD-101", "The café was closed, so the late-night delivery didn't happen AND nobody was near.");
    add(&mut server, "ORD-102", "Text 102, in column one: NOT the right colour 🎉");
    for (query, expected) in [
        ("late-night", &["ORD-101"][..]),
        ("-night", &["ORD-101"]),
        ("happen*", &["ORD-101"]),
        ("\"closed", &["ORD-101"]),
        ("closed\"", &["ORD-101"]),
        ("\"\"closed\"\"", &["ORD-101"]),
        ("NEAR(closed delivery, 1)", &["ORD-101"]),
        ("NEAR(", &["ORD-101"]),
        ("AND", &["ORD-101"]),
        ("closed AND", &["ORD-101"]),
        ("NOT colour", &["ORD-102"]),
        ("NOT", &["ORD-102"]),
        ("OR colour OR", &["ORD-102"]),
        ("text:colour", &["ORD-102"]),
        ("order_id:colour", &["ORD-102"]),
        ("nosuchcolumn:colour", &["ORD-102"]),
        ("{text order_id}:colour", &["ORD-102"]),
        ("^colour", &["ORD-102"]),
        ("colour + 🎉", &["ORD-102"]),
        ("((colour", &["ORD-102"]),
        ("colour)", &["ORD-102"]),
        ("colour\u{0}", &["ORD-102"]),
        ("DIDN'T", &["ORD-101"]),
        ("cafe", &["ORD-101"]),
        ("CAFE\u{301}", &["ORD-101"]),
        ("' OR 1=1 --", &[]),
        ("xyz'); DROP TABLE order_notes; --", &[]),
        ("ORD-101", &[]),
        ("", &[]),
        (" \n\t", &[]),
        ("\"", &[]),
        ("\"\"", &[]),
        ("*", &[]),
        ("()", &[]),
        ("-", &[]),
        (":", &[]),
        ("🎉", &[]),
        ("👩‍👩‍👧‍👦", &[]),
        ("\u{0}", &[]),
        ("\u{feff}\u{200b}\u{202e}", &[]),
    ] {
        assert_eq!(orders_about(&mut server, query), expected, "{query:?}");
    }
    let marked = search(&mut server, json!({"query": "NEAR(\"closed\" delivery, 1)"}));
    assert!(marked[0].1.contains("**closed**") && marked[0].1.contains("**delivery**"), "{marked:?}");
}

/// A query of anything, with a taste for what FTS5 would read as syntax.
fn odd_query() -> impl Strategy<Value = String> {
    let syntax: &'static [&'static str] = &[
        "\"",
        "'",
        "\"\"",
        "*",
        "**",
        "(",
        ")",
        "((",
        "))",
        "{",
        "}",
        "^",
        "+",
        "-",
        ":",
        ",",
        ";",
        "AND",
        "OR",
        "NOT",
        "NEAR",
        "NEAR(",
        "NEAR/3",
        ", 5)",
        "text:",
        "rank:",
        "order_notes",
        "{text}:",
        "-text:",
        " ",
        "\t",
        "\n",
        "\0",
        "\\",
        "%",
        "_",
        "?",
        "?1",
        "$1",
        "@a",
        ":a",
        "--",
        "/*",
        "🎉",
        "👩‍👩‍👧",
        "é",
        "e\u{301}",
        "ß",
        "注文",
        "١٢",
        "ⅷ",
        "\u{200d}",
        "\u{202e}",
        "\u{10ffff}",
        "\u{e000}",
        "late",
        "Teapot",
        "crack",
        "1",
        "007",
        "' OR 1=1",
    ];
    let part = prop_oneof![
        5 => select(syntax).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,8}".prop_map(|word| format!(" {word} ")),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat().chars().take(500).collect())
}

#[test]
fn an_unusual_query_is_never_an_error() {
    let folder = Folder::new();
    let server = RefCell::new(order_manager(&folder));
    add(&mut server.borrow_mut(), "ORD-101", "The teapot has a crack, and came late: 注文 1 é ß ١٢ ⅷ.");
    let mut runner = TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&odd_query(), |query| {
        let mut server = server.borrow_mut();
        let found = search(&mut server, json!({"query": query}));
        // A word of the note is found between any other characters.
        let plain = query.split(|character: char| !character.is_alphanumeric());
        if plain.into_iter().any(|word| word.eq_ignore_ascii_case("teapot") || word.eq_ignore_ascii_case("late")) {
            prop_assert_eq!(found.len(), 1);
            prop_assert!(found[0].1.contains("**"));
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn an_unusual_note_is_never_an_error() {
    let folder = Folder::new();
    let server = RefCell::new(order_manager(&folder));
    add(&mut server.borrow_mut(), "ORD-101", "first");
    let mut runner = TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&odd_query(), |text| {
        let text = format!("zebra {text}");
        let mut server = server.borrow_mut();
        let note = add(&mut server, "ORD-102", &text);
        prop_assert_eq!(&note["text"], &text);
        prop_assert_eq!(&orders_about(&mut server, "zebra")[0], "ORD-102");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn notes_persist_until_their_order_is_removed() {
    let folder = Folder::new();
    let mut server = order_manager(&folder);
    let order = json!({
        "customer_email": "eve@example.com",
        "lines": [{"product": "Mug", "quantity": 1, "unit_price_cents": 100}],
    });
    server.call("create_order", order.clone());
    add(&mut server, "ORD-105", "a secret of the first customer");
    drop(server);
    let mut server = order_manager(&folder);
    assert_eq!(orders_about(&mut server, "secret"), ["ORD-105"]);
    change(folder.path(), "DELETE FROM orders WHERE order_id = 'ORD-105'");
    assert_eq!(orders_about(&mut server, "secret"), [""; 0]);
    let created = server.call("create_order", order);
    assert_eq!(created.result()["structuredContent"]["order_id"], "ORD-106");
    let details = server.call("get_order_details", json!({"order_id": "ORD-106"}));
    assert!(!details.content_text().contains("secret"), "{}", details.text);

    // The index follows what another program does to a note.
    add(&mut server, "ORD-101", "asks for the colour green");
    change(folder.path(), "UPDATE order_notes SET text = 'asks for blue' WHERE order_id = 'ORD-101'");
    assert_eq!(orders_about(&mut server, "green"), [""; 0]);
    assert_eq!(orders_about(&mut server, "blue"), ["ORD-101"]);
}
