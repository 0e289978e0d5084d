//! Defaults that are expressions: published, used for absent arguments, and checked when the server starts.

use std::collections::BTreeSet;
use std::time::Duration;

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::{ask, call, list, run};

const LIMIT: u32 = 10;
const REGION: &str = "EU";
const TAGS: &[&str] = &["new"];

#[mcp::model]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

fn wait() -> Duration {
    Duration::from_millis(1500)
}

/// Describes its arguments.
#[mcp::tool(inline)]
#[allow(clippy::too_many_arguments)]
fn describe(
    /// The most results.
    #[arg(default = LIMIT, min = 1, max = 100)]
    limit: u32,
    #[arg(default = 24 * 60)] minutes: u64,
    #[arg(default = i64::MAX)] until: i64,
    #[arg(default = REGION)] region: &str,
    #[arg(default = Priority::Low)] priority: Priority,
    #[arg(default)] usual: Priority,
    #[arg(default = 'x')] mark: char,
    #[arg(default = [])] words: Vec<String>,
    #[arg(default = ["a", "b"])] letters: &[String],
    #[arg(default = TAGS)] tags: Vec<String>,
    #[arg(default = BTreeSet::from([3, 1]))] numbers: BTreeSet<u8>,
    #[arg(default = wait())] wait: Duration,
    #[arg(default = LIMIT + 1)] perhaps: Option<u32>,
    #[arg(default)] nothing: Option<String>,
) -> String {
    format!(
        "{limit} {minutes} {until} {region} {priority:?} {usual:?} {mark} {words:?} {letters:?} {tags:?} {numbers:?} \
         {wait:?} {perhaps:?} {nothing:?}"
    )
}

const ABSENT: &str =
    "10 1440 9223372036854775807 EU Low Normal x [] [\"a\", \"b\"] [\"new\"] {1, 3} 1.5s Some(11) None";

fn app() -> App {
    App::empty("defaults").tool::<describe>()
}

#[test]
fn defaults_of_every_kind_are_published_as_json() {
    let tools = list(app());
    let schema = &tools[0]["inputSchema"];
    assert_eq!(schema.get("required"), None, "{schema}");
    let published = schema["properties"].as_object().expect("there are properties");
    let defaults: Vec<(&str, Value)> =
        published.iter().map(|(name, property)| (name.as_str(), property["default"].clone())).collect();
    assert_eq!(
        defaults,
        [
            ("limit", json!(10)),
            ("minutes", json!(1440)),
            ("until", json!(i64::MAX)),
            ("region", json!("EU")),
            ("priority", json!("low")),
            ("usual", json!("normal")),
            ("mark", json!("x")),
            ("words", json!([])),
            ("letters", json!(["a", "b"])),
            ("tags", json!(["new"])),
            ("numbers", json!([1, 3])),
            ("wait", json!({"secs": 1, "nanos": 500_000_000})),
            ("perhaps", json!(11)),
            ("nothing", Value::Null),
        ]
    );
    assert_eq!(published["nothing"], json!({"type": "string"}), "`None` is no default to publish");
    assert_eq!(published["limit"]["description"], "The most results.");
}

#[test]
fn absent_arguments_and_null_have_the_default() {
    let text = |arguments: Value| call(app(), "describe", arguments, Value::Null)["content"][0]["text"].take();
    assert_eq!(text(json!({})), ABSENT);
    assert_eq!(
        text(json!({"limit": null, "region": null, "priority": null, "usual": null, "tags": null, "perhaps": null})),
        ABSENT
    );
    let given = text(json!({
        "limit": 5, "minutes": 1, "until": 2, "region": "US", "priority": "high", "usual": "low", "mark": "y",
        "words": ["w"], "letters": [], "tags": [], "numbers": [9], "wait": {"secs": 2, "nanos": 0}, "perhaps": 3,
        "nothing": "something"
    }));
    assert_eq!(given, "5 1 2 US High Low y [\"w\"] [] [] {9} 2s Some(3) Some(\"something\")");
}

#[test]
fn constraints_hold_beside_a_default_that_is_an_expression() {
    let refused = call(app(), "describe", json!({"limit": 101, "usual": "urgent"}), Value::Null);
    let text = refused["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("`/limit`") && text.contains("`/usual`") && text.contains("urgent"), "{text}");
}

/// Has defaults outside of its constraints.
#[mcp::tool]
async fn unfit(
    #[arg(default = LIMIT * 50, max = 100)] limit: u32,
    #[arg(default = REGION, min_length = 3)] region: String,
    #[arg(default = REGION, pattern = "^[a-z]+$")] code: &str,
    #[arg(default = TAGS, min_length = 2)] tags: Vec<String>,
) -> String {
    format!("{limit} {region} {code} {tags:?}")
}

#[test]
fn a_default_outside_of_its_constraints_is_a_problem_with_tool_argument_and_value() {
    let error = App::empty("x").tool::<unfit>().check().unwrap_err();
    let texts: Vec<&str> = error.problems().iter().map(fastmcp_rs::Problem::text).collect();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    for (text, parts) in texts.iter().zip([
        ["`limit`", "500", "at most 100"],
        ["`region`", "\"EU\"", "at least 3 characters"],
        ["`code`", "\"EU\"", "pattern"],
        ["`tags`", "[\"new\"]", "at least 2 items"],
    ]) {
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?} in {text}");
    }
    assert!(error.problems().iter().all(|problem| problem.subject() == "tool `unfit`"));
}

#[mcp::model]
struct Page {
    #[arg(default = LIMIT, min = 1, max = 100)]
    limit: u32,
    #[arg(default = REGION)]
    region: String,
    #[arg(default)]
    priority: Priority,
    #[arg(default = ["id"], min_length = 1)]
    sort: Vec<String>,
    #[arg(default = Self::STEP)]
    step: u8,
}

impl Page {
    const STEP: u8 = 7;
}

/// Shows a page.
#[mcp::tool]
async fn show(page: Page) -> String {
    let Page { limit, region, priority, sort, step } = page;
    format!("{limit} {region} {priority:?} {sort:?} {step}")
}

#[test]
fn fields_of_models_have_the_same_defaults() {
    let app = || App::empty("x").tool::<show>();
    let tools = list(app());
    let page = &tools[0]["inputSchema"]["properties"]["page"];
    for (field, default) in [
        ("limit", json!(10)),
        ("region", json!("EU")),
        ("priority", json!("normal")),
        ("sort", json!(["id"])),
        ("step", json!(7)),
    ] {
        assert_eq!(page["properties"][field]["default"], default, "{page}");
    }
    assert_eq!(page.get("required"), None, "{page}");
    let result = call(app(), "show", json!({"page": {}}), Value::Null);
    assert_eq!(result["content"][0]["text"], "10 EU Normal [\"id\"] 7");
}

#[mcp::model]
struct Wrong {
    #[arg(default = LIMIT * 50, max = 100)]
    limit: u32,
}

/// Takes a model whose default breaks its own constraint.
#[mcp::tool]
async fn wrong(page: Wrong) -> u32 {
    page.limit
}

#[test]
fn a_default_of_a_field_outside_of_its_constraints_is_a_problem() {
    let text = App::empty("x").tool::<wrong>().check().unwrap_err().to_string();
    for part in ["tool `wrong`", "field `/page/limit`", "500", "from 0 to 100"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// Writes a letter.
#[mcp::prompt]
async fn letter(#[arg(default = LIMIT)] lines: u32, #[arg(default = REGION)] region: &str) -> String {
    format!("{lines} lines to {region}")
}

/// Returns orders.
#[mcp::resource("orders://all{?limit,region}")]
async fn orders(#[arg(default = LIMIT)] limit: u32, #[arg(default = REGION)] region: &str) -> String {
    format!("{limit} orders of {region}")
}

struct Desk;

#[mcp::server]
impl Desk {
    const SIZE: u8 = 3;

    /// Counts.
    #[tool]
    async fn count(&self, #[arg(default = Self::SIZE)] size: u8) -> u8 {
        size
    }
}

#[test]
fn prompts_resources_and_methods_have_defaults_that_are_expressions() {
    run(async {
        let app = App::empty("x").prompt::<letter>().resource::<orders>().server::<Desk>().state(Desk);
        let mut wire = app.connect().await.expect("the app is valid");
        let answer = ask(&mut wire, "prompts/get", json!({"name": "letter"}), Value::Null).await;
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], "10 lines to EU", "{answer}");
        let answer = ask(&mut wire, "resources/read", json!({"uri": "orders://all?region=US"}), Value::Null).await;
        assert_eq!(answer["result"]["contents"][0]["text"], "10 orders of US", "{answer}");
        let answer = ask(&mut wire, "tools/call", json!({"name": "count", "arguments": {}}), Value::Null).await;
        assert_eq!(answer["result"]["structuredContent"], 3, "{answer}");
    });
}
