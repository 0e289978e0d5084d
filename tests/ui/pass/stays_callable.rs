//! The function is as it was written: its attributes, its visibility, its patterns.
#![deny(warnings)]
#![forbid(unsafe_code)]

use fastmcp_rs::{App, mcp};

pub mod tools {
    use fastmcp_rs::mcp;

    /// Adds.
    #[mcp::tool]
    #[must_use]
    pub(crate) fn add(mut a: i64, #[allow(unused_variables)] b: i64) -> i64 {
        a += 1;
        a
    }

    /// Was here before `add`.
    #[mcp::tool]
    #[deprecated(note = "use `add`")]
    pub fn sum(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }
}

/// Type.
#[mcp::tool]
fn r#type(r#fn: u8, ref other: String) -> usize {
    usize::from(r#fn) + other.len()
}

#[mcp::tool]
#[allow(deprecated)]
fn silent() {}

#[mcp::tool(description = "Given in the attribute.", handle = Described)]
fn described() {}

/// Is not built.
#[mcp::tool]
#[cfg(any())]
fn absent(missing: Missing) {}

macro_rules! getter {
    ($name:ident, $ty:ty, $default:literal) => {
        /// Gets.
        #[mcp::tool]
        fn $name(#[arg(default = $default)] value: $ty) -> $ty {
            value
        }
    };
}
getter!(get_number, u32, 10);
getter!(get_text, String, "ten");

fn main() {
    assert_eq!(tools::add(1, 2), 2);
    assert_eq!(r#type(1, String::from("a")), 2);
    assert_eq!(get_number(1), 1);
    assert_eq!(get_text(String::new()), "");
    silent();
    described();
    let _ = App::empty("tools").tool::<tools::add>().tool::<Described>().tool::<r#type>();
}
