//! fastmcp-rs on standard input and output: `figures-stdio`.

fn main() {
    servers::stdio();
}
