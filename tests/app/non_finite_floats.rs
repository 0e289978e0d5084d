//! Floats that are NaN or infinite, for which JSON has no form: a result with `null` instead would break its own
//! schema.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use fastmcp_rs::content::Annotations;
use fastmcp_rs::handler::IntoContent;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{ClientReply, TestClient};
use serde_json::{Value, json};

use crate::support::Revision;
use crate::validated_client::validated;

/// Floats in every kind of place.
#[mcp::model]
#[derive(Default)]
struct Basket {
    items: Vec<Item>,
    rate: Option<f32>,
    pair: (u8, f64),
    shape: Option<Shape>,
    #[serde(flatten)]
    prices: BTreeMap<String, f64>,
}

#[mcp::model]
struct Item {
    price: f64,
}

#[mcp::model]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: f64 },
}

/// Puts a number into a basket.
fn basket(place: &str, number: f64) -> Basket {
    let mut basket = Basket::default();
    match place {
        "items[2].price" => basket.items = [1.0, 2.0, number].map(|price| Item { price }).into(),
        "rate" => basket.rate = Some(number as f32),
        "pair[1]" => basket.pair.1 = number,
        "shape.radius" => basket.shape = Some(Shape::Circle { radius: number }),
        "tea" => basket.prices = [("mug".to_owned(), 1.0), ("tea".to_owned(), number)].into(),
        _ => {}
    }
    basket
}

const PLACES: [&str; 5] = ["items[2].price", "rate", "pair[1]", "shape.radius", "tea"];

/// Reads a number that a client cannot send as one.
fn number(text: &str) -> Result<f64, ToolError> {
    text.parse().map_err(|_| ToolError::new("no number"))
}

/// Fills a basket.
#[mcp::tool]
async fn fill_basket(place: &str, value: &str) -> Result<Basket, ToolError> {
    Ok(basket(place, number(value)?))
}

/// Fills a list of baskets.
#[mcp::tool]
async fn fill_baskets(place: &str, value: &str) -> Result<Vec<Basket>, ToolError> {
    Ok(vec![Basket::default(), basket(place, number(value)?)])
}

/// Fills a basket on another thread.
#[mcp::tool]
fn fill_basket_slowly(place: &str, value: &str) -> Result<Option<Basket>, ToolError> {
    Ok(Some(basket(place, number(value)?)))
}

/// A result that borrows from the arguments.
#[mcp::model]
struct Lent<'a> {
    name: &'a str,
    amount: f64,
}

/// Names an amount.
#[mcp::tool]
async fn lend_amount<'a>(name: &'a str, value: &str) -> Result<Lent<'a>, ToolError> {
    Ok(Lent { name, amount: number(value)? })
}

/// Composes an answer.
#[mcp::tool]
async fn compose_basket(place: &str, value: &str) -> Result<ToolResult, ToolError> {
    Ok(ToolResult::text("a basket").structured(basket(place, number(value)?))?)
}

/// Answers with a number alone.
#[mcp::tool]
async fn plain_float(value: &str) -> Result<f64, ToolError> {
    number(value)
}

/// Answers with a number or nothing.
#[mcp::tool]
async fn optional_float(value: &str) -> Result<Option<f32>, ToolError> {
    Ok(Some(number(value)? as f32))
}

struct Celsius(f64);

impl IntoContent for Celsius {
    fn into_result(self) -> ToolResult {
        self.0.into_result().content(Content::text("°C"))
    }
}

/// Answers with a type of its own that is shown as a number.
#[mcp::tool]
async fn own_float(value: &str) -> Result<Celsius, ToolError> {
    Ok(Celsius(number(value)?))
}

/// Remembers a number.
#[mcp::tool]
async fn remember_float(value: &str, ctx: &Context) -> Result<String, ToolError> {
    let kept: Option<f64> = ctx.remember("number", async { number(value).map(Some) }).await?;
    Ok(format!("{kept:?}"))
}

/// Sends notifications.
#[mcp::tool]
async fn notify_float(value: &str, ctx: &Context) -> Result<(), ToolError> {
    let number = number(value)?;
    ctx.info(basket("items[2].price", 1.5));
    ctx.info(basket("items[2].price", number));
    ctx.progress(1.0, number, "of an unknown number");
    ctx.progress(number, 10.0, None);
    ctx.progress(number, number, None);
    ctx.progress(2.0, 10.0, None);
    Ok(())
}

/// Annotates a text.
#[mcp::tool]
async fn annotate_float(value: &str) -> Result<Content, ToolError> {
    let text = fastmcp_rs::content::Text::new("a text");
    Ok(text.annotations(Annotations::new().priority(number(value)?)).into())
}

/// A form whose defaults have no JSON form.
#[mcp::model]
struct Weight {
    #[serde(default = "unknown")]
    kilos: f64,
    #[serde(default = "unknown")]
    tare: f64,
}

fn unknown() -> f64 {
    f64::NAN
}

/// Asks for a weight.
#[mcp::tool]
async fn ask_weight(ctx: &Context) -> Result<String, ToolError> {
    let weight = ctx.elicit::<Weight>("How heavy?").await?.accepted();
    Ok(weight.map_or("unknown".into(), |weight| format!("{} of {}", weight.tare, weight.kilos)))
}

/// Takes a weight.
#[mcp::tool]
async fn take_weight(weight: Weight) -> String {
    weight.kilos.to_string()
}

/// A basket as JSON.
#[mcp::resource("baskets://{place}/{value}")]
async fn basket_resource(place: &str, value: &str) -> Result<Basket, ToolError> {
    Ok(basket(place, number(value)?))
}

/// A number as JSON.
#[mcp::resource("floats://{value}")]
async fn float_resource(value: &str) -> Result<f64, ToolError> {
    number(value)
}

/// A basket as an item of JSON.
#[mcp::resource("contents://{place}/{value}")]
async fn basket_contents(place: &str, value: &str) -> Result<ResourceContents, ToolError> {
    Ok(ResourceContents::json(&basket(place, number(value)?))?)
}

fn app() -> App {
    let dynamic = DynamicTool::new("dynamic_float", json!({"type": "object"}), |arguments, _| async move {
        number(arguments["value"].as_str().unwrap_or_default())
    });
    App::empty("baskets")
        .tool::<fill_basket>()
        .tool::<fill_baskets>()
        .tool::<fill_basket_slowly>()
        .tool::<lend_amount>()
        .tool::<compose_basket>()
        .tool::<plain_float>()
        .tool::<optional_float>()
        .tool::<own_float>()
        .tool::<remember_float>()
        .tool::<notify_float>()
        .tool::<annotate_float>()
        .tool::<ask_weight>()
        .tool::<take_weight>()
        .add_tool(dynamic)
        .resource::<basket_resource>()
        .resource::<float_resource>()
        .resource::<basket_contents>()
}

/// The text of the operator's log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic with the lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The lines that were logged since the last time.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no panic with the lock"));
        String::from_utf8(bytes).expect("UTF-8")
    }
}

/// Runs on one thread, on which everything is logged.
fn with_log<T>(work: impl AsyncFnOnce(&Log) -> T) -> T {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tracing::subscriber::with_default(subscriber, || runtime.block_on(work(&log)))
}

/// Connects a client that checks every frame against the schema of its revision.
async fn connect(revision: Revision) -> TestClient {
    let client = app().test_client().log_level(LoggingLevel::Info);
    validated(client, revision).await.expect("the app is valid")
}

/// Returns the error id of a text that the model reads.
fn error_id(text: &str) -> &str {
    let (_, rest) = text.split_once("Internal error ").unwrap_or_else(|| panic!("an error id in {text}"));
    rest.split_once('.').expect("a full stop").0
}

#[test]
fn a_non_finite_float_is_an_error_that_is_logged_with_its_location() {
    with_log(async |log| {
        for revision in Revision::ALL {
            let client = connect(revision).await;
            for value in ["NaN", "inf", "-inf"] {
                for place in PLACES {
                    for (tool, prefix) in [("fill_basket", ""), ("fill_baskets", "[1]."), ("compose_basket", "")] {
                        let arguments = json!({"place": place, "value": value});
                        let reply = client.call(tool, arguments).await.expect("it is a result");
                        assert!(reply.is_error(), "{tool}: {}", reply.json());
                        assert!(reply.json().get("structuredContent").is_none(), "{tool}: {}", reply.json());
                        let (text, line) = (reply.text(), log.take());
                        assert!(line.contains(error_id(&text)), "{text}: {line}");
                        for part in [format!("`{tool}`"), format!("`{prefix}{place}`: {value} has no JSON form")] {
                            assert!(line.contains(&part), "{part} in {line}");
                        }
                    }
                }
            }
            // All else is as it was.
            let reply = client.call("fill_basket", json!({"place": "rate", "value": "0.5"})).await.expect("a result");
            assert!(!reply.is_error() && reply.text().contains(r#""rate":0.5"#), "{}", reply.text());
            assert_eq!(log.take(), "");
        }
    });
}

#[test]
fn a_non_finite_float_is_an_error_in_every_kind_of_tool() {
    with_log(async |log| {
        for revision in Revision::ALL {
            let client = connect(revision).await;
            for value in ["NaN", "inf", "-inf"] {
                for tool in ["plain_float", "optional_float", "own_float", "dynamic_float"] {
                    let reply = client.call(tool, json!({"value": value})).await.expect("it is a result");
                    assert!(reply.is_error(), "{tool}: {}", reply.json());
                    let (text, line) = (reply.text(), log.take());
                    assert!(line.contains(error_id(&text)) && line.contains(tool), "{text}: {line}");
                    let why = ["the result is ", "the result has no JSON form: "].map(|why| format!("{why}{value}"));
                    assert!(why.iter().any(|why| line.contains(why)), "{line}");
                }
                let lent = client.call("lend_amount", json!({"name": "tea", "value": value})).await.expect("a result");
                assert!(lent.is_error() && error_id(&lent.text()).len() == 8, "{}", lent.json());
                let line = log.take();
                assert!(line.contains(&format!("`amount`: {value} has no JSON form")), "{line}");
                let arguments = json!({"place": "rate", "value": value});
                let slow = client.call("fill_basket_slowly", arguments).await.expect("a result");
                assert!(slow.is_error() && error_id(&slow.text()).len() == 8, "{}", slow.json());
                log.take();
            }
            let plain = client.call("plain_float", json!({"value": "1e300"})).await.expect("a result");
            // Before the newest revision the text is that of an object, which holds the number.
            let text = plain.text();
            let number = text.strip_prefix(r#"{"result":"#).and_then(|rest| rest.strip_suffix('}')).unwrap_or(&text);
            assert!(!plain.is_error() && number.parse() == Ok(1e300), "{}", plain.json());
            assert_eq!(client.call("own_float", json!({"value": "21.5"})).await.expect("a result").text(), "21.5\n°C");
        }
    });
}

#[test]
fn a_resource_with_a_non_finite_float_is_an_error() {
    with_log(async |log| {
        for revision in Revision::ALL {
            let client = connect(revision).await;
            for (uri, place) in [
                ("baskets://items[2].price/NaN", "`items[2].price`: NaN"),
                ("baskets://rate/inf", "`rate`: inf"),
                ("contents://shape.radius/-inf", "`shape.radius`: -inf"),
                ("floats://NaN", ": NaN"),
            ] {
                let failure = client.read(&uri.replace('[', "%5B").replace(']', "%5D")).await.expect_err(uri);
                let line = log.take();
                assert_eq!(failure.code(), -32603, "{failure:?}");
                assert!(line.contains(error_id(failure.message())), "{failure:?}: {line}");
                assert!(line.contains(&format!("{place} has no JSON form")), "{line}");
            }
            assert_eq!(client.read("floats://1.5").await.expect("a resource").text(), "1.5");
        }
    });
}

#[test]
fn a_notification_with_a_non_finite_float_is_not_sent() {
    with_log(async |log| {
        for revision in Revision::ALL {
            for value in ["NaN", "inf", "-inf"] {
                let client = connect(revision).await;
                client.call("notify_float", json!({"value": value})).progress_token(7).await.expect("a result");
                let sent = client.notifications();
                let of = |method: &str| -> Vec<Value> {
                    let sent = sent.iter().filter(|notification| notification.method == method);
                    sent.map(|notification| notification.params.clone()).collect()
                };
                let logged = of("notifications/message");
                assert_eq!(logged.len(), 1, "{logged:?}");
                assert_eq!(logged[0]["data"]["items"][2]["price"], 1.5);
                let progress = of("notifications/progress");
                assert_eq!(progress.last().expect("progress")["progress"], 2.0);
                assert!(progress.iter().all(|params| !params.to_string().contains("null")), "{progress:?}");
                let lines = log.take();
                assert!(lines.contains("`notify_float` logged a value"), "{lines}");
                assert!(lines.contains(&format!("`items[2].price`: {value} has no JSON form")), "{lines}");
                // A loop of non-finite results is logged once.
                assert_eq!(lines.matches("`notify_float` reported progress").count(), 1, "{lines}");
            }
        }
    });
}

#[test]
fn remembered_values_and_annotations_never_replace_a_float_by_null() {
    with_log(async |log| {
        for revision in Revision::ALL {
            let client = connect(revision).await;
            for value in ["NaN", "inf", "-inf"] {
                let reply = client.call("remember_float", json!({"value": value})).await.expect("a result");
                assert!(reply.is_error(), "{}", reply.json());
                let line = log.take();
                assert!(line.contains(error_id(&reply.text())) && line.contains("has no JSON form"), "{line}");
                let annotated = client.call("annotate_float", json!({"value": value})).await.expect("a result");
                let expected = match value {
                    "NaN" => None,
                    "inf" => Some(1.0),
                    _ => Some(0.0),
                };
                let annotations = annotated.json()["content"][0]["annotations"].clone();
                assert_eq!(annotations.get("priority").map(Value::as_f64), expected.map(Some), "{annotations}");
            }
            assert_eq!(
                client.call("remember_float", json!({"value": "2"})).await.expect("a result").text(),
                "Some(2.0)"
            );
        }
    });
}

#[test]
fn a_default_never_replaces_a_float_by_null() {
    with_log(async |_| {
        for revision in [Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28] {
            let client = app().test_client().on_elicitation(|question| {
                assert!(!question.params.to_string().contains("null"), "{}", question.params);
                ClientReply::accept(json!({"kilos": 3}))
            });
            let client = validated(client, revision).await.expect("the app is valid");
            assert_eq!(client.call("ask_weight", json!({})).await.expect("a result").text(), "NaN of 3");
            let tools = client.list_tools().await.expect("a list");
            let tool = tools.iter().find(|tool| tool["name"] == "take_weight").expect("it is listed");
            assert!(!tool["inputSchema"].to_string().contains(r#""default":null"#), "{tool}");
        }
    });
}

#[test]
#[should_panic(expected = "`price`: NaN has no JSON form")]
fn a_test_client_never_replaces_a_float_by_null() {
    with_log(async |_| {
        let client = connect(Revision::V2026_07_28).await;
        drop(client.call("plain_float", Item { price: f64::NAN }));
    });
}
