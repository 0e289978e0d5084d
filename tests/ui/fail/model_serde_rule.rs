use fastmcp_rs::mcp;

#[mcp::model]
#[serde(rename_all = "camelcase")]
enum Status {
    InProgress,
}

fn main() {}
