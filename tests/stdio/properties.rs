//! The published schema accepts exactly what the decoder takes.
//!
//! Each `take_…` tool of the fixture takes one value of one type. A generated value is sent to the tool, which is
//! strict here, and given to a validator with the tool's own `inputSchema`: both have to agree.
//!
//! The decoder takes two things more, which the schema, as it tells a model what to send, does not offer: `null`
//! counts as absent where a value is optional, and serde reads a list as a struct with its members in order. And what a JSON number can hold but the type cannot is left
//! out: integers beyond 64 bits, and floats beyond 2^53 where a schema says `integer`.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::Server;

/// Any JSON value of a modest size, biased towards almost valid ones.
fn any_json() -> impl Strategy<Value = Value> {
    let words: &'static [&'static str] = &[
        "", "a", "ab", "abc", "abcd", "äöü", "ORD-1", "ORD-", "xORD-1", "Express", "express", "1", "true", "[]", "{}",
        "null",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-10_i64..300).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-20_i32..20).prop_map(|halves| Value::from(f64::from(halves) / 2.0)),
        (-9.0e15..9.0e15).prop_map(Value::from),
        select(words).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let keys = select(&["a", "value", "sku", "quantity", "id", "items", "speed", "note", "parent"][..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..4).prop_map(|members| {
                Value::from(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// A valid value, in which one part, everything or nothing was replaced, left out or added.
fn nearly(samples: Vec<Value>) -> impl Strategy<Value = Value> {
    let change = prop_oneof![3 => any_json().prop_map(Some), 1 => Just(None)];
    (select(samples), any::<Index>(), any::<bool>(), change).prop_map(|(mut sample, at, keep, change)| {
        if keep {
            return sample;
        }
        let paths = paths(&sample);
        let path = &paths[at.index(paths.len())];
        match (sample.pointer_mut(path), change) {
            (Some(part), Some(Value::Object(more))) if part.is_object() => {
                part.as_object_mut().expect("an object").extend(more);
            }
            (Some(part), Some(value)) => *part = value,
            (_, None) => remove(&mut sample, path),
            (None, _) => unreachable!("the path was just found"),
        }
        sample
    })
}

/// The paths of all parts of a value.
fn paths(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}/{at}"), found);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    walk(member, &format!("{path}/{key}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

fn remove(value: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(key)),
        Some(Value::Array(items)) => drop(items.remove(key.parse().expect("a position"))),
        _ => {}
    }
}

/// A value without the members that are null, which an optional member may be.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            Value::Object(kept.map(|(key, member)| (key.clone(), without_nulls(member))).collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn item() -> Value {
    json!({"sku": "A1", "quantity": 3})
}

fn order() -> Value {
    let child = json!({"id": 1, "items": [item()], "speed": "Standard"});
    json!({"id": 2, "items": [item(), item()], "speed": "Express", "note": "n", "parent": child})
}

/// Reports whether the schema refuses arguments only for forms that the decoder accepts on purpose.
fn is_excepted(validator: &Validator, arguments: &Value) -> bool {
    let arguments = without_nulls(arguments);
    let mut errors = validator.iter_errors(&arguments);
    errors.all(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance().is_array())
}

/// Compares schema and decoder for one tool.
fn agree(server: &mut Server, tools: &Value, tool: &str, samples: Vec<Value>) {
    let tools = tools.as_array().expect("a list of tools");
    let definition = tools.iter().find(|definition| definition["name"] == tool).expect("the tool is listed");
    let validator = jsonschema::validator_for(&definition["inputSchema"]).expect("a valid schema");
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let strategy = prop_oneof![4 => nearly(samples), 1 => any_json()];
    let server = std::cell::RefCell::new(server);
    let outcome = runner.run(&strategy, |value| {
        let arguments = json!({"value": value});
        let answer = server.borrow_mut().call(tool, arguments.clone());
        let taken = !answer.is_tool_error();
        let published = validator.is_valid(&arguments) || (taken && is_excepted(&validator, &arguments));
        prop_assert_eq!(taken, published, "{} of {}: taken and published; {}", arguments, tool, answer.text);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}\nby the schema {}", definition["inputSchema"]);
    }
}

#[test]
fn the_schema_accepts_exactly_the_values_of_the_decoder() {
    let mut server = Server::setup("fixture").env("FIXTURE_STRICT", "1").start();
    let tools = server.ask("tools/list", Value::Null).result()["tools"].clone();
    let numbers = vec![json!(0), json!(5), json!(-5), json!(1.0), json!(255), json!(7)];
    let texts = vec![json!(""), json!("ab"), json!("abc"), json!("ORD-12")];
    let cases = [
        ("take_i64", numbers.clone()),
        ("take_i32", numbers.clone()),
        ("take_u8", numbers.clone()),
        ("take_u64", numbers.clone()),
        ("take_f64", numbers.clone()),
        ("take_bool", vec![json!(true)]),
        ("take_string", texts.clone()),
        ("take_str", texts.clone()),
        ("take_option", texts.clone()),
        ("take_enum", vec![json!("Standard"), json!("Express")]),
        ("take_list", vec![json!([]), json!([1, 2, 3])]),
        ("take_slice", vec![json!([]), json!(["a", "b"])]),
        ("take_map", vec![json!({}), json!({"a": 1, "b": -2})]),
        ("take_pair", vec![json!([1, "a"])]),
        ("take_model", vec![item()]),
        ("take_nested", vec![order()]),
        ("take_range", numbers.clone()),
        ("take_float_range", vec![json!(0.5), json!(1), json!(1.5)]),
        ("take_length", texts.clone()),
        ("take_list_length", vec![json!([true]), json!([true, false])]),
        ("take_pattern", texts),
        ("take_default", numbers),
    ];
    let known = tools.as_array().expect("a list").iter();
    let known = known.filter(|tool| tool["name"].as_str().is_some_and(|name| name.starts_with("take_"))).count();
    assert_eq!(known, cases.len(), "every tool of the fixture is tested");
    for (tool, samples) in cases {
        agree(&mut server, &tools, tool, samples);
    }
}

#[test]
fn a_default_is_a_valid_argument() {
    let mut server = Server::start("fixture");
    let tools = server.ask("tools/list", Value::Null).result()["tools"].clone();
    let definition = tools.as_array().and_then(|tools| tools.iter().find(|tool| tool["name"] == "take_default"));
    let value = definition.expect("the tool is listed")["inputSchema"]["properties"]["value"]["default"].clone();
    assert_eq!(value, 7);
    assert!(!server.call("take_default", json!({"value": value})).is_tool_error());
    assert!(!server.call("take_default", json!({})).is_tool_error());
}
