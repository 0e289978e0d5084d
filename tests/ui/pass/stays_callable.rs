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

/// Was here before `add`, and takes what is wanted.
#[mcp::resource("sums://{a}/{b}", inline)]
#[deprecated(note = "use `add`")]
#[must_use]
pub fn sum_of(mut a: i64, #[allow(unused_variables)] b: i64) -> String {
    a += 1;
    a.to_string()
}

fn texts(_: fastmcp_rs::CompletionRequest) -> Vec<String> {
    Vec::new()
}

/// Asks.
#[mcp::prompt]
fn r#async(#[arg(complete = texts)] r#fn: u8, ref other: String) -> String {
    format!("{fn} {other}", r#fn = r#fn)
}

/// Is not built.
#[mcp::resource("absent://{missing}")]
#[cfg(any())]
fn absent_resource(missing: Missing) {}

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
    assert_eq!(r#async(1, String::from("a")), "1 a");
    assert_eq!(get_number(1), 1);
    assert_eq!(get_text(String::new()), "");
    silent();
    described();
    let _ = App::empty("tools").tool::<tools::add>().tool::<Described>().tool::<r#type>().prompt::<r#async>().resource::<sum_of>();
}
