//! The published schema accepts exactly the arguments that a call with flattened structs, defaults and renamed members
//! accepts.
//!
//! Generated arguments are sent to strict apps, and given to a validator with the schema that each revision lists.
//! `null`, which counts as absent for an optional argument, is left out, because schemas do not mention it.

use std::collections::BTreeMap;

use fastmcp_rs::prelude::*;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::run;
use crate::support;

const LIMIT: u32 = 10;

#[mcp::model]
#[derive(Debug, Default)]
#[serde(rename_all = "kebab-case")]
enum Priority {
    Low,
    #[default]
    VeryHigh,
    #[serde(rename = "none")]
    No,
}

#[mcp::model]
#[derive(Debug)]
struct Window {
    #[arg(default = LIMIT, min = 1, max = 50)]
    limit: u32,
    offset: Option<u8>,
}

#[mcp::model]
#[derive(Debug)]
#[serde(rename_all = "camelCase")]
struct Paging {
    #[serde(flatten)]
    window: Window,
    #[arg(default = ["id"], min_length = 1, max_length = 2)]
    sort_by: Vec<String>,
    #[arg(rename = "prio", default)]
    priority: Priority,
}

#[mcp::model]
#[derive(Debug)]
enum Target {
    All,
    One(u8),
    Some {
        #[arg(default = 0.5, min = 0, max = 1)]
        part: f64,
        words: Option<Vec<String>>,
    },
}

#[mcp::model(input)]
#[derive(Debug)]
struct Filter {
    #[serde(flatten)]
    owner: Option<Owner>,
    #[arg(pattern = "^[a-z]+$")]
    name: Option<String>,
    target: Target,
}

#[mcp::model]
#[derive(Debug)]
struct Owner {
    team: Option<String>,
}

/// Combines flattened structs.
#[mcp::tool(rename_all = "camelCase")]
async fn combined(
    is_open: bool,
    #[arg(flatten)] paging: Paging,
    #[arg(flatten)] filter: &Filter,
    #[arg(default = i64::from(LIMIT) - 1, max = 9)] last_id: i64,
) -> String {
    format!("{is_open} {paging:?} {filter:?} {last_id}")
}

#[mcp::model]
#[derive(Debug)]
struct Counters {
    #[serde(flatten)]
    counts: BTreeMap<String, u8>,
    team: Option<String>,
}

/// Takes other arguments in a map.
#[mcp::tool]
async fn counted(#[arg(flatten)] paging: Paging, counters: Args<Counters>) -> String {
    format!("{paging:?} {counters:?}")
}

/// Takes all arguments in a map beside a struct.
#[mcp::tool]
async fn mapped(#[arg(flatten)] owner: Owner, #[arg(flatten)] counts: BTreeMap<String, u8>) -> String {
    format!("{owner:?} {counts:?}")
}

/// Takes one struct.
#[mcp::tool]
async fn whole(Args(Filter { owner, name, target }): Args<Filter>) -> String {
    format!("{owner:?} {name:?} {target:?}")
}

fn values() -> impl Strategy<Value = Value> {
    let scalars = select(vec![
        json!(0),
        json!(1),
        json!(9),
        json!(10),
        json!(50),
        json!(51),
        json!(255),
        json!(256),
        json!(-1),
        json!(2.0),
        json!(0.5),
        json!(1.5),
        json!(true),
        json!(""),
        json!("abc"),
        json!("ABC"),
        json!("very-high"),
        json!("VeryHigh"),
        json!("none"),
        json!("All"),
        json!("One"),
        json!("7"),
    ]);
    let names = select(&["One", "Some", "All", "part", "words", "limit", "other"][..]);
    scalars.prop_recursive(3, 8, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..3).prop_map(|members| Value::Object(object(members))),
        ]
    })
}

fn object(members: Vec<(&str, Value)>) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Arguments of which most are valid.
fn arguments() -> impl Strategy<Value = Value> {
    let valid = select(vec![
        ("isOpen", json!(true)),
        ("limit", json!(50)),
        ("offset", json!(0)),
        ("sortBy", json!(["a", "b"])),
        ("prio", json!("none")),
        ("name", json!("abc")),
        ("target", json!("All")),
        ("target", json!({"One": 255})),
        ("target", json!({"Some": {}})),
        ("target", json!({"Some": {"part": 1, "words": ["a"]}})),
        ("team", json!("red")),
        ("lastId", json!(9)),
        ("count", json!(3)),
    ]);
    let names = select(
        &[
            "isOpen", "limit", "Limit", "offset", "sortBy", "sort_by", "prio", "name", "target", "team", "lastId",
            "x/y~",
        ][..],
    );
    let some = prop::collection::vec(valid, 0..8);
    let needed = prop_oneof![8 => Just(true), 1 => Just(false)];
    let wrong = prop::collection::vec((names, values()), 0..2);
    (some, needed, wrong).prop_map(|(some, needed, wrong)| {
        let mut members = Map::new();
        if needed {
            members.extend(object(vec![("isOpen", json!(false)), ("target", json!("All"))]));
        }
        members.extend(object(some));
        members.extend(object(wrong));
        Value::Object(members)
    })
}

fn app() -> App {
    App::empty("x").tool::<combined>().tool::<counted>().tool::<mapped>().tool::<whole>().strict_arguments(true)
}

/// Returns the schemas of a tool that the revisions list.
async fn listed_schemas(tool: &str) -> Vec<Value> {
    let mut schemas = Vec::new();
    for revision in support::Revision::ALL {
        let revision = fastmcp_rs::Revision::parse(revision.name()).expect("the library knows every revision");
        let client = app().test_client().revision(revision).await.expect("the app is valid");
        let tools = client.list_tools().await.expect("they are listed");
        let found = tools.into_iter().find(|listed| listed["name"] == tool).expect("the tool is listed");
        schemas.push(found["inputSchema"].clone());
    }
    schemas
}

/// Compares schema and call for one tool, whose own arguments are among these names.
fn agree(tool: &str, known: Option<&[&str]>) {
    let schemas = run(listed_schemas(tool));
    let validators: Vec<Validator> =
        schemas.iter().map(|schema| jsonschema::validator_for(schema).expect("a valid schema")).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = runtime.block_on(async { app().test_client().await.expect("the app is valid") });
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    let mut counts = std::cell::Cell::new([0; 2]);
    let outcome = runner.run(&arguments(), |mut arguments| {
        // Most arguments of other tools are left out, or all calls would be refused.
        if let (Some(known), Some(members)) = (known, arguments.as_object_mut()) {
            let is_kept = |name: &str| known.contains(&name) || name.ends_with('~');
            members.retain(|name, _| is_kept(name));
        }
        let reply = runtime.block_on(async { client.call(tool, &arguments).await }).expect("it is answered");
        let mut count = counts.get();
        count[usize::from(reply.is_error())] += 1;
        counts.set(count);
        for validator in &validators {
            let published = validator.is_valid(&arguments);
            prop_assert_eq!(!reply.is_error(), published, "{}: taken and published; {}", arguments, reply.text());
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{tool}: {error}\nby the schema {}", schemas[0]);
    }
    assert!(counts.get_mut().iter().all(|count| *count > 100), "{tool}: {counts:?} are taken and refused");
}

#[test]
fn combined_structs_take_what_their_schema_accepts() {
    let filter = ["team", "name", "target"];
    let paging = ["limit", "offset", "sortBy", "prio"];
    agree("whole", Some(&filter));
    agree("combined", Some(&[&filter[..], &paging, &["isOpen", "lastId"]].concat()));
    agree("counted", Some(&[&paging[..], &["count", "team"]].concat()));
    agree("mapped", Some(&["team", "count", "limit"]));
}

#[test]
fn published_defaults_are_accepted_and_have_the_effect_of_absent_arguments() {
    run(async {
        let client = app().test_client().await.expect("the app is valid");
        for (tool, needed) in
            [("combined", json!({"isOpen": true, "target": {"Some": {}}})), ("whole", json!({"target": {"Some": {}}}))]
        {
            let absent = client.call(tool, &needed).await.expect("it is answered");
            assert!(!absent.is_error(), "{tool}: {}", absent.text());
            let mut given = needed.clone();
            let schema = listed_schemas(tool).await.remove(0);
            for (name, property) in schema["properties"].as_object().expect("there are properties") {
                if let Some(default) = property.get("default") {
                    given[name] = default.clone();
                }
            }
            given["target"]["Some"]["part"] = json!(0.5);
            let given = client.call(tool, &given).await.expect("it is answered");
            assert_eq!(given.text(), absent.text(), "{tool}");
        }
    });
}
