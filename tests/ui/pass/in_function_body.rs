//! A tool, a model and their types inside a function.

use fastmcp_rs::{App, mcp};

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

    assert_eq!(double(&Line { quantity: 2 }), 4);
    let _ = App::empty("inner").tool::<double>();
}
