//! Structs whose fields are arguments: `#[arg(flatten)]` and `Args`.

use std::collections::BTreeMap;

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::{ask, call, list, run};

#[mcp::model]
#[derive(Debug)]
enum Severity {
    Minor,
    Major,
}

/// The comment of the type is not that of the tool.
#[mcp::model]
#[derive(Debug)]
#[serde(rename_all = "camelCase")]
struct NewIssue {
    /// One line.
    #[arg(min_length = 1, max_length = 80)]
    title: String,
    #[arg(default = [])]
    labels: Vec<String>,
    severity: Option<Severity>,
    #[arg(default = 3, min = 1)]
    days_left: u8,
}

/// Opens an issue.
#[mcp::tool]
async fn open(project: &str, #[arg(flatten)] new: NewIssue, #[arg(default = false)] draft: bool) -> String {
    let NewIssue { title, labels, severity, days_left } = new;
    format!("{project} {title} {labels:?} {severity:?} {days_left} {draft}")
}

/// Opens an issue.
#[mcp::tool]
async fn open_whole(new: Args<NewIssue>) -> String {
    format!("{:?}", *new)
}

/// Opens an issue.
#[mcp::tool]
async fn open_borrowed(#[arg(flatten)] new: &NewIssue, ctx: &Context) -> String {
    format!("{} {}", ctx.component_name(), new.title)
}

/// Opens an issue.
#[mcp::tool]
#[allow(clippy::too_many_arguments)]
async fn open_spelled(
    project: &str,
    /// One line.
    #[arg(min_length = 1, max_length = 80)]
    title: String,
    #[arg(default = [])] labels: Vec<String>,
    severity: Option<Severity>,
    #[arg(rename = "daysLeft", default = 3, min = 1)] days_left: u8,
    #[arg(default = false)] draft: bool,
) -> String {
    format!("{project} {title} {labels:?} {severity:?} {days_left} {draft}")
}

fn app() -> App {
    App::empty("issues").tool::<open>().tool::<open_whole>().tool::<open_borrowed>().tool::<open_spelled>()
}

fn schema(tool: &str) -> Value {
    let tools = list(app());
    let found = tools.as_array().expect("a list").iter().find(|listed| listed["name"] == tool);
    found.expect("the tool is listed")["inputSchema"].clone()
}

#[test]
fn a_flattened_struct_publishes_what_parameters_would() {
    assert_eq!(schema("open")["properties"], schema("open_spelled")["properties"]);
    assert_eq!(schema("open")["required"], schema("open_spelled")["required"]);
    assert_eq!(schema("open")["additionalProperties"], false);
    let whole = schema("open_whole");
    assert_eq!(whole["required"], json!(["title"]));
    assert_eq!(whole["properties"]["title"]["description"], "One line.");
}

#[test]
fn fields_and_parameters_are_read_in_any_order() {
    for tool in ["open", "open_spelled"] {
        for (arguments, text) in [
            (json!({"title": "T", "project": "p"}), "p T [] None 3 false"),
            (
                json!({"draft": true, "daysLeft": 9, "severity": "Major", "project": "p", "labels": ["a"], "title": "T"}),
                "p T [\"a\"] Some(Major) 9 true",
            ),
        ] {
            let result = call(app(), tool, arguments, Value::Null);
            assert_eq!(result["content"][0]["text"], text, "{tool}: {result}");
        }
    }
    let result = call(app(), "open_whole", json!({"title": "T \"quoted\" \u{e9}\n"}), Value::Null);
    let text = result["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains(r#"title: "T \"quoted\" é\n""#), "{text}");
    let result = call(app(), "open_borrowed", json!({"title": "T"}), Value::Null);
    assert_eq!(result["content"][0]["text"], "open_borrowed T");
}

#[test]
fn problems_name_the_members_as_clients_see_them() {
    let arguments = json!({"title": "", "daysLeft": "soon", "tittle": 1, "severity": "Huge"});
    let text = |tool: &str| {
        let refused = call(app(), tool, arguments.clone(), Value::Null);
        assert_eq!(refused["isError"], true, "{refused}");
        refused["content"][0]["text"].as_str().expect("a text").replace(tool, "tool")
    };
    let flattened = text("open");
    for part in [
        "`/title`: must have at least 1",
        "`/daysLeft`",
        "`/tittle`",
        "unknown argument; valid ones are `project`, `title`",
        "`/severity`",
        "`/project`: missing",
    ] {
        assert!(flattened.contains(part), "{part} in {flattened}");
    }
    assert_eq!(flattened, text("open_spelled"));
    let missing = call(app(), "open_whole", json!({}), Value::Null);
    assert!(missing["content"][0]["text"].as_str().expect("a text").contains("`/title`: missing"), "{missing}");
    let coerced = call(app(), "open", json!({"project": "p", "title": "T", "daysLeft": "4"}), Value::Null);
    assert_eq!(coerced["content"][0]["text"], "p T [] None 4 false");
}

#[mcp::model]
struct Even {
    #[serde(deserialize_with = "even")]
    number: u8,
}

fn even<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number: u8 = serde::Deserialize::deserialize(deserializer)?;
    if number.is_multiple_of(2) { Ok(number) } else { Err(serde::de::Error::custom("it is odd")) }
}

/// Halves a number.
#[mcp::tool]
async fn halve(even: Args<Even>) -> u8 {
    even.number / 2
}

#[test]
fn a_problem_that_no_schema_can_express_is_reported_too() {
    let app = || App::empty("x").tool::<halve>();
    assert_eq!(call(app(), "halve", json!({"number": 4}), Value::Null)["structuredContent"], 2);
    let refused = call(app(), "halve", json!({"number": 3}), Value::Null);
    let text = refused["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("it is odd, got the object {\"number\":3}"), "{text}");
}

#[mcp::model]
struct Range {
    from: u32,
    to: Option<u32>,
}

#[mcp::model]
struct Rest {
    #[serde(flatten)]
    labels: BTreeMap<String, String>,
}

/// Takes two structs, one of which takes every other member.
#[mcp::tool]
async fn several(#[arg(flatten)] range: Range, #[arg(flatten)] rest: Rest, by: u8) -> String {
    format!("{} {:?} {:?} {by}", range.from, range.to, rest.labels)
}

#[test]
fn a_struct_can_take_every_member_that_no_other_takes() {
    let app = || App::empty("x").tool::<several>();
    let result = call(app(), "several", json!({"b": "2", "from": 1, "by": 3, "a": "1"}), Value::Null);
    assert_eq!(result["content"][0]["text"], r#"1 None {"a": "1", "b": "2"} 3"#, "{result}");
    assert_ne!(list(app())[0]["inputSchema"]["additionalProperties"], false);
}

/// Has two arguments of one name.
#[mcp::tool]
async fn collision(from: u8, #[arg(flatten)] range: Range) -> String {
    format!("{from} {} {:?}", range.from, range.to)
}

/// Flattens an enum.
#[mcp::tool]
async fn choice(#[arg(flatten)] severity: Severity) -> String {
    format!("{severity:?}")
}

#[test]
fn a_collision_and_a_type_without_fields_are_problems_of_the_tool() {
    let text = App::empty("x").tool::<collision>().check().unwrap_err().to_string();
    assert!(text.contains("tool `collision`") && text.contains("two arguments are called `from`"), "{text}");
    let text = App::empty("x").tool::<choice>().check().unwrap_err().to_string();
    assert!(text.contains("tool `choice`") && text.contains("`severity`") && text.contains("named fields"), "{text}");
}

#[mcp::model]
struct Letter {
    /// The person to write to.
    #[arg(title = "Recipient")]
    to: String,
    lines: Option<u8>,
}

/// Writes a letter.
#[mcp::prompt]
async fn letter(letter: Args<Letter>) -> String {
    format!("{} {:?}", letter.to, letter.lines)
}

struct Office;

#[mcp::server]
impl Office {
    /// Writes a letter.
    #[tool]
    async fn write(&self, #[arg(flatten)] letter: Letter, copies: u8) -> String {
        format!("{copies} for {}", letter.to)
    }
}

#[test]
fn prompts_and_methods_take_structs() {
    run(async {
        let app = App::empty("x").prompt::<letter>().server::<Office>().state(Office);
        let mut wire = app.connect().await.expect("the app is valid");
        let answer = ask(&mut wire, "prompts/list", Value::Null, Value::Null).await;
        let arguments = &answer["result"]["prompts"][0]["arguments"];
        assert_eq!(
            arguments[0],
            json!({"name": "to", "title": "Recipient", "description": "The person to write to.", "required": true})
        );
        assert_eq!(arguments[1]["name"], "lines");
        let params = json!({"name": "letter", "arguments": {"to": "Ada", "lines": "5"}});
        let answer = ask(&mut wire, "prompts/get", params, Value::Null).await;
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], "Ada Some(5)", "{answer}");
        let params = json!({"name": "write", "arguments": {"copies": 2, "to": "Ada"}});
        let answer = ask(&mut wire, "tools/call", params, Value::Null).await;
        assert_eq!(answer["result"]["content"][0]["text"], "2 for Ada", "{answer}");
    });
}

#[mcp::model]
#[derive(Debug)]
struct Window {
    #[arg(default = 10, min = 1, max = 50)]
    limit: u32,
    offset: Option<u32>,
}

#[mcp::model]
#[derive(Debug)]
struct Paging {
    #[serde(flatten)]
    window: Window,
    #[arg(default = "id")]
    sort: String,
}

#[mcp::model]
#[derive(Debug)]
struct Owner {
    owner: String,
}

#[mcp::model]
#[derive(Debug)]
struct Filter {
    #[serde(flatten)]
    owner: Owner,
    status: Option<String>,
}

/// Takes two structs that flatten others.
#[mcp::tool]
async fn find(#[arg(flatten)] paging: Paging, #[arg(flatten)] filter: Filter) -> String {
    let Paging { window, sort } = paging;
    format!("{} {:?} {sort} {} {:?}", window.limit, window.offset, filter.owner.owner, filter.status)
}

/// Takes a map before a struct that flattens another one.
#[mcp::tool]
async fn find_others(#[arg(flatten)] rest: Rest, #[arg(flatten)] paging: Paging) -> String {
    format!("{:?} {} {}", rest.labels, paging.window.limit, paging.sort)
}

fn text_of(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a text")
}

#[test]
fn structs_that_flatten_others_take_their_own_arguments() {
    let app = || App::empty("x").tool::<find>().tool::<find_others>();
    for (arguments, text) in [
        (json!({"owner": "Ada"}), "10 None id Ada None"),
        (
            json!({"status": "open", "offset": 2, "owner": "Ada", "sort": "age", "limit": 5}),
            "5 Some(2) age Ada Some(\"open\")",
        ),
        (json!({"owner": "Ada", "limit": "7", "sort": null}), "7 None id Ada None"),
    ] {
        assert_eq!(text_of(&call(app(), "find", arguments, Value::Null)), text);
    }
    let others = json!({"colour": "red", "limit": 5, "sort": "age"});
    assert_eq!(text_of(&call(app(), "find_others", others, Value::Null)), r#"{"colour": "red"} 5 age"#);
    for (tool, arguments, problem) in [
        ("find", json!({"limit": 5}), "`/owner`: missing; expected a string"),
        ("find", json!({"owner": "Ada", "limmit": 5}), "`/limmit`: unknown argument; did you mean `limit`?"),
        ("find_others", json!({"limit": 51}), "`/limit`: expected an integer from 1 to 50, got 51"),
    ] {
        let refused = call(app(), tool, arguments, Value::Null);
        assert!(refused["isError"] == true && text_of(&refused).contains(problem), "{problem} in {refused}");
    }
}

#[test]
fn long_arguments_have_no_unknown_members_either() {
    let arguments = json!({"owner": "a".repeat(2 << 20), "limmit": 5});
    let refused = call(App::empty("x").tool::<find>(), "find", arguments, Value::Null);
    assert!(text_of(&refused).contains("`/limmit`: unknown argument"), "{refused}");
}

/// Takes two maps.
#[mcp::tool]
async fn two_maps(#[arg(flatten)] first: Rest, second: Args<Rest>) -> String {
    format!("{:?} {:?}", first.labels, second.labels)
}

/// Takes a map whose names are numbers.
#[mcp::tool]
async fn numbered(names: Args<BTreeMap<u8, String>>) -> String {
    format!("{:?}", *names)
}

#[test]
fn maps_that_cannot_be_flattened_are_problems_of_the_tool() {
    let text = App::empty("x").tool::<two_maps>().check().unwrap_err().to_string();
    assert!(text.contains("parameter `second`") && text.contains("only one map"), "{text}");
    let text = App::empty("x").tool::<numbered>().check().unwrap_err().to_string();
    assert!(text.contains("parameter `names`") && text.contains("`patternProperties`"), "{text}");
}

/// Takes a map of all arguments.
#[mcp::tool]
async fn labels(labels: Args<BTreeMap<String, u8>>) -> String {
    format!("{:?}", *labels)
}

#[test]
fn an_argument_that_is_given_twice_is_refused_where_a_map_takes_it() {
    run(async {
        let app = App::empty("x").tool::<labels>().tool::<several>().tool::<find>();
        let mut wire = app.connect().await.expect("the app is valid");
        for (tool, arguments, name) in [
            ("labels", r#"{"a": 1, "b": 2, "a": 3}"#, "a"),
            ("labels", r#"{"a": 1, "\u0061": 3}"#, "a"),
            ("several", r#"{"from": 1, "by": 3, "c": "1", "c": "2"}"#, "c"),
            ("find", r#"{"owner": "Ada", "limit": 1, "limit": 2}"#, "limit"),
        ] {
            let meta = r#"{"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}"#;
            let params = format!(r#"{{"name": "{tool}", "arguments": {arguments}, "_meta": {meta}}}"#);
            wire.send(format!(r#"{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {params}}}"#));
            let answer: Value = serde_json::from_str(&wire.receive().await).expect("a frame");
            let text = text_of(&answer["result"]);
            assert!(text.contains(&format!("`{name}` is given twice")), "{tool} {arguments}: {text}");
        }
    });
}

#[mcp::model]
#[derive(Debug, PartialEq)]
struct Address {
    street: String,
    #[arg(min = 1, max = 99_999)]
    zip: u32,
}

#[mcp::model]
#[derive(Debug, PartialEq)]
struct Delivery {
    #[serde(flatten)]
    address: Option<Address>,
    express: bool,
}

/// Takes a part that may be missing.
#[mcp::tool]
async fn deliver(delivery: Args<Delivery>) -> String {
    format!("{:?} {}", delivery.address.as_ref().map(|address| address.zip), delivery.express)
}

/// Takes it inside of another argument.
#[mcp::tool]
async fn deliver_later(delivery: Delivery) -> String {
    format!("{:?} {}", delivery.address.map(|address| address.zip), delivery.express)
}

#[test]
fn an_optional_part_is_absent_only_if_none_of_its_members_is_given() {
    let app = || App::empty("x").tool::<deliver>().tool::<deliver_later>();
    for (arguments, expected) in [
        (json!({"express": true}), Ok("None true")),
        (json!({"express": true, "street": "A", "zip": 7}), Ok("Some(7) true")),
        (json!({"express": true, "street": "A", "zip": "7"}), Ok("Some(7) true")),
        (json!({"express": true, "street": "A", "zip": 0}), Err("zip`: expected an integer from 1 to 99999, got 0")),
        (json!({"express": true, "street": 1, "zip": 7}), Err("street`: expected a string, got 1")),
        (json!({"express": true, "street": "A"}), Err("missing field `zip`")),
        (json!({"express": true, "stret": "A"}), Err("stret`: unknown")),
    ] {
        let nested = json!({ "delivery": arguments });
        for (tool, arguments) in [("deliver", &arguments), ("deliver_later", &nested)] {
            let result = call(app(), tool, arguments.clone(), Value::Null);
            match expected {
                Ok(text) => assert_eq!(text_of(&result), text, "{tool} {arguments}"),
                Err(problem) => assert!(text_of(&result).contains(problem), "{tool} {arguments}: {result}"),
            }
        }
    }
    let other: Delivery =
        serde_json::from_str(r#"{"express": true, "street": "A", "zip": 0}"#).expect("serde is lenient");
    assert_eq!(other, Delivery { address: None, express: true }, "data from other sources is read as serde reads it");
}
