//! The floor on standard input and output: `figures-floor TOOLS`.

fn main() {
    servers::floor::stdio();
}
