use fastmcp_rs::prelude::*;

struct Calculator;

#[tool_handler]
impl ServerHandler for Calculator {}

fn main() {}
