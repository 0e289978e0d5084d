use std::num::NonZeroU16;

use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(
    #[arg(max = 300)] small: u8,
    #[arg(min = -5)] natural: Option<u32>,
    #[arg(min = 1.5)] whole: i64,
    #[arg(min = 0)] positive: NonZeroU16,
    #[arg(max = 1e300)] single: f32,
    #[arg(min = 1)] letter: char,
    #[arg(max_length = 3)] sign: char,
) {
    let _ = (small, natural, whole, positive, single, letter, sign);
}

#[mcp::model]
struct Line {
    #[arg(max = 70_000)]
    quantity: Option<u16>,
    #[arg(min = 0.5)]
    weight: u64,
}

fn main() {}
