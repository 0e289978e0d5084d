//! A crate that names fastmcp-rs differently says so.
extern crate fastmcp_rs as other;

/// Greets.
#[other::mcp::tool(crate = other)]
async fn greet(#[arg(default = "you", header = "Name")] name: &str) -> String {
    format!("Hello, {name}!")
}

fn names(_: other::CompletionRequest) -> Vec<String> {
    Vec::new()
}

/// A page.
#[other::mcp::resource("pages://{page}{?limit}", crate = other, mime_type = "text/plain")]
async fn page(#[arg(complete = names)] page: &str, #[arg(default = 1)] limit: u8) -> String {
    format!("{page} {limit}")
}

/// Greets.
#[other::mcp::prompt(crate = other)]
fn greeting(#[arg(complete = names)] name: &str) -> &str {
    name
}

mod inner {
    /// The settings.
    #[other::mcp::resource("config://app", crate = ::other)]
    pub fn config() -> &'static str {
        "verbose"
    }

    /// A line.
    #[other::mcp::model(crate = ::other)]
    pub struct Line {
        #[arg(min = 1, default = 2)]
        pub quantity: u32,
    }

    pub struct Service;

    #[other::mcp::server(crate = ::other)]
    impl Service {
        /// Takes one.
        #[tool]
        pub fn take(&self, line: Line) -> u32 {
            line.quantity
        }
    }

    /// Counts.
    #[other::mcp::tool(crate = ::other)]
    pub fn count(line: &Line) -> u32 {
        line.quantity
    }
}

#[other::mcp::main(crate = other)]
async fn main() {
    greet("you").await;
    page(greeting(inner::config()), 1).await;
    inner::count(&inner::Line { quantity: 1 });
    inner::Service.take(inner::Line { quantity: 1 });
}
