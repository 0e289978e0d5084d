//! Resources: data that a client reads by its URI.
//!
//! ```sh
//! cargo run --example resources
//! ```

use fastmcp_rs::prelude::*;

/// The planets, from the sun outwards.
const PLANETS: [(&str, f64); 8] = [
    ("mercury", 0.39),
    ("venus", 0.72),
    ("earth", 1.0),
    ("mars", 1.52),
    ("jupiter", 5.2),
    ("saturn", 9.54),
    ("uranus", 19.2),
    ("neptune", 30.1),
];

/// A planet of the sun.
#[mcp::model]
struct Planet {
    name: String,
    /// Its mean distance from the sun, in astronomical units.
    distance: f64,
}

/// The definition of a planet in this list.
#[mcp::resource("planets://about", mime_type = "text/markdown")]
fn about() -> &'static str {
    "# Planets\n\nThe planets by the definition of the International Astronomical Union of 2006."
}

/// A planet, by its name.
#[mcp::resource("planets://{name}")]
async fn planet(name: &str) -> Option<Planet> {
    let (name, distance) = *PLANETS.iter().find(|(known, _)| *known == name)?;
    Some(Planet { name: name.to_owned(), distance })
}

/// The planets within a distance from the sun, the nearest first.
#[mcp::resource("planets://within/{distance}{?limit}")]
async fn within(
    /// In astronomical units.
    distance: f64,
    #[arg(default = 8, min = 1)] limit: usize,
) -> Vec<&'static str> {
    PLANETS.iter().filter(|(_, of_planet)| *of_planet <= distance).take(limit).map(|(name, _)| *name).collect()
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("planets").run_stdio().await
}
