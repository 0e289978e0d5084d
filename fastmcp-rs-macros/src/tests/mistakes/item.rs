//! Attributes on items of the wrong kind.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::pipeline::{run_router, run_router_handler};
use crate::tests::{main, model, prompt, server, tool};

#[test]
fn an_attribute_on_a_wrong_item_suggests_the_right_one() {
    let expand_tool = |item| tool(quote!(), item);
    check_messages(
        expand_tool(quote!(
            pub struct Order {
                id: u8,
            }
        )),
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a struct: on a type that tools take or return, put `#[mcp::model]`
    "#]],
    );
    check_messages(
        expand_tool(quote!(impl Order { fn f() {} })),
        expect![[r#"
            `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is an `impl` block: put `#[mcp::server]` on it, and `#[tool]` on each method
        "#]],
    );
    check_messages(
        expand_tool(quote!(
            mod tools {}
        )),
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a module: put it on each function inside
    "#]],
    );
    check_messages(
        expand_tool(quote!(
            const X: u8 = 1;
        )),
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a constant: remove it, or write a function
    "#]],
    );
    check_messages(
        expand_tool(quote!(
            fn f();
        )),
        expect![[r#"
            a tool needs a body, and this function is only declared: write one, or, in a trait, call it from a function with `#[mcp::tool]`
        "#]],
    );
    let expand_prompt = |item| prompt(quote!(), item);
    check_messages(
        expand_prompt(quote!(
            struct Order {}
        )),
        expect![[r#"
            `#[mcp::prompt]` goes on a `fn` or an `async fn`, and this is a struct: on a type that prompts take or return, put `#[mcp::model]`
        "#]],
    );
    check_messages(
        expand_prompt(quote!(
            fn f() -> String;
        )),
        expect![[r#"
            a prompt needs a body, and this function is only declared: write one, or, in a trait, call it from a function with `#[mcp::prompt]`
        "#]],
    );
    check_messages(
        model(
            quote!(),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
        `#[mcp::model]` goes on a struct or an enum, and this is a function: on a function, put `#[mcp::tool]`
    "#]],
    );
    check_messages(
        main(
            quote!(),
            quote!(
                struct Main;
            ),
        ),
        expect![[r#"
        `#[mcp::main]` goes on `async fn main()`, and this is a struct
    "#]],
    );
}

#[test]
fn a_second_attribute_on_a_function_is_reported() {
    check_messages(
        tool(
            quote!(read_only),
            quote!(
                #[mcp::tool(title = "x")]
                fn f() {}
            ),
        ),
        expect![[r#"
            this function is a tool already: put all options into one `#[mcp::tool(..)]`
        "#]],
    );
}

#[test]
fn rmcps_attributes_of_blocks_are_reported() {
    let block = quote!(
        impl Orders {
            /// Counts.
            #[tool]
            fn count(&self) -> u32 {}
        }
    );
    let under_server = quote!(#[tool_router] #[prompt_handler] #block);
    let expansions =
        [run_router("tool_router", block), run_router_handler("tool_handler"), server(quote!(), under_server)];
    check_messages(
        expansions.into_iter().collect(),
        expect![[r#"
        there is no `#[tool_router]`: write `#[mcp::server]`, which registers the methods of this block
        there is no `#[tool_handler]`: remove this block; `#[mcp::server]` registers the methods, and `App` has the server's name, version and instructions
        `#[mcp::server]` registers the methods itself: remove `#[tool_router]`
        `#[mcp::server]` registers the methods itself: remove `#[prompt_handler]`
    "#]],
    );
}

#[test]
fn a_closure_is_reported() {
    let expansion = tool(quote!(), quote!(move |a: u8| a));
    check_messages(
        expansion,
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a closure: write a function
    "#]],
    );
}
