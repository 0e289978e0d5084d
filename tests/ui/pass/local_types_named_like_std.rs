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

    pub struct State;
    pub struct take {}

    #[mcp::server]
    impl State {
        /// A method of one of them, named like another.
        #[tool]
        pub fn take(&self, option: Option, take: &Result) -> Option {
            let _ = take;
            option
        }
    }

    /// A resource of them.
    #[mcp::resource("own://{string}{/result}{?option}")]
    pub async fn resource(
        string: String,
        #[arg(default = 1)] result: u8,
        #[arg(default = 2)] option: u8,
    ) -> Option {
        let _ = (result, string);
        Option(option)
    }

    /// A prompt of them.
    #[mcp::prompt]
    pub fn prompt(option: Option, #[arg(complete = complete)] string: String) -> &'static str {
        let _ = (option, string);
        ""
    }

    fn complete(_: fastmcp_rs::CompletionRequest) -> std::vec::Vec<std::string::String> {
        std::vec::Vec::new()
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

    #[mcp::model]
    pub struct Resource {
        pub id: u8,
    }
    #[mcp::model]
    pub struct Prompt {
        pub id: u8,
    }
    #[mcp::model]
    pub struct Message {
        pub id: u8,
    }

    /// Reads.
    #[mcp::resource("runtime://{resource}/{prompt}")]
    pub async fn read(resource: Resource, prompt: &Prompt) -> Message {
        Message { id: resource.id + prompt.id }
    }

    /// Asks.
    #[mcp::prompt]
    pub async fn ask(resource: Resource, prompt: &Prompt, message: Option<&Message>) -> String {
        format!("{}", resource.id + prompt.id + message.map_or(0, |message| message.id))
    }

    /// Calls.
    #[mcp::tool]
    pub async fn call(input: Input, parameter: &Parameter, call: Option<&Call>) -> Output {
        Output { id: input.id + parameter.id + call.map_or(0, |call| call.id) }
    }
}

fn main() {}
