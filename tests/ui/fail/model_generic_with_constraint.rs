use fastmcp_rs::mcp;

#[mcp::model]
struct Page<T> {
    #[arg(max = 100)]
    size: u32,
    items: Vec<T>,
}

fn main() {}
