//! `#[derive(mcp::ToolError)]`.

use expect_test::expect;
use quote::quote;

use super::check_expansion;
use crate::tests::tool_error;

#[test]
fn an_error_type_is_sorted_by_its_variants_and_registered() {
    let item = quote! {
        #[mcp(crate = renamed)]
        enum BookingError {
            #[error("It is full.")]
            #[mcp(visible)]
            Full { day: String },
            #[mcp(visible = "Table {0} of {name} is taken by {1:?}, {{0}}.")]
            Taken(u32, Guest),
            #[mcp(visible = false)]
            Database(sqlx::Error),
            #[error(transparent)]
            Payment(#[from] PaymentError),
        }
    };
    check_expansion(
        tool_error(item),
        expect![[r##"
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            use renamed::__private as __p;
            impl __p::ClassifyError for BookingError {
                fn classify(self) -> __p::TypedError<Self> {
                    match self {
                        Self::Full { .. } => __p::TypedError::Visible(self),
                        Self::Taken { 0: __field_0, 1: __field_1, .. } => {
                            __p::TypedError::Text(
                                ::std::format!(
                                    "Table {_0} of {name} is taken by {_1:?}, {{0}}.", _0 =
                                    __field_0, _1 = __field_1
                                ),
                            )
                        }
                        Self::Payment { 0: __inner } => {
                            __p::TypedError::Transparent(__p::ToolError::from(__inner))
                        }
                        _ => __p::TypedError::Internal(self),
                    }
                }
            }
            const __REGISTERED: __p::RegisteredError = __p::RegisteredError(
                __p::convert_typed::<BookingError>,
            );
            __p::inventory::submit! {
                __REGISTERED
            }
        };
    "##]],
    );
}

#[test]
fn a_visible_struct_is_one_case() {
    check_expansion(
        tool_error(quote!(
            #[mcp(visible = "Closed until {until}.")]
            struct Closed {
                until: Date,
            }
        )),
        expect![[r##"
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                impl __p::ClassifyError for Closed {
                    fn classify(self) -> __p::TypedError<Self> {
                        match self {
                            Self { until: __field_0, .. } => {
                                __p::TypedError::Text(
                                    ::std::format!("Closed until {until}.", until = __field_0),
                                )
                            }
                        }
                    }
                }
                const __REGISTERED: __p::RegisteredError = __p::RegisteredError(
                    __p::convert_typed::<Closed>,
                );
                __p::inventory::submit! {
                    __REGISTERED
                }
            };
        "##]],
    );
}
