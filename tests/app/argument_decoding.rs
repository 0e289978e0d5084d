//! Arguments: decoding, coercion, and the explanation of each problem.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use serde_json::json;

use super::connection::{open, receive, request};
use super::run;

mod tools {
    use super::*;

    /// Answers with its text.
    #[mcp::tool]
    pub async fn say(text: &str) -> String {
        text.to_owned()
    }

    /// Counts the members of a set.
    #[mcp::tool]
    pub async fn set(set: HashSet<i64>, n: i64) -> String {
        format!("{} {n}", set.len())
    }

    /// Shows a map.
    #[mcp::tool]
    pub async fn map(map: BTreeMap<i64, i64>) -> String {
        format!("{map:?}")
    }

    #[mcp::model]
    #[serde(tag = "op")]
    pub enum Expression {
        Add { left: Box<Expression>, right: Box<Expression> },
        Mul { left: Box<Expression>, right: Box<Expression> },
        Sub { left: Box<Expression>, right: Box<Expression> },
        Num { value: i64 },
    }

    impl Expression {
        fn value(&self) -> i64 {
            match self {
                Expression::Add { left, right } => left.value() + right.value(),
                Expression::Mul { left, right } => left.value() * right.value(),
                Expression::Sub { left, right } => left.value() - right.value(),
                Expression::Num { value } => *value,
            }
        }
    }

    /// Works it out.
    #[mcp::tool]
    pub async fn work_out(expression: Expression) -> i64 {
        expression.value()
    }

    #[mcp::model]
    pub struct Item {
        pub article: String,
        pub n: i64,
        #[serde(default)]
        pub urgent: bool,
    }

    /// Shows an item.
    #[mcp::tool]
    pub async fn item(item: Item) -> String {
        format!("{} {} {}", item.n, item.article, item.urgent)
    }

    /// Takes nothing below zero.
    #[mcp::tool]
    pub async fn float(#[arg(min = 0)] value: f64) -> bool {
        value == 0.0
    }
}

fn app() -> App {
    use tools::*;
    let app = App::empty("arguments").tool::<say>().tool::<set>().tool::<map>();
    app.tool::<work_out>().tool::<item>().tool::<float>()
}

/// Calls a tool with these raw arguments. Returns its text, and whether it is an error.
fn answer(app: App, tool: &str, arguments: &str) -> (String, bool) {
    run(async {
        let mut wire = open(app, "2025-11-25").await;
        wire.send(request(1, tool, arguments));
        let result = receive(&mut wire).await["result"].take();
        let text = result["content"][0]["text"].as_str().expect("a text").to_owned();
        (text, result["isError"] == true)
    })
}

fn taken(tool: &str, arguments: &str) -> String {
    let (text, is_error) = answer(app(), tool, arguments);
    assert!(!is_error, "{arguments}: {text}");
    text
}

fn refused(tool: &str, arguments: &str) -> String {
    let (text, is_error) = answer(app(), tool, arguments);
    assert!(is_error, "{arguments}: {text}");
    text
}

#[test]
fn strings_are_decoded_with_every_escape() {
    let text = "\"a\" / \\ \u{8}\u{C}\n\r\t é ☃ 😀";
    let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    for string in [format!("\"{escaped}\""), json!(text).to_string()] {
        assert_eq!(taken("say", &format!(r#"{{"text":{string}}}"#)), text);
    }
    assert!(refused("say", r#"{"text":"\ud83d"}"#).contains("hex escape"));
}

#[test]
fn an_error_deep_in_a_recursive_value_is_explained_quickly() {
    // Three variants share the members, so a check of each one at each level would cost 3 to the power of the depth.
    let nested = |leaf: &str, depth: usize| {
        (0..depth).fold(format!(r#"{{"op":"Num","value":{leaf}}}"#), |inner, _| {
            format!(r#"{{"op":"Add","left":{inner},"right":{{"op":"Num","value":1}}}}"#)
        })
    };
    assert_eq!(taken("work_out", &format!(r#"{{"expression":{}}}"#, nested("1", 11))), r#"{"result":12}"#);
    let start = Instant::now();
    let text = refused("work_out", &format!(r#"{{"expression":{}}}"#, nested("\"x\"", 11)));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(text.contains("/left/value`: expected an integer"), "{text}");
    let mended = taken("work_out", &format!(r#"{{"expression":{}}}"#, nested("1.0", 11)));
    assert_eq!(mended, r#"{"result":12}"#, "it is mended");
}

#[test]
fn an_error_beside_a_long_list_is_explained_quickly() {
    let items: Vec<String> = (0..60_000).map(|n: i32| n.to_string()).collect();
    let start = Instant::now();
    let text = refused("set", &format!(r#"{{"n":"x","set":[{}]}}"#, items.join(",")));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(text.contains("`/n`: expected an integer"), "{text}");
}

#[test]
fn a_duplicate_member_is_refused_at_any_depth() {
    for app in [app, || app().strict_arguments(true)] {
        for (tool, arguments, name) in [
            ("say", r#"{"text":"a","text":"b"}"#, "text"),
            ("say", r#"{"text":"a","te\u0078t":"b"}"#, "text"),
            ("item", r#"{"item":{"article":"a","article":"b","n":1}}"#, "article"),
            // Beside a value that would be coerced.
            ("item", r#"{"item":{"article":"a","article":"b","n":1.0}}"#, "article"),
            ("set", r#"{"set":[1],"n":1.0,"n":2.0}"#, "n"),
        ] {
            let (text, is_error) = answer(app(), tool, arguments);
            assert!(is_error, "{arguments}: {text}");
            assert!(text.contains(&format!("`{name}`")) || text.contains(&format!("/{name}`")), "{text}");
        }
    }
}

#[test]
fn maps_with_integer_keys_are_coerced_and_explained() {
    assert_eq!(taken("map", r#"{"map":{"1":2}}"#), "{1: 2}");
    assert_eq!(taken("map", r#"{"map":{"-1":2.0}}"#), "{-1: 2}");
    let text = refused("map", r#"{"map":{"1":"x"}}"#);
    assert!(text.contains("`/map/1`: expected an integer"), "{text}");
    let text = refused("map", r#"{"map":{"one":1}}"#);
    assert!(text.contains("/map/one") && !text.contains("unknown argument"), "{text}");
}

#[test]
fn coercion_of_one_argument_does_not_change_another() {
    assert_eq!(taken("set", r#"{"set":[1,1,1],"n":1}"#), "1 1");
    assert_eq!(taken("set", r#"{"set":[1,1,1],"n":1.0}"#), "1 1");
    assert_eq!(taken("float", r#"{"value":-0.0}"#), r#"{"result":true}"#);
    assert_eq!(taken("float", r#"{"value":0}"#), r#"{"result":true}"#);
    refused("float", r#"{"value":-0.1}"#);
}

#[test]
fn null_for_a_member_with_a_default_is_the_default() {
    assert_eq!(taken("item", r#"{"item":{"article":"a","n":1,"urgent":null}}"#), "1 a false");
    assert_eq!(taken("item", r#"{"item":{"article":"a","n":1.0,"urgent":null}}"#), "1 a false");
    let text = refused("item", r#"{"item":{"article":null,"n":1}}"#);
    assert!(text.contains("`/item/article`"), "{text}");
}
