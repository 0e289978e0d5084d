use fastmcp_rs::prelude::*;

#[mcp::model]
struct Sum {
    a: i64,
    b: i64,
}

struct Calculator;

#[mcp::server]
impl Calculator {
    /// Adds two numbers.
    #[tool]
    fn add(&self, sum: Parameters<Sum>) -> i64 {
        sum.0.a + sum.0.b
    }
}

fn main() {}
