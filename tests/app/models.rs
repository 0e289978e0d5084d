//! Models: the names of enums, models that are only arguments or only results, and names of unused parameters.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use fastmcp_rs::model::UnknownNameError;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::{call, list, run};

/// The urgency of an issue.
#[mcp::model]
#[derive(Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Priority {
    #[serde(alias = "minor", alias = "trivial")]
    Low,
    RightAway,
    #[serde(rename(serialize = "on-fire", deserialize = "burning"))]
    Critical,
    #[cfg(any())]
    Missing,
}

#[test]
fn the_names_of_an_enum_are_those_of_its_json() {
    for priority in [Priority::Low, Priority::RightAway, Priority::Critical] {
        let json = json!(priority);
        assert_eq!(priority.as_str(), json.as_str().unwrap());
        assert_eq!(priority.to_string(), priority.as_str());
    }
    for name in ["low", "minor", "trivial", "right-away", "burning"] {
        let read: Priority = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(name.parse::<Priority>(), Ok(read), "{name}");
    }
    assert_eq!(format!("{:>5}|{:<5}|", Priority::Low, Priority::Low), "  low|low  |");
}

#[test]
fn an_unknown_name_is_an_error_with_the_names_and_the_nearest() {
    let error: UnknownNameError = Priority::from_str("rightaway").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`rightaway` is not one of `low`, `right-away` and `burning` (did you mean `right-away`?)"
    );
    assert_eq!((error.given(), error.names()), ("rightaway", &["low", "right-away", "burning"][..]));
    assert!("on-fire".parse::<Priority>().is_err());
}

/// A size, with conversions of its own.
#[mcp::model(display = false, as_str = false, from_str = false)]
enum Size {
    Small,
}

impl Size {
    fn as_str(&self) -> char {
        's'
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}mall", self.as_str())
    }
}

impl FromStr for Size {
    type Err = ();

    fn from_str(_: &str) -> Result<Self, ()> {
        Ok(Size::Small)
    }
}

#[test]
fn an_enum_can_have_its_own_conversions() {
    assert_eq!("any".parse::<Size>().unwrap().to_string(), "small");
}

/// A line of a report.
#[mcp::model]
struct Line {
    title: &'static str,
    note: Cow<'static, str>,
}

/// A report.
#[mcp::model]
struct Report<'a> {
    title: &'a str,
    lines: &'a [Line],
    by_name: BTreeMap<String, Line>,
    parent: Option<Box<Report<'a>>>,
}

const LINES: &[Line] = &[Line { title: "total", note: Cow::Borrowed("in euros") }];

/// Makes a report.
#[mcp::tool]
async fn report(title: &str) -> Report<'_> {
    Report { title, lines: LINES, by_name: BTreeMap::new(), parent: None }
}

/// Makes a line.
#[mcp::resource("lines://{title}")]
async fn line(title: &str) -> Vec<Line> {
    vec![Line { title: "own", note: Cow::Owned(title.to_owned()) }]
}

/// A result without `Deserialize`.
#[mcp::model(output)]
struct Sum {
    #[arg(min = 0)]
    total: Reading,
}

/// A number that can be written and not read.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Reading(u64);

/// An argument without `Serialize`.
#[mcp::model(input)]
struct Numbers {
    #[arg(min_length = 1)]
    values: Vec<u64>,
    secret: Option<Secret>,
}

/// A value that can be read and not written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Secret(String);

/// Adds numbers.
#[mcp::tool]
async fn add(numbers: Numbers) -> Sum {
    let secret = numbers.secret.map_or(0, |secret| secret.0.len() as u64);
    Sum { total: Reading(numbers.values.iter().sum::<u64>() + secret) }
}

/// Ignores an argument.
#[mcp::tool]
async fn ignore(_note: Option<String>, #[arg(default = "right-away")] _priority: Priority) -> &'static str {
    "ignored"
}

/// Ignores a variable.
#[mcp::resource("ignored://{note}")]
async fn ignored(_note: &str) -> &'static str {
    "ignored"
}

/// Ignores an argument of a prompt.
#[mcp::prompt]
async fn ignore_too(_note: Option<String>) -> &'static str {
    "ignored"
}

struct Board;

#[mcp::server]
impl Board {
    /// Ignores an argument of a method.
    #[tool]
    async fn clean(&self, _depth: Option<u8>) -> &'static str {
        "clean"
    }
}

fn app() -> App {
    App::empty("models")
        .tool::<report>()
        .tool::<add>()
        .tool::<ignore>()
        .resource::<line>()
        .resource::<ignored>()
        .prompt::<ignore_too>()
        .server::<Board>()
        .state(Board)
}

#[test]
fn a_model_with_references_is_a_result_with_a_schema() {
    run(async {
        let client = app().test_client().await.unwrap();
        let reply = client.call("report", json!({"title": "May"})).await.unwrap();
        assert_eq!(
            reply.structured::<Value>(),
            json!({"title": "May", "lines": [{"title": "total", "note": "in euros"}], "by_name": {}, "parent": null})
        );
        let tool = client.list_tools().await.unwrap().into_iter().find(|tool| tool["name"] == "report").unwrap();
        let lines = &tool["outputSchema"]["properties"]["lines"];
        assert_eq!(lines["items"]["properties"]["title"]["type"], "string", "{tool}");
        assert!(client.read("lines://x").await.unwrap().text().contains("own"));
    });
}

#[test]
fn a_model_for_one_direction_needs_the_trait_of_that_direction_only() {
    run(async {
        let client = app().test_client().await.unwrap();
        let numbers = json!({"numbers": {"values": [1, 2], "secret": "abc"}});
        assert_eq!(client.call("add", numbers).await.unwrap().structured::<Value>(), json!({"total": 6}));
        let refused = client.call("add", json!({"numbers": {"values": [], "x": 1}})).await.unwrap().text();
        assert!(refused.contains("must have at least 1 item") && refused.contains("/numbers/x"), "{refused}");
    });
}

#[test]
fn a_leading_underscore_is_no_part_of_an_arguments_name() {
    run(async {
        let client = app().test_client().await.unwrap();
        let tools = client.list_tools().await.unwrap();
        let tool = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
        let properties = &tool("ignore")["inputSchema"]["properties"];
        assert!(properties["note"].is_object() && properties["_note"].is_null(), "{properties}");
        assert_eq!(properties["priority"]["default"], "right-away");
        assert!(tool("clean")["inputSchema"]["properties"]["depth"].is_object());
        assert_eq!(client.call("ignore", json!({"note": "x"})).await.unwrap().text(), "ignored");
        assert_eq!(client.read("ignored://x").await.unwrap().text(), "ignored");
        let prompt = client.list_prompts().await.unwrap().remove(0);
        assert_eq!(prompt["arguments"][0]["name"], "note");
    });
}

/// Two types that contain each other, and a third that is written by hand.
#[mcp::model]
#[derive(Debug, PartialEq)]
struct Folder {
    #[serde(rename = "folderName")]
    name: String,
    #[arg(max_length = 2)]
    entries: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Priority>,
    #[serde(flatten)]
    rest: Rest,
}

#[mcp::model]
#[derive(Debug, PartialEq)]
enum Entry {
    Folder(Box<Folder>),
    File { priority: Priority, size: u64 },
}

#[mcp::model]
#[derive(Debug, PartialEq)]
struct Rest {
    hidden: bool,
}

/// A newtype around a list of models.
#[mcp::model]
struct Folders(#[arg(min_length = 1)] Vec<Folder>);

/// Repeats folders.
#[mcp::tool]
async fn repeat(folders: Folders) -> Folders {
    folders
}

#[test]
fn models_that_contain_each_other_are_read_and_written() {
    run(async {
        let client = App::empty("folders").tool::<repeat>().test_client().await.unwrap();
        let inner = json!({"folderName": "b", "entries": [], "hidden": true});
        let file = json!({"File": {"priority": "low", "size": 1}});
        let folder =
            json!({"folderName": "a", "entries": [{"Folder": inner}, file], "owner": "right-away", "hidden": false});
        let reply = client.call("repeat", json!({"folders": [folder]})).await.unwrap();
        assert_eq!(reply.structured::<Value>(), json!([folder]));
        let refused = client.call("repeat", json!({"folders": []})).await.unwrap();
        assert!(refused.text().contains("at least 1 item"), "{}", refused.text());
        let refused = client.call(
            "repeat",
            json!({"folders": [{"folderName": "a", "entries": [{"File": {"size": 1}}], "hidden": true, "x": 1}]}),
        );
        let refused = refused.await.unwrap().text();
        assert!(refused.contains("priority") && refused.contains("/folders/0/x"), "{refused}");
    });
}

#[mcp::model]
#[derive(Debug)]
struct Extent {
    width: Option<u8>,
}

#[mcp::model]
#[derive(Debug)]
enum Named {
    Box {
        #[serde(flatten)]
        extent: Extent,
        count: u8,
    },
}

#[mcp::model]
#[derive(Debug)]
#[serde(tag = "kind")]
enum Tagged {
    Box {
        #[serde(flatten)]
        extent: Extent,
        count: u8,
    },
}

#[mcp::model]
#[derive(Debug)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    Box {
        #[serde(flatten)]
        extent: Extent,
        count: u8,
    },
}

#[mcp::model]
#[derive(Debug)]
#[serde(untagged)]
enum Untagged {
    Box {
        #[serde(flatten)]
        extent: Extent,
        count: u8,
    },
    Rest {
        #[serde(flatten)]
        counts: std::collections::BTreeMap<String, u8>,
        weight: u8,
    },
}

/// Takes enums whose variants flatten other types.
#[mcp::tool]
async fn variants(
    named: Option<Named>,
    tagged: Option<Tagged>,
    adjacent: Option<Adjacent>,
    untagged: Option<Untagged>,
) -> String {
    format!("{named:?} {tagged:?} {adjacent:?} {untagged:?}")
}

#[test]
fn unknown_members_beside_flattened_fields_of_a_variant_are_refused() {
    let app = || App::empty("x").tool::<variants>();
    let listed = list(app());
    assert!(!listed.to_string().contains("x-fastmcp"), "{listed}");
    let schema = jsonschema::validator_for(&listed[0]["inputSchema"]).expect("a valid schema");
    for (arguments, unknown) in [
        (json!({"named": {"Box": {"count": 1, "width": 2}}}), None),
        (json!({"named": {"Box": {"count": 1, "height": 2}}}), Some("/named/Box/height")),
        (json!({"tagged": {"kind": "Box", "count": 1, "width": 2}}), None),
        (json!({"tagged": {"kind": "Box", "count": 1, "height": 2}}), Some("/tagged/height")),
        (json!({"adjacent": {"kind": "Box", "value": {"count": 1, "width": 2}}}), None),
        (json!({"adjacent": {"kind": "Box", "value": {"count": 1, "height": 2}}}), Some("/adjacent/value/height")),
        (json!({"untagged": {"count": 1, "width": 2}}), None),
        (json!({"untagged": {"count": 1, "height": 2}}), Some("/untagged/height")),
        (json!({"untagged": {"weight": 1, "height": 2}}), None),
    ] {
        let result = call(app(), "variants", arguments.clone(), Value::Null);
        let text = result["content"][0]["text"].as_str().expect("a text");
        assert_eq!(schema.is_valid(&arguments), unknown.is_none(), "{arguments}");
        match unknown {
            Some(path) => assert!(text.contains(&format!("`{path}`: unknown member")), "{arguments}: {text}"),
            None => assert_ne!(result["isError"], true, "{arguments}: {text}"),
        }
    }
}
