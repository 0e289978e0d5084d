//! fastmcp-rs with many tools: `figures-tools TOOLS`.

fn main() {
    servers::with_tools();
}
