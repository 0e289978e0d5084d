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
    assert!(text.contains("it is odd"), "{text}");
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
