//! Results: numbers, booleans, strings, and content from files.

use fastmcp_rs::Revision;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::run;
use super::validated_client::validated;
use crate::support;

/// Counts.
#[mcp::tool]
fn count() -> u32 {
    3
}

/// Measures.
#[mcp::tool]
async fn measure(far: bool) -> Result<Option<f64>, ToolError> {
    Ok(far.then_some(1.5))
}

/// Says whether it is so.
#[mcp::tool]
async fn is_so() -> bool {
    true
}

/// Lists.
#[mcp::tool]
async fn several() -> Vec<u16> {
    vec![1, 2]
}

/// Greets.
#[mcp::tool]
async fn greet(name: Option<&str>) -> Option<&str> {
    name
}

/// Greets.
#[mcp::tool(structured)]
async fn greet_structured() -> String {
    "a \"b\"".into()
}

/// Counts.
#[mcp::tool(structured = false)]
async fn count_as_text() -> u32 {
    3
}

fn app() -> App {
    let app = App::empty("x").tool::<count>().tool::<measure>().tool::<is_so>().tool::<several>();
    app.tool::<greet>().tool::<greet_structured>().tool::<count_as_text>()
}

/// Calls a tool and returns its structured content, its text and its output schema.
fn call_of(app: App, revision: Revision, tool: &str, arguments: Value) -> (Option<Value>, String, Value) {
    run(async {
        let client = app.test_client().revision(revision).await.expect("the app is valid");
        let reply = client.call(tool, arguments).await.expect("it is answered");
        let tools = client.list_tools().await.expect("they are listed");
        let listed = tools.into_iter().find(|listed| listed["name"] == tool).expect("it is there");
        (reply.json().get("structuredContent").cloned(), reply.text(), listed["outputSchema"].clone())
    })
}

fn call(revision: Revision, tool: &str, arguments: Value) -> (Option<Value>, String, Value) {
    call_of(app(), revision, tool, arguments)
}

const OLD: [Revision; 2] = [Revision::V2025_06_18, Revision::V2025_11_25];

#[test]
fn numbers_and_bools_are_structured_results() {
    let number = json!({"type": ["number", "null"]});
    for (tool, arguments, value, schema) in [
        ("count", json!({}), json!(3), json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})),
        ("is_so", json!({}), json!(true), json!({"type": "boolean"})),
        ("measure", json!({"far": true}), json!(1.5), number.clone()),
        ("measure", json!({"far": false}), json!(null), number),
    ] {
        let modern = call(Revision::V2026_07_28, tool, arguments.clone());
        assert_eq!(modern, (Some(value.clone()), value.to_string(), schema.clone()));
        for revision in OLD {
            let (structured, text, listed) = call(revision, tool, arguments.clone());
            let wrapped = json!({"result": value});
            assert_eq!((structured, text), (Some(wrapped.clone()), wrapped.to_string()), "{tool} in {revision}");
            assert_eq!(listed["properties"]["result"], schema);
        }
        let oldest = call(Revision::V2025_03_26, tool, arguments);
        assert_eq!(oldest, (None, value.to_string(), Value::Null), "a text alone");
    }
}

#[test]
fn the_text_of_a_wrapped_result_is_the_json_of_its_structured_content() {
    for revision in OLD {
        let (structured, text, _) = call(revision, "several", json!({}));
        assert_eq!(structured, Some(json!({"result": [1, 2]})));
        assert_eq!(text, r#"{"result":[1,2]}"#);
    }
    assert_eq!(call(Revision::V2026_07_28, "several", json!({})).1, "[1,2]");
    // Composed by hand, and at run time.
    let app = || {
        let schema = || json!({"type": "object"});
        let list =
            DynamicTool::new("list", schema(), |_, _| async { Ok::<_, ToolError>(ToolResult::from(json!([1]))) });
        let own = DynamicTool::new("own", schema(), |_, _| async {
            Ok::<_, ToolError>(ToolResult::text("one").structured(json!([1]))?)
        });
        let number = DynamicTool::new("number", schema(), |_, _| async { Ok::<_, ToolError>(7) });
        App::empty("x").add_tool(list).add_tool(own).add_tool(number)
    };
    for revision in OLD {
        let wrapped = |value: Value| Some(json!({ "result": value }));
        let of = |app: App, tool: &str| {
            let (structured, text, _) = call_of(app, revision, tool, json!({}));
            (structured, text)
        };
        assert_eq!(of(app(), "list"), (wrapped(json!([1])), r#"{"result":[1]}"#.to_owned()));
        assert_eq!(of(app(), "own"), (wrapped(json!([1])), "one".to_owned()), "the author's own text stays");
        assert_eq!(of(app(), "number"), (wrapped(json!(7)), r#"{"result":7}"#.to_owned()));
        assert_eq!(of(app().structured_numbers(false), "number"), (None, "7".to_owned()));
    }
}

#[test]
fn strings_have_structured_content_only_on_request() {
    let plain = call(Revision::V2026_07_28, "greet", json!({"name": "x"}));
    assert_eq!(plain, (None, "x".to_owned(), Value::Null));
    assert_eq!(call(Revision::V2026_07_28, "greet", json!({})), (None, String::new(), Value::Null));
    let wanted = call(Revision::V2026_07_28, "greet_structured", json!({}));
    assert_eq!(wanted, (Some(json!("a \"b\"")), r#""a \"b\"""#.to_owned(), json!({"type": "string"})));
    let app_wide = call_of(app().structured_texts(true), Revision::V2025_11_25, "greet", json!({"name": "x"}));
    assert_eq!((app_wide.0, app_wide.1.as_str()), (Some(json!({"result": "x"})), r#"{"result":"x"}"#));
    let none = call_of(app().structured_texts(true), Revision::V2026_07_28, "greet", json!({}));
    assert_eq!((none.0, none.1.as_str()), (Some(Value::Null), "null"));
}

#[test]
fn numbers_can_be_text_without_structured_content() {
    assert_eq!(call(Revision::V2026_07_28, "count_as_text", json!({})), (None, "3".to_owned(), Value::Null));
    let app_wide = call_of(app().structured_numbers(false), Revision::V2025_11_25, "count", json!({}));
    assert_eq!(app_wide, (None, "3".to_owned(), Value::Null));
}

/// Returns a block of each type, with hints.
#[mcp::tool]
async fn hinted() -> Vec<Content> {
    vec![
        Text::new("a").audience([Role::User, Role::Assistant]).priority(1.0).into(),
        Image::new(b"b", "image/png").priority(0.5).last_modified("2026-01-31T12:00:00Z").into(),
        Audio::new(b"c", "audio/wav").audience([Role::User]).into(),
        ResourceLink::new("x://d", "d").priority(7.0).into(),
        EmbeddedResource::text("x://e", "e").priority(0.1).priority(0.2).into(),
    ]
}

#[test]
fn every_block_takes_hints() {
    run(async {
        let app = App::empty("x").tool::<hinted>().link_texts(false);
        let client = validated(app.test_client(), support::Revision::NEWEST).await.unwrap();
        let result = client.call("hinted", json!({})).await.unwrap();
        let blocks = result.json()["content"].as_array().unwrap().clone();
        let hints: Vec<&Value> = blocks.iter().map(|block| &block["annotations"]).collect();
        let expected = [
            json!({"audience": ["user", "assistant"], "priority": 1.0}),
            json!({"priority": 0.5, "lastModified": "2026-01-31T12:00:00Z"}),
            json!({"audience": ["user"]}),
            json!({"priority": 1.0}),
            json!({"priority": 0.2}),
        ];
        assert_eq!(hints, expected.iter().collect::<Vec<_>>());
    });
}

/// Shows a file.
#[mcp::tool]
fn show(path: &str) -> Result<Content, std::io::Error> {
    let embedded = EmbeddedResource::from_file(path);
    Image::from_file(path)
        .map(Into::into)
        .or_else(|_| Audio::from_file(path).map(Into::into))
        .or_else(|_| embedded.map(Into::into))
}

#[test]
fn content_can_be_read_from_files() {
    let folder = std::env::temp_dir().join(format!("fastmcp-rs content {}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let show = |path: String| -> Value {
        run(async {
            let client =
                validated(App::empty("x").tool::<show>().test_client(), support::Revision::NEWEST).await.unwrap();
            client.call("show", json!({ "path": path })).await.unwrap().json()["content"][0].clone()
        })
    };
    let image = show(write("a.PNG", b"\x89PNG"));
    assert_eq!(image, json!({"type": "image", "data": "iVBORw==", "mimeType": "image/png"}));
    let audio = show(write("a.mp3", b"ID3"));
    assert_eq!(audio, json!({"type": "audio", "data": "SUQz", "mimeType": "audio/mpeg"}));
    let text = show(write("a b.csv", b"x,y\n"))["resource"].clone();
    assert_eq!((&text["text"], &text["mimeType"]), (&json!("x,y\n"), &json!("text/csv")));
    let uri = text["uri"].as_str().unwrap();
    assert!(uri.starts_with("file:///") && uri.ends_with("/a%20b.csv"), "{uri}");
    let bytes = show(write("a.dat", b"\xff\xfe"))["resource"].clone();
    assert_eq!((&bytes["blob"], &bytes["mimeType"]), (&json!("//4="), &json!("application/octet-stream")));
    std::fs::remove_dir_all(&folder).unwrap();
}
