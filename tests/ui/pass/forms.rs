//! Which models a person can be asked for; the others are models all the same.
#![deny(warnings)]
#![allow(dead_code)]

use fastmcp_rs::elicitation::{Form, FormChoice, FormField};
use fastmcp_rs::mcp;

/// How a parcel travels.
#[mcp::model]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// Within three days.
    Standard,
    /// Over night.
    Express,
}

// Nobody else sees it.
#[mcp::model]
enum Color {
    Red,
}

#[mcp::model]
pub struct Email(#[arg(max_length = 100)] String);

#[mcp::model]
#[serde(transparent)]
pub struct Phone {
    number: Option<String>,
}

#[mcp::model]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct Parcel {
    #[arg(min_length = 1)]
    recipient: String,
    email: Option<Email>,
    phone: Option<Phone>,
    #[arg(min = 1, max = 9)]
    how_many: u8,
    weight: Option<f64>,
    speed: Option<Speed>,
    colors: Vec<Color>,
    fragile: bool,
    #[serde(skip)]
    parts: Vec<Parcel>,
    #[cfg(any())]
    #[arg(min = 1, default = 1)]
    left_out: Unknown,
}

#[mcp::model]
pub struct Confirm {}

// Models that are no forms.

#[mcp::model]
pub struct Tree {
    label: Email,
    branches: Vec<Self>,
    next: Option<Box<Tree>>,
}

#[mcp::model]
pub struct Pair(u8, u8);

#[mcp::model]
pub struct Whole(Tree);

#[mcp::model]
pub struct Unit;

#[mcp::model]
#[serde(tag = "kind")]
pub enum Tagged {
    One,
    Two,
}

#[mcp::model]
pub enum Mixed {
    One,
    Two(u8),
}

#[mcp::model]
pub enum Never {}

#[mcp::model]
pub struct Page<T> {
    items: Vec<T>,
}

#[mcp::model]
pub struct Flat {
    #[serde(flatten)]
    parcel: Parcel,
}

#[mcp::model]
#[serde(try_from = "String")]
pub struct Checked {
    text: String,
}

impl TryFrom<String> for Checked {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self { text })
    }
}

// The author knows what the macro does not.
impl Form for Checked {}

#[mcp::model]
#[cfg(any())]
pub struct LeftOut {
    unknown: Unknown,
}

fn form<T: Form>() {}
fn field<T: FormField>() {}
fn choice<T: FormChoice>() {}

fn main() {
    form::<Parcel>();
    form::<Confirm>();
    form::<Speed>();
    form::<Vec<Speed>>();
    form::<Email>();
    form::<String>();
    form::<Checked>();
    field::<Option<Speed>>();
    field::<Email>();
    field::<Phone>();
    choice::<Speed>();
    choice::<Color>();

    mod inner {
        #[fastmcp_rs::mcp::model]
        pub struct Inner {
            pub text: std::string::String,
        }
    }
    form::<inner::Inner>();
}
