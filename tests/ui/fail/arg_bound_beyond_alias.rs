use fastmcp_rs::mcp;

type Small = u8;
type Sign = char;

/// Searches.
#[mcp::tool]
fn search(
    #[arg(max = 300)] small: Small,
    #[arg(min = -5)] maybe: Option<Small>,
    #[arg(min = 1.5)] whole: Small,
    #[arg(min_length = 2)] sign: Sign,
    #[arg(max_length = 2)] three: [u8; 3],
) {
    let _ = (small, maybe, whole, sign, three);
}

#[mcp::model]
struct Line {
    #[arg(max = 300)]
    quantity: Small,
}

fn main() {}
