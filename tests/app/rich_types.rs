//! Types of other crates, such as dates, decimals and URLs, behind their features.

use chrono::{DateTime, Utc};
use fastmcp_rs::prelude::*;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

#[mcp::model]
struct Booking {
    id: Uuid,
    nights: i64,
    total: Decimal,
    page: Url,
    booked_at: DateTime<Utc>,
}

/// Books a room.
#[mcp::tool]
async fn book(
    id: Uuid,
    from: Date,
    to: Date,
    price: Decimal,
    page: Url,
    now: DateTime<Utc>,
) -> Result<Booking, ToolError> {
    let nights = from.until(to).map_err(ToolError::internal)?.get_days();
    Ok(Booking { id, nights: nights.into(), total: price * Decimal::from(nights), page, booked_at: now })
}

fn call(arguments: Value) -> Value {
    super::run(async move {
        let mut wire = App::empty("hotel").tool::<book>().connect().await.expect("the app is valid");
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        let method = if arguments.is_null() { "tools/list" } else { "tools/call" };
        let params = json!({"name": "book", "arguments": arguments, "_meta": meta});
        wire.send(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string());
        let frame: Value = serde_json::from_str(&wire.receive().await).expect("a frame is JSON");
        frame["result"].clone()
    })
}

#[test]
fn rich_types_are_read_and_written() {
    let booking = call(json!({
        "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "from": "2026-11-22", "to": "2026-11-25", "price": "80.10",
        "page": "https://example.com/a", "now": "2026-11-22T13:25:00Z"
    }));
    assert_eq!(
        booking["structuredContent"],
        json!({
            "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "nights": 3, "total": "240.30",
            "page": "https://example.com/a", "booked_at": "2026-11-22T13:25:00Z"
        })
    );
}

#[test]
fn rich_types_are_published_with_their_formats() {
    let properties = call(Value::Null)["tools"][0]["inputSchema"]["properties"].clone();
    let format = |name: &str| properties[name]["format"].clone();
    assert_eq!((format("id"), format("from"), format("page")), (json!("uuid"), json!("date"), json!("uri")));
    assert_eq!(format("now"), "date-time");
}

#[test]
fn a_wrong_rich_value_is_reported_with_its_location() {
    let text = call(json!({
        "id": "67e55044", "from": "2026-11-22", "to": "2026-11-25", "price": "80.10",
        "page": "https://example.com/a", "now": "2026-11-22T13:25:00Z"
    }))["content"][0]["text"]
        .clone();
    let text = text.as_str().expect("it is told in words");
    assert!(text.starts_with("Invalid arguments for `book`:\n- `/id`: "), "{text}");
}
