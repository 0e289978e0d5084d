//! Types under `#[mcp::model]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::model;

#[test]
fn every_mistake_in_a_struct_is_reported() {
    let item = quote! {
        #[derive(Debug, serde::Serialize, JsonSchema)]
        #[arg(min = 1)]
        struct Line {
            #[arg(header = "X", min = 2, max = 1)]
            count: u32,
            #[arg(min = 1)]
            code: String,
        }
    };
    check_messages(
        model(quote!(deny_unknown_fields), item),
        expect![[r#"
            `#[mcp::model]` has no option `deny_unknown_fields`: it takes `allow_unknown_fields` and `crate`, and options of the whole type are serde's, as in `#[serde(rename_all = "camelCase")]`
            `#[mcp::model]` derives `Serialize` already: remove this one
            `#[mcp::model]` derives `JsonSchema` already: remove this one
            `#[arg(..)]` goes on a field
            `min` is above `max = 1`, so no value fits: swap the two
            `header` is an option of arguments of tools, not of the fields inside them: remove it
            `min` bounds a number, and this is a string: to bound its length, write `min_length`
        "#]],
    );
}

#[test]
fn a_generic_type_cannot_have_constraints() {
    check_messages(
        model(
            quote!(),
            quote!(
                struct Page<T> {
                    #[arg(min = 1)]
                    size: u32,
                    items: Vec<T>,
                }
            ),
        ),
        expect![[r#"
            a generic type cannot have constraints or defaults: remove the parameters, or put the constrained fields in a type of their own
        "#]],
    );
}

#[test]
fn a_union_cannot_be_a_model() {
    check_messages(
        model(quote!(), quote!(union U { a: u8 })),
        expect![[r#"
        a union does not store which of its fields is set: make it an `enum`
    "#]],
    );
}
