//! A tool, a resource, a prompt, a model and their types inside a function.

use fastmcp_rs::{App, CompletionRequest, mcp};

fn main() {
    #[mcp::model]
    struct Line {
        #[arg(min = 1, max = 9, default = 1)]
        quantity: u32,
    }

    const STEP: u32 = 2;

    /// Doubles.
    #[mcp::tool(inline)]
    fn double(line: &Line) -> u32 {
        line.quantity * STEP
    }

    /// A line.
    #[mcp::resource("lines://{number}")]
    fn line(#[arg(complete = numbers)] number: u32) -> Line {
        Line { quantity: number * STEP }
    }

    /// Asks.
    #[mcp::prompt]
    fn ask(#[arg(complete = numbers)] line: &Line) -> String {
        line.quantity.to_string()
    }

    fn numbers(_: CompletionRequest) -> Vec<String> {
        vec![STEP.to_string()]
    }

    assert_eq!(double(&Line { quantity: 2 }), 4);
    let _ = App::empty("inner").tool::<double>().resource::<line>().prompt::<ask>();
}
