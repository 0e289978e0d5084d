//! Defaults that are expressions, renamed arguments, structs as arguments, and progress of many types.

#![deny(warnings)]

use std::collections::HashMap;

use fastmcp_rs::prelude::*;

const LIMIT: u32 = 10;
const REGION: &str = "EU";
const TAGS: &[&str] = &["a"];
type Names = Vec<String>;

#[mcp::model]
#[derive(Default)]
enum Priority {
    #[default]
    Low,
}

#[mcp::model]
struct Page {
    #[arg(default = LIMIT * 2)]
    limit: u32,
    #[arg(default)]
    priority: Priority,
    #[arg(default = Self::names())]
    names: Names,
}

impl Page {
    fn names() -> Names {
        vec!["x".into()]
    }
}

/// Turns a page.
#[mcp::tool]
async fn turn(Args(page): Args<Page>) -> bool {
    let _: Page = page;
    true
}

/// Searches.
#[mcp::tool(rename_all = "camelCase")]
#[allow(clippy::too_many_arguments)]
async fn search(
    #[arg(flatten)] page: &Page,
    #[arg(default = REGION)] the_region: &str,
    #[arg(default = TAGS)] tags: Names,
    #[arg(default = [REGION, "US"])] regions: &[String],
    #[arg(default = (HashMap::<String, u32>::new()))] counts: HashMap<String, u32>,
    #[arg(default = REGION)] maybe: Option<String>,
    #[arg(default = u8::MAX)] last: Option<u8>,
    #[arg(default = if LIMIT > 1 { 1.5 } else { 2.0 })] ratio: f32,
    #[arg(default = Default::default())] priority: Option<Priority>,
    ctx: &Context,
) -> String {
    let _ = (page.limit, the_region, tags, regions, counts, maybe, last, ratio, priority, &page.priority, &page.names);
    let message = String::new();
    ctx.progress(1, 2, &message);
    ctx.progress(2_usize, Some(3), message);
    ctx.progress(2.5, None, None);
    ctx.progress(3, None, format!("{LIMIT}"));
    ctx.progress(4_u64, 5_i8, format_args!("{LIMIT}"));
    String::new()
}

/// Searches.
#[mcp::prompt(rename_all = "kebab-case")]
async fn ask(page: Args<Page>) -> String {
    page.limit.to_string()
}

fn main() {}
