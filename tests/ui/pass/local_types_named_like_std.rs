//! Types of the user's own with the names of the prelude's are not taken for them, nor do they get in
//! the way of the expansion.
#![allow(dead_code, non_camel_case_types)]

use fastmcp_rs::mcp;

#[mcp::model]
struct Plain {
    text: std::string::String,
}

mod own {
    use fastmcp_rs::mcp;

    pub struct Vec;
    pub struct Box;
    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub trait Send {}
    pub trait Into {}
    pub trait Future {}

    /// One value.
    #[mcp::tool]
    pub async fn one(option: Option, result: Result, string: String) -> Option {
        let _ = (result, string);
        option
    }

    /// Another, where it is waited for.
    #[mcp::tool]
    pub fn two(#[arg(rename = "r")] result: &Result) -> Result {
        Result(result.0)
    }

    pub use self::types::{Option, Result, String};

    mod types {
        use fastmcp_rs::__private::{schemars, serde};

        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(crate = "fastmcp_rs::__private::serde")]
        #[schemars(crate = "fastmcp_rs::__private::schemars")]
        pub struct Option(pub u8);
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(crate = "fastmcp_rs::__private::serde")]
        #[schemars(crate = "fastmcp_rs::__private::schemars")]
        pub struct Result(pub u8);
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(crate = "fastmcp_rs::__private::serde")]
        #[schemars(crate = "fastmcp_rs::__private::schemars")]
        pub struct String(pub u8);
    }
}

/// Types that are named like the runtime's.
mod runtime {
    use fastmcp_rs::mcp;

    #[mcp::model]
    pub struct Input {
        pub id: u8,
    }
    #[mcp::model]
    pub struct Output {
        pub id: u8,
    }
    #[mcp::model]
    pub struct Parameter {
        pub id: u8,
    }
    #[mcp::model]
    pub struct Call {
        pub id: u8,
    }

    /// Calls.
    #[mcp::tool]
    pub async fn call(input: Input, parameter: &Parameter, call: Option<&Call>) -> Output {
        Output { id: input.id + parameter.id + call.map_or(0, |call| call.id) }
    }
}

fn main() {}
