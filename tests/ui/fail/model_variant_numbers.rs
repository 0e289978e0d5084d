use fastmcp_rs::prelude::*;

#[mcp::model]
enum Step {
    Wait { seconds: u32 },
    Stop = 5,
}

fn main() {}
