use fastmcp_rs::mcp;

const LIMIT: f64 = 10.0;

#[mcp::model]
struct Page {
    #[arg(default = LIMIT)]
    limit: u32,
}

fn main() {}
