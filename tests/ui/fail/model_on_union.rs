use fastmcp_rs::mcp;

#[mcp::model]
union Number {
    integer: i64,
    float: f64,
}

fn main() {}
