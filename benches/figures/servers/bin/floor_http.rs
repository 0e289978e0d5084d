//! The floor over HTTP: `figures-floor-http [worker] PORT`.

fn main() {
    servers::floor::http();
}
