//! Expansions keep to lints that a program may have set.
#![deny(unused_qualifications, unused_lifetimes, single_use_lifetimes, unreachable_pub, missing_debug_implementations)]
#![allow(dead_code)]

use std::sync::Mutex;

use fastmcp_rs::prelude::*;

#[derive(Debug)]
struct Shelf {
    articles: Mutex<Vec<String>>,
}

#[mcp::model]
#[derive(Debug)]
struct Article {
    #[arg(min_length = 1)]
    name: String,
    #[arg(default = 1, max = 5)]
    count: u8,
}

#[mcp::model]
#[derive(Debug)]
#[serde(tag = "kind")]
enum Place {
    Shelf { number: u8 },
    Floor,
}

#[mcp::server]
impl Shelf {
    /// Puts something on the shelf.
    #[tool]
    async fn put(&self, article: Article, note: Option<&str>, ctx: &Context) -> Result<usize, ToolError> {
        ctx.info(note.unwrap_or_default());
        let mut articles = self.articles.lock().map_err(|_| ToolError::new("no"))?;
        articles.push(article.name);
        Ok(articles.len())
    }

    /// Lists it.
    #[tool(inline)]
    fn list(&self, tags: &[String], place: Option<Place>) -> Vec<String> {
        let _ = place;
        self.articles.lock().map(|articles| articles.iter().chain(tags).cloned().collect()).unwrap_or_default()
    }

    /// Makes another one.
    #[tool]
    fn another(&self, #[arg(min = 1)] count: u32, other: State<Self>) -> String {
        format!("{count} {:?}", other.articles)
    }

    /// An article.
    #[resource("shelf://{number}")]
    async fn article(&self, number: usize) -> Option<String> {
        self.articles.lock().ok()?.get(number).cloned()
    }

    /// Asks.
    #[prompt]
    fn ask(&self, topic: &str) -> String {
        topic.to_uppercase()
    }
}

/// Adds.
#[mcp::tool]
async fn add(a: i64, b: Option<&str>, list: &[u8]) -> Result<Option<Article>, ToolError> {
    let _ = (a, b, list);
    Ok(None)
}

fn main() {
    let shelf = Shelf { articles: Mutex::default() };
    App::empty("x").server::<Shelf>().tool::<add>().state(shelf).check().unwrap();
}
