use fastmcp_rs::prelude::*;

struct User {
    name: String,
}

/// Greets the caller.
#[mcp::tool]
fn greet(Extension(user): Extension<User>) -> String {
    user.name
}

fn main() {}
