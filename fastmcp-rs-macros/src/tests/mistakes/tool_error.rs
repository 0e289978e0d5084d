//! Types under `#[derive(mcp::ToolError)]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::tool_error;

#[test]
fn every_mistake_in_an_error_type_is_reported() {
    let item = quote! {
        #[mcp(visible = "One for all.", visible)]
        enum Failure<T> {
            #[mcp]
            A,
            #[mcp()]
            B,
            #[mcp(visibel)]
            C,
            #[mcp(internal)]
            D(#[mcp(visible)] T),
            #[mcp(visible = 3)]
            E,
            #[mcp(crate = x, message = "text")]
            F,
        }
    };
    check_messages(
        tool_error(item),
        expect![[r#"
        `visible` is given twice: remove one of the two
        options go in parentheses, as in `#[mcp(visible)]`
        this attribute has no option: write `#[mcp(visible)]`, or remove it
        `#[mcp(..)]` of an error has no option `visibel` (did you mean `visible`?): it takes `visible`, `visible = "text"` and `visible = false`
        `#[mcp(..)]` has no option `internal`: errors are internal by default, and `visible = false` hides a variant of a visible type
        `visible` stands alone, or takes `false` or a text: `visible`, `visible = false`, `visible = "There is no order {id}."`
        `crate` goes on the type, not on a variant
        `#[mcp(..)]` of an error has no option `message` (did you mean `visible`?): it takes `visible`, `visible = "text"` and `visible = false`
        a generic error type cannot be registered: remove the parameters, or convert the error with `map_err`
        one text cannot describe all variants: put it on a variant, or write `visible`
        `#[mcp(..)]` goes on a variant or on the whole type, not on a field
    "#]],
    );
}

#[test]
fn a_union_cannot_be_an_error_type() {
    check_messages(
        tool_error(quote!(union U { a: u8 })),
        expect![[r#"
        a union does not store which of its fields is set: make it an `enum`
    "#]],
    );
}
