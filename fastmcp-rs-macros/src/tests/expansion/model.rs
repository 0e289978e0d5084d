//! `#[mcp::model]`.

use expect_test::expect;
use quote::quote;

use super::check_expansion;
use crate::tests::model;

#[test]
fn a_struct_without_constraints_derives_all_its_traits() {
    let item = quote! {
        /// A line of an order.
        #[derive(Debug)]
        pub struct Line<'a> {
            /// The article.
            #[arg(rename = "sku", example = "A-1", example = "A-2")]
            article: &'a str,
        }
    };
    check_expansion(
        model(quote!(), item),
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::arg::{
                        rename as _, example as _, example as _,
                    };
                };
            };
            #[derive(
                ::fastmcp_rs::__private::serde::Serialize,
                ::fastmcp_rs::__private::schemars::JsonSchema
            )]
            #[serde(crate = "::fastmcp_rs::__private::model_serde")]
            #[schemars(
                crate = "::fastmcp_rs::__private::schemars",
                extend("x-fastmcp-closed" = "struct")
            )]
            /// A line of an order.
            #[derive(Debug)]
            pub struct Line<'a> {
                /// The article.
                #[serde(rename = "sku")]
                #[schemars(
                    extend(
                        "examples" = [::fastmcp_rs::__private::parse_json("\"A-1\""),
                        ::fastmcp_rs::__private::parse_json("\"A-2\"")]
                    )
                )]
                article: &'a str,
            }
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl<'a> __p::OutputOnly for Line<'a> {}
            };
        "##]],
    );
}

#[test]
fn types_that_elicitation_can_ask_for_implement_form() {
    let status = quote! {
        #[cfg(unix)]
        enum Status { Paid, Sent }
    };
    let email = quote!(
        struct Email(String);
    );
    let order = quote!(
        struct Order {
            status: Status,
            #[serde(skip)]
            own: Own,
        }
    );
    let expansions = [status, email, order].map(|item| {
        let file: syn::File = syn::parse2(model(quote!(), item)).expect("valid Rust");
        let generated = file.items.into_iter().filter(|item| matches!(item, syn::Item::Const(_)));
        generated.map(|item| quote!(#item)).collect::<proc_macro2::TokenStream>()
    });
    check_expansion(
        expansions.into_iter().collect(),
        expect![[r##"
            #[cfg(unix)]
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl Status {
                    /// Returns the name of the variant in JSON.
                    #[allow(dead_code, unreachable_pub)]
                    const fn as_str(&self) -> &'static str {
                        match *self {
                            Self::Paid => "Paid",
                            Self::Sent => "Sent",
                        }
                    }
                }
                impl ::core::fmt::Display for Status {
                    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        __f.pad(
                            match *self {
                                Self::Paid => "Paid",
                                Self::Sent => "Sent",
                            },
                        )
                    }
                }
                impl ::core::str::FromStr for Status {
                    type Err = __p::UnknownNameError;
                    fn from_str(__text: &str) -> ::core::result::Result<Self, Self::Err> {
                        match __text {
                            "Paid" => ::core::result::Result::Ok(Self::Paid),
                            "Sent" => ::core::result::Result::Ok(Self::Sent),
                            _ => {
                                ::core::result::Result::Err(
                                    __p::unknown_name(__text, <Self as __p::NamedVariants>::NAMES),
                                )
                            }
                        }
                    }
                }
                impl __p::NamedVariants for Status {
                    const NAMES: &'static [&'static str] = &["Paid", "Sent"];
                    const ALIASES: &'static [&'static str] = &[];
                    const UNFIT_DEFAULT: &'static str = "this default is not a name of the enum: write `\"Paid\"` or `\"Sent\"`";
                }
                impl __p::FieldType for Status {}
                impl __p::FormField for Status {}
                impl __p::FormChoice for Status {}
                impl __p::Form for Status {
                    const IS_FIELD: bool = true;
                }
            };
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::FieldType for Email {}
                impl __p::FormField for Email
                where
                    for<'__form> __p::FieldOf<'__form, String>: __p::FormMember,
                {}
                impl __p::Form for Email
                where
                    for<'__form> __p::FieldOf<'__form, String>: __p::FormMember,
                {
                    const IS_FIELD: bool = true;
                }
            };
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                #[derive(
                    ::fastmcp_rs::__private::serde::Serialize,
                    ::fastmcp_rs::__private::serde::Deserialize,
                )]
                #[serde(crate = "::fastmcp_rs::__private::model_serde")]
                #[serde(
                    remote = "Order",
                    rename = "Order",
                    bound(
                        serialize = "for<'__field> __F0: __p::serde::Serialize",
                        deserialize = "for<'__field> __F0: __p::serde::de::DeserializeOwned",
                    )
                )]
                #[allow(dead_code)]
                struct __Copy {
                    status: __F0,
                    #[serde(skip)]
                    own: Own,
                }
                #[derive(::fastmcp_rs::__private::schemars::JsonSchema)]
                #[schemars(
                    crate = "::fastmcp_rs::__private::schemars",
                    extend("x-fastmcp-closed" = "struct")
                )]
                #[schemars(bound = "for<'__field> __F0: __p::schemars::JsonSchema")]
                #[schemars(rename = "Order")]
                #[allow(dead_code)]
                struct __Described<const __N: u8> {
                    status: __F0,
                    #[serde(skip)]
                    own: Own,
                }
                impl __p::UnfitModel<Order> for __Copy {}
                impl __p::serde::Serialize for Order {
                    fn serialize<__S>(
                        &self,
                        __serializer: __S,
                    ) -> ::core::result::Result<__S::Ok, __S::Error>
                    where
                        __S: __p::serde::Serializer,
                    {
                        __Copy::serialize(self, __serializer)
                    }
                }
                impl<'de> __p::serde::Deserialize<'de> for Order {
                    fn deserialize<__D>(
                        __deserializer: __D,
                    ) -> ::core::result::Result<Self, __D::Error>
                    where
                        __D: __p::serde::Deserializer<'de>,
                    {
                        __Copy::deserialize(__deserializer)
                    }
                }
                const __SCHEMA: __p::SchemaFunctions = __p::SchemaOf::<__Described<0>>::FUNCTIONS;
                impl __p::schemars::JsonSchema for Order {
                    fn inline_schema() -> bool {
                        (__SCHEMA.inline_schema)()
                    }
                    fn schema_name() -> __p::SchemaText {
                        (__SCHEMA.name)()
                    }
                    fn schema_id() -> __p::SchemaText {
                        (__SCHEMA.id)()
                    }
                    fn json_schema(
                        __generator: &mut __p::schemars::SchemaGenerator,
                    ) -> __p::schemars::Schema {
                        (__SCHEMA.schema)(__generator)
                    }
                    fn _schemars_private_non_optional_json_schema(
                        __generator: &mut __p::schemars::SchemaGenerator,
                    ) -> __p::schemars::Schema {
                        (__SCHEMA.schema_without_null)(__generator)
                    }
                    fn _schemars_private_is_option() -> bool {
                        (__SCHEMA.is_option)()
                    }
                }
                #[allow(unused_imports)]
                use __p::model_probe::*;
                #[allow(dead_code, non_camel_case_types)]
                type __L0_0 = Status;
                #[allow(dead_code, non_camel_case_types)]
                type __F0 = Status;
                const _: fn() = __p::model_field::<__L0_0>;
                impl __p::Form for Order
                where
                    for<'__form> __p::FieldOf<'__form, __F0>: __p::FormMember,
                {}
            };
        "##]],
    );
}

#[test]
fn code_for_a_field_exists_in_the_same_builds_as_the_field() {
    let item = quote! {
        enum Choice {
            #[cfg(windows)]
            One {
                #[cfg(test)]
                #[arg(max = 1, default = 1)]
                number: u8,
            },
        }
    };
    let file: syn::File = syn::parse2(model(quote!(), item)).expect("valid Rust");
    let generated = file.items.into_iter().filter(|item| matches!(item, syn::Item::Const(_)));
    check_expansion(
        generated.map(|item| quote!(#item)).collect(),
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::arg::{max as _, default as _};
                };
            };
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl Choice {
                    #[cfg(windows)]
                    #[cfg(test)]
                    #[allow(dead_code, non_snake_case)]
                    fn __fastmcp_default_One_number() -> u8 {
                        (&__p::DefaultOf::<u8>::NEW).kind().integer();
                        __p::preset::<u8>("1")
                    }
                }
                impl<'de> __p::serde::Deserialize<'de> for Choice {
                    fn deserialize<__D>(
                        __deserializer: __D,
                    ) -> ::core::result::Result<Self, __D::Error>
                    where
                        __D: __p::serde::Deserializer<'de>,
                    {
                        #[derive(__p::serde::Deserialize)]
                        #[serde(crate = "::fastmcp_rs::__private::model_serde", remote = "Choice")]
                        #[allow(dead_code)]
                        enum __Shadow {
                            #[cfg(windows)]
                            One {
                                #[cfg(test)]
                                #[serde(default = "Choice::__fastmcp_default_One_number")]
                                number: u8,
                            },
                        }
                        let __value = __Shadow::deserialize(__deserializer)?;
                        let __refuse = <__D::Error as __p::serde::de::Error>::custom;
                        match &__value {
                            #[cfg(windows)]
                            Self::One { #[cfg(test)] number: __0, .. } => {
                                #[cfg(test)]
                                __p::check_field(
                                        __0,
                                        &__p::Constraints {
                                            max: ::core::option::Option::Some(
                                                __p::Number::Integer(1i128),
                                            ),
                                            ..__p::Constraints::EMPTY
                                        },
                                        "number",
                                    )
                                    .map_err(__refuse)?;
                            }
                            #[allow(unreachable_patterns)]
                            _ => {}
                        }
                        ::core::result::Result::Ok(__value)
                    }
                }
            };
        "##]],
    );
}

#[test]
fn a_struct_with_constraints_checks_its_fields_after_reading() {
    let item = quote! {
        #[serde(rename_all = "camelCase")]
        struct Line {
            /// The number of pieces.
            #[arg(min = 1, max = 99, default = 1)]
            line_count: u32,
            #[serde(default)]
            #[arg(min_length = 2, pattern = "^[A-Z]+$")]
            code: Option<String>,
            next: Option<Box<Self>>,
        }
    };
    check_expansion(
        model(quote!(), item),
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::arg::{
                        min as _, max as _, default as _, min_length as _, pattern as _,
                    };
                };
            };
            #[derive(
                ::fastmcp_rs::__private::serde::Serialize,
                ::fastmcp_rs::__private::schemars::JsonSchema
            )]
            #[serde(crate = "::fastmcp_rs::__private::model_serde")]
            #[schemars(
                crate = "::fastmcp_rs::__private::schemars",
                extend("x-fastmcp-closed" = "struct")
            )]
            #[serde(rename_all = "camelCase")]
            struct Line {
                /// The number of pieces.
                #[serde(default = "Line::__fastmcp_default_line_count")]
                #[schemars(
                    extend(
                        "minimum" = ::fastmcp_rs::__private::Number::Integer(1i128).to_json(),
                        "maximum" = ::fastmcp_rs::__private::Number::Integer(99i128).to_json(),
                        "default" = ::fastmcp_rs::__private::parse_json("1")
                    )
                )]
                line_count: u32,
                #[serde(default)]
                #[schemars(extend("x-fastmcp-min-length" = 2u64, "pattern" = "^[A-Z]+$"))]
                code: Option<String>,
                next: Option<Box<Self>>,
            }
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl Line {
                    #[allow(dead_code, non_snake_case)]
                    fn __fastmcp_default_line_count() -> u32 {
                        (&__p::DefaultOf::<u32>::NEW).kind().integer();
                        __p::preset::<u32>("1")
                    }
                }
                impl<'de> __p::serde::Deserialize<'de> for Line {
                    fn deserialize<__D>(
                        __deserializer: __D,
                    ) -> ::core::result::Result<Self, __D::Error>
                    where
                        __D: __p::serde::Deserializer<'de>,
                    {
                        #[derive(__p::serde::Deserialize)]
                        #[serde(crate = "::fastmcp_rs::__private::model_serde", remote = "Line")]
                        #[allow(dead_code)]
                        #[serde(rename_all = "camelCase")]
                        struct __Shadow {
                            #[serde(default = "Line::__fastmcp_default_line_count")]
                            line_count: u32,
                            #[serde(default)]
                            code: Option<String>,
                            next: Option<Box<Line>>,
                        }
                        let __value = __Shadow::deserialize(__deserializer)?;
                        let __refuse = <__D::Error as __p::serde::de::Error>::custom;
                        match &__value {
                            Self { line_count: __0, code: __1, .. } => {
                                __p::check_field(
                                        __0,
                                        &__p::Constraints {
                                            min: ::core::option::Option::Some(
                                                __p::Number::Integer(1i128),
                                            ),
                                            max: ::core::option::Option::Some(
                                                __p::Number::Integer(99i128),
                                            ),
                                            ..__p::Constraints::EMPTY
                                        },
                                        "lineCount",
                                    )
                                    .map_err(__refuse)?;
                                __p::check_field(
                                        __1,
                                        &__p::Constraints {
                                            min_length: ::core::option::Option::Some(2u64),
                                            pattern: ::core::option::Option::Some("^[A-Z]+$"),
                                            ..__p::Constraints::EMPTY
                                        },
                                        "code",
                                    )
                                    .map_err(__refuse)?;
                            }
                            #[allow(unreachable_patterns)]
                            _ => {}
                        }
                        ::core::result::Result::Ok(__value)
                    }
                }
                impl __p::Form for Line
                where
                    for<'__form> __p::FieldOf<'__form, u32>: __p::FormMember,
                    for<'__form> __p::FieldOf<'__form, Option<String>>: __p::FormMember,
                    for<'__form> __p::FieldOf<'__form, Option<Box<Self>>>: __p::FormMember,
                {}
            };
        "##]],
    );
}

#[test]
fn an_enum_with_constraints_checks_the_fields_of_each_variant() {
    let item = quote! {
        enum Filter {
            /// Everything.
            All,
            Above(#[arg(min = 0.5)] f64),
            Between { #[arg(min = 0)] low: i64, high: i64 },
        }
    };
    check_expansion(
        model(quote!(crate = other), item),
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use other::__private::options::arg::{min as _, min as _};
                };
            };
            #[derive(other::__private::serde::Serialize, other::__private::schemars::JsonSchema)]
            #[serde(crate = "other::__private::model_serde")]
            #[schemars(
                crate = "other::__private::schemars",
                extend("x-fastmcp-closed" = "contents")
            )]
            enum Filter {
                /// Everything.
                All,
                #[schemars(extend("x-fastmcp-foreign" = true))]
                Above(
                    #[schemars(
                        extend("minimum" = other::__private::Number::Float(0.5f64).to_json())
                    )]
                    f64,
                ),
                Between {
                    #[schemars(
                        extend("minimum" = other::__private::Number::Integer(0i128).to_json())
                    )]
                    low: i64,
                    high: i64,
                },
            }
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use other::__private as __p;
                #[allow(unused_imports)]
                use other::__private::probe::*;
                impl<'de> __p::serde::Deserialize<'de> for Filter {
                    fn deserialize<__D>(
                        __deserializer: __D,
                    ) -> ::core::result::Result<Self, __D::Error>
                    where
                        __D: __p::serde::Deserializer<'de>,
                    {
                        #[derive(__p::serde::Deserialize)]
                        #[serde(crate = "other::__private::model_serde", remote = "Filter")]
                        #[allow(dead_code)]
                        enum __Shadow {
                            All,
                            Above(f64),
                            Between { low: i64, high: i64 },
                        }
                        let __value = __Shadow::deserialize(__deserializer)?;
                        let __refuse = <__D::Error as __p::serde::de::Error>::custom;
                        match &__value {
                            Self::Above { 0: __0, .. } => {
                                __p::check_field(
                                        __0,
                                        &__p::Constraints {
                                            min: ::core::option::Option::Some(
                                                __p::Number::Float(0.5f64),
                                            ),
                                            ..__p::Constraints::EMPTY
                                        },
                                        "",
                                    )
                                    .map_err(__refuse)?;
                            }
                            Self::Between { low: __0, .. } => {
                                __p::check_field(
                                        __0,
                                        &__p::Constraints {
                                            min: ::core::option::Option::Some(
                                                __p::Number::Integer(0i128),
                                            ),
                                            ..__p::Constraints::EMPTY
                                        },
                                        "low",
                                    )
                                    .map_err(__refuse)?;
                            }
                            #[allow(unreachable_patterns)]
                            _ => {}
                        }
                        ::core::result::Result::Ok(__value)
                    }
                }
            };
        "##]],
    );
}
