use fastmcp_rs::mcp;

/// A file.
#[mcp::resource("file:///{+path}", allow_traversal = ["paht"])]
fn file(path: &str) -> String {
    path.to_owned()
}

fn main() {}
