//! The floor over HTTP: `figures-floor-http [workers] PORT`.

fn main() {
    servers::floor::http();
}
