//! Results with links to resources, which several clients do not show to the model.

use fastmcp_rs::Revision;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::run;

fn report() -> ResourceLink {
    ResourceLink::new("file:///report.csv", "report").description("Sales of 2026,\nby month.")
}

fn plan() -> ResourceLink {
    ResourceLink::new("file:///plan.md", "plan").title("The plan")
}

const REPORT: &str = "report: file:///report.csv - Sales of 2026, by month.";
const PLAN: &str = "The plan: file:///plan.md";

/// One link.
#[mcp::tool]
async fn one() -> ResourceLink {
    report()
}

/// One link, from another thread.
#[mcp::tool]
fn one_blocking() -> ResourceLink {
    report()
}

/// A link, or nothing.
#[mcp::tool]
async fn maybe(there: bool) -> Result<Option<ResourceLink>, ToolError> {
    Ok(there.then(report))
}

/// Two links.
#[mcp::tool]
async fn two() -> Vec<ResourceLink> {
    vec![report(), plan()]
}

/// Blocks without a text.
#[mcp::tool]
async fn blocks() -> Vec<Content> {
    vec![Image::new([1], "image/png").into(), plan().into(), EmbeddedResource::text("a:b", "c").into()]
}

/// A failure with a link.
#[mcp::tool]
async fn failed() -> ToolResult {
    ToolResult::new().content(plan()).is_error(true)
}

/// A link with a text.
#[mcp::tool]
async fn with_text() -> Vec<Content> {
    vec![Content::text("Read the plan."), plan().into()]
}

/// Neither a link nor a text.
#[mcp::tool]
async fn without_links() -> EmbeddedResource {
    EmbeddedResource::text("a:b", "c")
}

/// A link alone.
#[mcp::tool(link_text = false)]
async fn alone() -> ResourceLink {
    plan()
}

/// A link that has a text whatever the app says.
#[mcp::tool(link_text)]
async fn described() -> ResourceLink {
    plan()
}

/// Counts the blocks of another tool.
#[mcp::tool]
async fn count_blocks(tool: &str, ctx: &Context) -> Result<usize, ToolError> {
    Ok(ctx.call_tool(tool, json!({})).await?.blocks().len())
}

fn app() -> App {
    let schema = || json!({"type": "object"});
    let dynamic = DynamicTool::new("dynamic", schema(), |_, _| async { Ok::<_, ToolError>(plan()) });
    let dynamic_alone = DynamicTool::new("dynamic_alone", schema(), |_, _| async { Ok::<_, ToolError>(plan()) });
    let app = App::empty("links").tool::<one>().tool::<one_blocking>().tool::<maybe>().tool::<two>().tool::<blocks>();
    let app = app.tool::<failed>().tool::<with_text>().tool::<without_links>().tool::<alone>().tool::<described>();
    app.tool::<count_blocks>().add_tool(dynamic).add_tool(dynamic_alone.link_text(false))
}

/// The kinds of a result's blocks, and the texts among them.
fn call(app: App, revision: Revision, tool: &str, arguments: Value) -> (Vec<String>, Vec<String>) {
    run(async {
        let client = app.test_client().revision(revision).await.expect("the app is valid");
        let result = client.call(tool, arguments).await.expect("it is answered").json().clone();
        let blocks = result["content"].as_array().expect("a list of blocks").clone();
        let of = |member: &str| {
            let members = blocks.iter().filter_map(|block| block[member].as_str());
            members.map(str::to_owned).collect::<Vec<_>>()
        };
        (of("type"), of("text"))
    })
}

#[test]
fn links_without_a_text_get_one_with_a_line_for_each() {
    let both = format!("{REPORT}\n{PLAN}");
    for (tool, arguments, kinds, text) in [
        ("one", json!({}), &["resource_link", "text"][..], REPORT),
        ("one_blocking", json!({}), &["resource_link", "text"], REPORT),
        ("maybe", json!({"there": true}), &["resource_link", "text"], REPORT),
        ("two", json!({}), &["resource_link", "resource_link", "text"], &both),
        ("blocks", json!({}), &["image", "resource_link", "resource", "text"], PLAN),
        ("failed", json!({}), &["resource_link", "text"], PLAN),
        ("dynamic", json!({}), &["resource_link", "text"], PLAN),
    ] {
        for revision in [Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28] {
            let (found, texts) = call(app(), revision, tool, arguments.clone());
            assert_eq!(found, kinds, "{tool} in {revision}");
            assert_eq!(texts.last().map(String::as_str), Some(text), "{tool} in {revision}");
        }
    }
    // A text in place of each is enough.
    assert_eq!(call(app(), Revision::V2025_03_26, "two", json!({})).1, [REPORT, PLAN]);
}

#[test]
fn results_with_a_text_or_without_links_are_unchanged() {
    let newest = Revision::V2026_07_28;
    assert_eq!(call(app(), newest, "with_text", json!({})).0, ["text", "resource_link"]);
    assert_eq!(call(app(), newest, "without_links", json!({})).0, ["resource"]);
    assert!(call(app(), newest, "maybe", json!({"there": false})).0.is_empty());
}

#[test]
fn the_text_beside_links_can_be_turned_off_for_a_tool_and_for_an_app() {
    let newest = Revision::V2026_07_28;
    for tool in ["alone", "dynamic_alone"] {
        assert_eq!(call(app(), newest, tool, json!({})).0, ["resource_link"], "{tool}");
    }
    for tool in ["one", "one_blocking", "failed", "dynamic"] {
        assert_eq!(call(app().link_texts(false), newest, tool, json!({})).0, ["resource_link"], "{tool}");
    }
    assert_eq!(call(app().link_texts(false), newest, "described", json!({})).0, ["resource_link", "text"]);
}

#[test]
fn another_tool_gets_links_as_they_were_returned() {
    for (tool, blocks) in [("one", "1"), ("two", "2"), ("described", "1")] {
        let (_, texts) = call(app(), Revision::V2026_07_28, "count_blocks", json!({"tool": tool}));
        assert_eq!(texts, [blocks], "{tool}");
    }
}
