//! Error types with `#[derive(mcp::ToolError)]`, and the errors that `?` converts.

use std::error::Error;

use fastmcp_rs::content::Structured;
use fastmcp_rs::handler::FromContext;
use fastmcp_rs::middleware::{Layer, Next, Operation, OperationError, Response};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::TestClient;
use serde_json::{Map, Value, json};

use super::run;
use super::validated_client::validated;
use crate::support;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum BookingError {
    #[error("It is full on {day}.")]
    #[mcp(visible)]
    Full { day: String },
    #[error("secret: the row {0} of {1} is locked")]
    #[mcp(visible = "Table {0} is being booked by another guest ({{{1:?}}}).")]
    Locked(u32, &'static str),
    #[error("secret: the shift of {name} at {}", .place)]
    #[mcp(visible = "{name} has no time.")]
    Busy { name: String, place: &'static str },
    #[error("secret: the database is gone")]
    Database(#[from] std::io::Error),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
    #[error(transparent)]
    Question(#[from] ClientRequestError),
}

/// Everything but one variant is visible.
#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[mcp(visible)]
enum PaymentError {
    #[error("The card is declined.")]
    Declined,
    #[error("secret: the key of the bank has expired")]
    #[mcp(visible = false)]
    Key,
}

#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[error("Closed until {0}.")]
#[mcp(visible)]
struct Closed(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("secret: an error of a library")]
struct Foreign;

/// Fails as its name says.
fn fail(kind: &str) -> Result<String, BookingError> {
    Err(match kind {
        "full" => BookingError::Full { day: "Monday".into() },
        "locked" => BookingError::Locked(4, "hall"),
        "busy" => BookingError::Busy { name: "Ada".into(), place: "the bar" },
        "database" => std::io::Error::other("secret: no route to host").into(),
        "declined" => PaymentError::Declined.into(),
        "key" => PaymentError::Key.into(),
        "other" => anyhow::anyhow!("secret: anything").into(),
        _ => return Ok("booked".into()),
    })
}

/// The texts that a model reads of each failure; none for an internal error.
const FAILURES: [(&str, Option<&str>); 7] = [
    ("full", Some("It is full on Monday.")),
    ("locked", Some("Table 4 is being booked by another guest ({\"hall\"}).")),
    ("busy", Some("Ada has no time.")),
    ("database", None),
    ("declined", Some("The card is declined.")),
    ("key", None),
    ("other", None),
];

/// Returns the error itself.
#[mcp::tool]
async fn returned(kind: &str) -> Result<String, BookingError> {
    fail(kind)
}

/// Converts the error by `?`.
#[mcp::tool]
async fn converted(kind: &str) -> Result<String, ToolError> {
    Ok(fail(kind)?)
}

/// Converts it in a plain function.
#[mcp::tool]
fn blocking(kind: &str) -> Result<&str, BookingError> {
    fail(kind)?;
    Ok(kind)
}

/// Converts it from a box.
#[mcp::tool]
async fn boxed(kind: &str) -> Result<String, ToolError> {
    fn fail_in_box(kind: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
        Ok(fail(kind)?)
    }
    Ok(fail_in_box(kind)?)
}

/// Returns the box.
#[mcp::tool]
async fn returned_box(kind: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    Ok(fail(kind)?)
}

/// Gets a booking by an extractor.
#[mcp::tool]
async fn extracted(kind: &str, booking: Booking) -> String {
    format!("{kind} {}", booking.0)
}

/// Calls another tool.
#[mcp::tool]
async fn nested(kind: &str, ctx: &Context) -> Result<ToolResult, ToolError> {
    ctx.call_tool("returned", json!({ "kind": kind })).await
}

struct Booking(String);

impl FromContext for Booking {
    type Error = BookingError;

    async fn from_context(context: &Context) -> Result<Self, BookingError> {
        match context.is_cancelled() {
            true => Ok(Booking("none".into())),
            false => fail("full").map(Booking),
        }
    }
}

struct Desk;

#[mcp::server]
impl Desk {
    /// Fails in a method.
    #[tool]
    async fn method(&self, kind: &str) -> Result<String, BookingError> {
        fail(kind)
    }

    /// Fails in a resource.
    #[resource("booking://{kind}")]
    async fn booking(&self, kind: &str) -> Result<String, BookingError> {
        fail(kind)
    }

    /// Fails in a prompt.
    #[prompt]
    async fn ask(&self, kind: &str) -> Result<String, BookingError> {
        fail(kind)
    }
}

/// Is closed.
#[mcp::tool]
async fn closed() -> Result<(), Closed> {
    Err(Closed("May"))
}

fn app() -> App {
    let dynamic =
        DynamicTool::new("dynamic", json!({"type": "object"}), |arguments: Map<String, Value>, _| async move {
            fail(arguments["kind"].as_str().unwrap_or_default())
        });
    let app = App::empty("x").server::<Desk>().state(Desk).add_tool(dynamic);
    let app = app.tool::<returned>().tool::<converted>().tool::<blocking>().tool::<boxed>().tool::<returned_box>();
    app.tool::<extracted>().tool::<nested>().tool::<closed>()
}

async fn connect(app: App, revision: support::Revision) -> TestClient {
    validated(app.test_client(), revision).await.expect("the app is valid")
}

#[test]
fn each_variant_of_an_error_type_decides_what_the_model_reads() {
    for revision in support::Revision::ALL {
        run(async {
            let client = connect(app(), revision).await;
            for tool in ["returned", "converted", "blocking", "boxed", "returned_box", "method", "dynamic", "nested"] {
                for (kind, text) in FAILURES {
                    let reply = client.call(tool, json!({ "kind": kind })).await.expect("it is answered");
                    assert!(reply.is_error(), "{tool} {kind}");
                    match text {
                        Some(text) => assert_eq!(reply.text(), text, "{tool} {kind}"),
                        None => {
                            assert!(reply.text().starts_with("Internal error "), "{tool} {kind}: {}", reply.text());
                            assert!(!reply.text().contains("secret"), "{tool} {kind}: {}", reply.text());
                        }
                    }
                }
                let reply = client.call(tool, json!({ "kind": "none" })).await.expect("it is answered");
                assert!(!reply.is_error(), "{tool}");
            }
            assert_eq!(client.call("closed", json!({})).await.expect("it is answered").text(), "Closed until May.");
            let reply = client.call("extracted", json!({ "kind": "x" })).await.expect("it is answered");
            assert_eq!(reply.text(), "It is full on Monday.");
        });
    }
}

#[test]
fn error_types_decide_for_resources_and_prompts_too() {
    run(async {
        let client = connect(app(), support::Revision::NEWEST).await;
        for (kind, text) in FAILURES {
            let read = client.read(&format!("booking://{kind}")).await.expect_err("it fails").to_string();
            let prompt = client.get_prompt("ask", json!({ "kind": kind })).await.expect_err("it fails").to_string();
            for message in [read, prompt] {
                match text {
                    Some(text) => assert!(message.contains(text), "{kind}: {message}"),
                    None => assert!(message.contains("Internal error") && !message.contains("secret"), "{message}"),
                }
            }
        }
    });
}

#[test]
fn developers_may_read_the_text_and_the_causes_of_an_internal_variant() {
    run(async {
        let client = connect(app().show_errors(true), support::Revision::NEWEST).await;
        let reply = client.call("returned", json!({"kind": "database"})).await.expect("it is answered");
        assert!(reply.text().starts_with("secret: the database is gone: secret: no route to host (error "));
    });
}

/// Asks a client that cannot be asked.
#[mcp::tool]
async fn asks(ctx: &Context) -> Result<bool, BookingError> {
    Ok(matches!(ctx.elicit::<bool>("Really?").await?, ElicitationResult::Accepted(true)))
}

#[test]
fn a_transparent_variant_keeps_the_meaning_of_the_error_inside() {
    run(async {
        let client = connect(App::empty("x").tool::<asks>(), support::Revision::NEWEST).await;
        let error = client.call("asks", json!({})).await.expect_err("the client cannot be asked");
        assert_eq!(error.code(), -32021, "{error}");
    });
}

struct Gate;

impl Layer for Gate {
    async fn handle(&self, _: Operation, _: Next) -> Result<Response, OperationError> {
        fail("full")?;
        Err(anyhow::anyhow!("secret").into())
    }
}

#[test]
fn middleware_fails_with_the_text_of_a_visible_variant() {
    run(async {
        let client = connect(app().layer(Gate), support::Revision::NEWEST).await;
        let reply = client.call("returned", json!({"kind": "none"})).await.expect("it is answered");
        assert_eq!(reply.text(), "It is full on Monday.");
    });
}

/// Converts errors that do not implement `Error`.
#[mcp::tool]
async fn anything(kind: &str) -> Result<Structured<u8>, ToolError> {
    match kind {
        "anyhow" => Err(anyhow::Error::new(Foreign).context("secret"))?,
        "box" => Err(Box::<dyn Error + Send + Sync>::from(Foreign))?,
        "foreign" => Err(Foreign)?,
        "internal" => Err(ToolError::internal(PaymentError::Declined))?,
        _ => {}
    }
    Ok(Structured::new(1))
}

/// Returns an `anyhow::Error`.
#[mcp::tool]
async fn any_error() -> anyhow::Result<String> {
    anyhow::bail!("secret")
}

#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[mcp(visible)]
enum OpenError {
    #[error("There is no {type}.", r#type = .r#type)]
    Missing { r#type: &'static str },
    #[error("secret: {type}", r#type = .r#type)]
    #[mcp(visible = "A {type} of {r} is taken.")]
    Taken { r#type: &'static str, r: u8 },
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Key(#[from] PaymentError),
    #[error(transparent)]
    Question(#[from] ClientRequestError),
    #[error(transparent)]
    #[mcp(visible)]
    Shown(Foreign),
}

/// Returns an error of a visible enum.
#[mcp::tool]
async fn open_error(kind: &str, ctx: &Context) -> Result<(), OpenError> {
    match kind {
        "missing" => Err(OpenError::Missing { r#type: "room" }),
        "taken" => Err(OpenError::Taken { r#type: "room", r: 2 }),
        "io" => Err(std::io::Error::other("secret: /srv/rooms").into()),
        "key" => Err(PaymentError::Key.into()),
        "declined" => Err(PaymentError::Declined.into()),
        "shown" => Err(OpenError::Shown(Foreign)),
        _ => Ok(ctx.elicit::<bool>("Really?").await.map(|_| ())?),
    }
}

#[test]
fn a_transparent_variant_of_a_visible_enum_follows_the_rules_of_the_error_inside() {
    run(async {
        let client = connect(App::empty("x").tool::<open_error>(), support::Revision::NEWEST).await;
        for (kind, text) in [
            ("missing", "There is no room."),
            ("taken", "A room of 2 is taken."),
            ("io", "Internal error "),
            ("key", "Internal error "),
            ("declined", "The card is declined."),
            ("shown", "secret: an error of a library"),
        ] {
            let reply = client.call("open_error", json!({ "kind": kind })).await.expect("it is answered");
            assert!(reply.is_error() && reply.text().starts_with(text), "{kind}: {}", reply.text());
        }
        let error = client.call("open_error", json!({"kind": "ask"})).await.expect_err("the client cannot be asked");
        assert_eq!(error.code(), -32021, "{error}");
    });
}

/// An error without `std::error::Error`, and with a conversion of its own.
struct OwnConversion;

impl From<OwnConversion> for ToolError {
    fn from(_: OwnConversion) -> ToolError {
        ToolError::new("own")
    }
}

/// Returns an error with a conversion of its own.
#[mcp::tool]
async fn own_conversion() -> Result<String, OwnConversion> {
    Err(OwnConversion)
}

#[test]
fn the_question_mark_operator_takes_every_kind_of_error_and_hides_it() {
    run(async {
        let app = App::empty("x").tool::<anything>().tool::<any_error>().tool::<own_conversion>();
        let client = connect(app, support::Revision::NEWEST).await;
        for kind in ["anyhow", "box", "foreign", "internal"] {
            let reply = client.call("anything", json!({ "kind": kind })).await.expect("it is answered");
            assert!(reply.is_error() && reply.text().starts_with("Internal error "), "{kind}: {}", reply.text());
        }
        let reply = client.call("any_error", json!({})).await.expect("it is answered");
        assert!(reply.text().starts_with("Internal error "), "{}", reply.text());
        assert_eq!(client.call("own_conversion", json!({})).await.expect("it is answered").text(), "own");
    });
}
