//! fastmcp-rs over HTTP: `figures-http PORT`.

fn main() {
    servers::http();
}
