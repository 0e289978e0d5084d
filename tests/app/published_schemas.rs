//! Published schemas, which have to suit the models of every vendor.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use fastmcp_rs::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::run;

/// How it goes.
#[mcp::model]
enum Speed {
    /// Within three days.
    Slow,
    /// Over night.
    Fast,
}

#[mcp::model]
struct Parcel {
    /// The way of it.
    speed: Option<Speed>,
    size: (u32, String, u32),
}

#[mcp::model]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

/// Sends a parcel.
#[mcp::tool]
#[allow(clippy::too_many_arguments)]
async fn send(
    /// How quickly.
    speed: Speed,
    /// Perhaps how quickly.
    again: Option<Speed>,
    plain: Option<Speed>,
    parcel: Parcel,
    place: (f64, f64),
    shape: Shape,
    at: NaiveTime,
    from: NaiveDateTime,
    wait: Option<TimeDelta>,
    price: Decimal,
    address: Option<std::net::IpAddr>,
    /// How many.
    #[arg(min = 1, max = 10)]
    count: u8,
) -> Shape {
    let _ = (speed, again, plain, parcel.speed, parcel.size, place, at, from, wait, price, address, count);
    shape
}

fn listed(app: App) -> Value {
    run(async {
        let client = app.test_client().await.expect("the app is valid");
        client.list_tools().await.expect("they are listed").remove(0)
    })
}

fn properties(app: App) -> Value {
    listed(app)["inputSchema"]["properties"].take()
}

fn app() -> App {
    App::empty("x").tool::<send>()
}

/// Every schema inside of another one.
fn each(schema: &Value, look: &mut dyn FnMut(&Value)) {
    look(schema);
    match schema {
        Value::Object(members) => members.values().for_each(|member| each(member, look)),
        Value::Array(items) => items.iter().for_each(|item| each(item, look)),
        _ => {}
    }
}

#[test]
fn the_description_of_an_argument_precedes_those_of_the_variants() {
    let properties = properties(app());
    let variants = "- `Slow`: Within three days.\n- `Fast`: Over night.";
    let description = |property: &Value| property["description"].as_str().unwrap_or_default().to_owned();
    assert_eq!(description(&properties["speed"]), format!("How quickly.\n\n{variants}"));
    assert_eq!(description(&properties["again"]), format!("Perhaps how quickly.\n\n{variants}"));
    assert_eq!(description(&properties["plain"]), format!("How it goes.\n\n{variants}"));
    assert_eq!(description(&properties["parcel"]["properties"]["speed"]), format!("The way of it.\n\n{variants}"));
}

/// Writes a letter.
#[mcp::prompt]
async fn letter(
    /// How quickly.
    speed: Speed,
    again: Option<Speed>,
) -> String {
    format!("{} {}", matches!(speed, Speed::Slow), again.is_some())
}

#[test]
fn the_comment_of_a_prompt_argument_precedes_those_of_the_variants() {
    let listed = run(async {
        let client = App::empty("x").prompt::<letter>().test_client().await.expect("the app is valid");
        client.list_prompts().await.expect("they are listed").remove(0)
    });
    let variants = "- `Slow`: Within three days.\n- `Fast`: Over night.";
    assert_eq!(listed["arguments"][0]["description"], format!("How quickly.\n\n{variants}"));
    assert_eq!(listed["arguments"][1]["description"], format!("How it goes.\n\n{variants}"));
}

type Byte = u8;

#[mcp::model]
struct Offer {
    #[arg(min = 0)]
    price: Decimal,
    #[arg(pattern = "^1")]
    count: Option<Byte>,
    #[arg(min_length = 1)]
    names: Vec<String>,
}

/// Offers.
#[mcp::tool]
async fn offer(offers: Vec<Offer>) -> String {
    offers.iter().map(|Offer { price, count, names }| format!("{price} {count:?} {names:?}")).collect()
}

#[test]
fn a_constraint_of_a_field_that_its_type_cannot_have_is_an_error_at_start() {
    let problems = App::empty("x").tool::<offer>().check().map_or_else(|error| error.to_string(), |()| String::new());
    for told in [
        r#"field `/offers/price`: `min` needs a number, but the schema has type "string""#,
        r#"field `/offers/count`: `pattern` needs a string, but the schema has type "integer""#,
    ] {
        assert!(problems.contains(told), "{told}: {problems}");
    }
    assert!(!problems.contains("names"), "{problems}");
}

#[test]
fn published_lists_have_items_and_formats_are_registered() {
    let tool = listed(app());
    each(&tool, &mut |schema| {
        if schema["type"] == "array" {
            assert!(schema["items"].is_object(), "{schema}");
        }
        let format = schema["format"].as_str().unwrap_or("date");
        assert!(["date", "time", "date-time", "duration", "uri", "uuid"].contains(&format), "{schema}");
        assert!(schema["oneOf"].is_null() && schema["const"].is_null(), "{schema}");
    });
    let properties = &tool["inputSchema"]["properties"];
    assert_eq!(properties["place"]["items"], json!({"type": "number"}));
    let size = &properties["parcel"]["properties"]["size"]["items"]["anyOf"];
    assert_eq!(size.as_array().map(Vec::len), Some(2), "each kind once: {size}");
    assert_eq!(properties["price"]["type"], "string");
    let format = properties["from"]["description"].as_str().unwrap_or_default();
    assert!(format.contains("2026-01-31T12:30:00"), "what a format cannot say is said in words: {format}");
    assert_eq!(tool["outputSchema"]["anyOf"][0]["properties"]["kind"]["enum"], json!(["Circle"]));
}

#[test]
fn an_app_can_publish_schemas_without_additional_properties() {
    let by_hand = DynamicTool::new(
        "a",
        json!({"type": "object", "properties": {"x": {"type": "object", "additionalProperties": false}}, "additionalProperties": false}),
        |_, _| async { Ok::<_, ToolError>("x") },
    );
    for tool in [listed(app().open_schemas(true)), listed(App::empty("x").add_tool(by_hand).open_schemas(true))] {
        each(&tool["inputSchema"], &mut |schema| assert!(schema["additionalProperties"].is_null(), "{schema}"));
    }
    let refused = run(async {
        let client = app().open_schemas(true).test_client().await.expect("the app is valid");
        client.call("send", json!({"cuont": 1})).await.expect("it is answered").text()
    });
    assert!(refused.contains("`/cuont`: unknown argument"), "{refused}");
}

#[test]
fn an_app_can_publish_limits_in_words() {
    let properties = properties(app().describe_limits(true));
    assert_eq!(properties["count"]["description"], "How many.\n\nAllowed: 1 to 10.");
    let speed = properties["speed"]["description"].as_str().unwrap_or_default();
    assert!(speed.ends_with(r#"Allowed: one of "Slow", "Fast"."#), "{speed}");
}

/// Asks for a poem.
#[mcp::prompt]
async fn poem(
    topic: String,
    verses: Option<u32>,
    day: Option<chrono::NaiveDate>,
    first: Option<char>,
    mood: Option<String>,
    #[arg(default = 3)] lines: u32,
) -> String {
    format!("{topic} {verses:?} {day:?} {first:?} {mood:?} {lines}")
}

#[test]
fn an_empty_prompt_argument_that_cannot_be_a_value_is_absent() {
    run(async {
        let client = App::empty("x").prompt::<poem>().test_client().await.expect("the app is valid");
        let arguments = json!({"topic": "", "verses": "", "day": "", "first": "", "mood": "", "lines": ""});
        let text = client.get_prompt("poem", arguments).await.expect("it is answered").text();
        assert_eq!(text, r#" None None None Some("") 3"#);
        let refused = client.get_prompt("poem", json!({"topic": "x", "verses": "many"})).await.unwrap_err();
        assert!(refused.message().contains("`/verses`"), "{refused}");
    });
}
