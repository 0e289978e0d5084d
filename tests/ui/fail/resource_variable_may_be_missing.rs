use fastmcp_rs::mcp;

/// The rows of a table.
#[mcp::resource("tables://{table}{/part}{?limit,offset}")]
fn rows(table: &str, part: &str, limit: u32, #[arg(default = 0)] offset: u32) -> String {
    format!("{table} {part} {limit} {offset}")
}

fn main() {}
