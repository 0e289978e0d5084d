use fastmcp_rs::mcp;

struct Card {
    number: String,
}

#[mcp::model]
enum Payment {
    Cash,
    Card(Card),
}

fn main() {}
