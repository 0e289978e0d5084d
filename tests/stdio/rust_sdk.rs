//! The official Rust SDK as a client of the order manager, in both eras.

use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock, ProtocolVersion};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::{Map, Value, json};

use crate::order_manager::TOOLS;
use crate::support::Folder;
use crate::support::client::example;

type Client = RunningService<RoleClient, ()>;

async fn connect(folder: &Folder, lifecycle: ClientLifecycleMode) -> Client {
    let mut command = tokio::process::Command::new(example("order_manager"));
    command.current_dir(folder.path()).env_remove("DATABASE_URL");
    let transport = TokioChildProcess::new(command).expect("the order manager starts");
    ().serve_with_lifecycle(transport, lifecycle).await.expect("a session")
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let arguments: Map<String, Value> = serde_json::from_value(arguments).expect("an object");
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await.expect("a result")
}

fn text(result: &CallToolResult) -> &str {
    match result.content.as_slice() {
        [ContentBlock::Text(text)] => &text.text,
        other => panic!("one text block, not {other:?}"),
    }
}

async fn use_it(lifecycle: ClientLifecycleMode, version: ProtocolVersion) {
    let folder = Folder::new();
    let client = connect(&folder, lifecycle).await;
    let info = client.peer_info().expect("the server has introduced itself");
    assert_eq!(info.protocol_version, version);

    let tools = client.list_all_tools().await.expect("a list");
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, TOOLS);

    let details = call(&client, "get_order_details", json!({"order_id": "ORD-102"})).await;
    assert_ne!(details.is_error, Some(true));
    assert!(text(&details).starts_with("Order ID: ORD-102\nCustomer: bob@example.com\n"), "{}", text(&details));

    let missing = call(&client, "get_order_details", json!({"order_id": "ORD-000"})).await;
    assert_eq!(missing.is_error, Some(true));

    let orders = call(&client, "list_orders_by_status", json!({"status": "Delivered"})).await;
    let expected = json!([{"id": "ORD-103", "amount": 25.0, "email": "charlie@example.com"}]);
    let structured = orders.structured_content.expect("structured output");
    let modern = version == ProtocolVersion::V_2026_07_28;
    assert_eq!(structured, if modern { expected } else { json!({"result": expected}) });

    // Four concurrent calls that take a second each, and a quick one beside them.
    let start = std::time::Instant::now();
    let slow = async |topic: &str| call(&client, "fetch_external_data", json!({"query": topic})).await;
    let quick = async {
        call(&client, "check_refund_eligibility", json!({"order_id": "ORD-101"})).await;
        start.elapsed()
    };
    let (a, b, c, d, quick) = tokio::join!(slow("a"), slow("b"), slow("c"), slow("d"), quick);
    assert!(quick < Duration::from_millis(900), "{quick:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    for (topic, result) in ["a", "b", "c", "d"].iter().zip([a, b, c, d]) {
        assert!(text(&result).ends_with(topic), "{}", text(&result));
    }

    assert!(client.call_tool(CallToolRequestParams::new("no_such_tool")).await.is_err());
    client.cancel().await.expect("it ends");
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), test).await.expect("in time") });
}

#[test]
fn rmcp_connects_with_a_handshake() {
    run(use_it(ClientLifecycleMode::Initialize, ProtocolVersion::V_2025_11_25));
}

#[test]
fn rmcp_connects_without_a_handshake() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    run(use_it(ClientLifecycleMode::Discover { preferred_versions }, ProtocolVersion::V_2026_07_28));
}

#[test]
fn rmcp_connects_after_a_probe() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = ClientLifecycleMode::Auto { preferred_versions, legacy_version: None };
    run(use_it(lifecycle, ProtocolVersion::V_2026_07_28));
}
