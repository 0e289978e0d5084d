//! The official SDK on standard input and output: `figures-rmcp TOOLS [pipes]`.

fn main() {
    servers::official::stdio();
}
