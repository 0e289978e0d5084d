//! Warnings that an app logs at its start.

use std::io::Write;
use std::sync::{Arc, Mutex};

use fastmcp_rs::DynamicTool;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// The warnings at the start of an app.
fn warnings(app: App) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { app.test_client().await.map(drop) }).expect("the app is right");
    });
    let text = log.0.lock().unwrap().clone();
    String::from_utf8(text).expect("it is UTF-8")
}

fn by_hand(name: &str, schema: Value) -> App {
    App::empty("x").add_tool(DynamicTool::new(name, schema, |_, _| async { Ok::<_, ToolError>("x") }))
}

#[mcp::model]
struct Line {
    id: u64,
    #[arg(max = 1_000_000)]
    count: u64,
}

/// Looks something up.
#[mcp::tool]
async fn look_up(id: i64, line: Line, small: u8, lines: Option<Vec<Line>>) -> String {
    let Line { id: other, count } = line;
    format!("{id} {other} {count} {small} {}", lines.map_or(0, |lines| lines.len()))
}

#[test]
fn integers_beyond_javascript_get_a_warning_with_tool_and_argument() {
    let told = warnings(App::empty("x").tool::<look_up>());
    assert_eq!(told.matches("WARN").count(), 1, "{told}");
    assert!(told.contains("`look_up` (`/id`, `/line/id`, `/lines/id`)"), "{told}");
}

#[test]
fn schemas_that_vendors_refuse_get_a_warning_with_tool_and_argument() {
    for (name, schema, parts) in [
        ("x".repeat(65), json!({"type": "object"}), ["65 characters", "its name"]),
        ("a".into(), json!({"type": "object", "anyOf": [{}]}), ["tool `a`", "`anyOf` at the top"]),
        ("a".into(), json!({"type": "object", "properties": {"b": true}}), ["`/b`", "`true`"]),
        ("a".into(), json!({"type": "object", "properties": {"b": {"type": "array"}}}), ["`/b`", "`items`"]),
        ("a".into(), json!({"type": "object", "properties": {"b c": {"type": "string"}}}), ["`/b c`", "rename it"]),
    ] {
        let told = warnings(by_hand(&name, schema));
        assert_eq!(told.matches("WARN").count(), 1, "{told}");
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    let fine = json!({"type": "object", "properties": {"b": {"type": "array", "items": {"type": "string"}}}});
    assert_eq!(warnings(by_hand("a", fine)), "");
}
