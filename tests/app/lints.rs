//! Warnings that an app logs at its start.

use std::io::Write;
use std::sync::{Arc, Mutex};

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
        runtime.block_on(async { app.test_client().await.map(drop) }).expect("the app is valid");
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

/// Numbers that no `i32` holds, as bounds, defaults and examples.
#[mcp::model]
struct Wide {
    #[arg(min = -9_007_199_254_740_991, max = 9007199254740991, default = 5_000_000_000)]
    id: i64,
    #[arg(max = 18_446_744_073_709_551_615, example = 0xFFFF_FFFF_FF)]
    serial: Option<u64>,
    #[arg(min = -170_141_183_460_469_231_731_687_303_715_884_105_728, example = 1)]
    huge: Option<i128>,
    #[arg(min = -3_000_000_000, max = 1e300)]
    ratio: Option<f64>,
    #[arg(max_length = 5_000_000_000, example = [3_000_000_000, { "n": -3_000_000_000 }])]
    list: Option<Vec<Value>>,
}

/// Keeps it.
#[mcp::tool]
async fn keep(wide: Wide) -> String {
    let Wide { id, serial, huge, ratio, list } = wide;
    format!("{id} {serial:?} {huge:?} {ratio:?} {list:?}")
}

#[test]
fn fields_of_models_have_bounds_beyond_32_bits() {
    let app = || App::empty("x").tool::<keep>();
    assert!(warnings(app()).contains("`keep` (`/wide/serial`, `/wide/huge`)"), "{}", warnings(app()));
    super::run(async {
        let client = app().test_client().await.expect("the app is valid");
        let fields =
            client.list_tools().await.expect("they are listed")[0]["inputSchema"]["properties"]["wide"]["properties"]
                .take();
        let id = json!({
            "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64,
            "default": 5_000_000_000_i64
        });
        assert_eq!(fields["id"], id);
        assert_eq!(fields["serial"]["maximum"], json!(u64::MAX));
        assert_eq!(fields["serial"]["examples"], json!([0xFF_FFFF_FFFF_i64]));
        assert_eq!(fields["huge"]["minimum"], json!(i128::MIN as f64));
        assert_eq!(
            (&fields["ratio"]["minimum"], &fields["ratio"]["maximum"]),
            (&json!(-3_000_000_000_i64), &json!(1e300))
        );
        assert_eq!(fields["list"]["maxItems"], json!(5_000_000_000_i64));
        assert_eq!(fields["list"]["examples"], json!([[3_000_000_000_i64, {"n": -3_000_000_000_i64}]]));

        let kept = client.call("keep", json!({"wide": {}})).await.expect("it is answered");
        assert_eq!(kept.text(), "5000000000 None None None None");
        let refused = client.call("keep", json!({"wide": {"id": 9_007_199_254_740_992_i64}})).await;
        let text = refused.map_or_else(|failure| failure.to_string(), |reply| reply.text());
        let told = "`/wide/id`: expected an integer from -9007199254740991 to 9007199254740991, got 9007199254740992";
        assert!(text.contains(told), "{text}");
    });
}

#[test]
fn schemas_that_vendors_refuse_get_a_warning_with_tool_and_argument() {
    for (name, schema, parts) in [
        ("x".repeat(65), json!({"type": "object"}), ["65 characters", "the name"]),
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
