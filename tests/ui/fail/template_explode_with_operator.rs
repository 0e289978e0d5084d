use fastmcp_rs::mcp;

/// A file.
#[mcp::resource("file://host{/path*}")]
fn file(path: Option<&str>) -> String {
    path.unwrap_or_default().to_owned()
}

fn main() {}
