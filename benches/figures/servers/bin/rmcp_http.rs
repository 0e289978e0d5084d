//! The official SDK over HTTP: `figures-rmcp-http PORT`.

fn main() {
    servers::official::http();
}
