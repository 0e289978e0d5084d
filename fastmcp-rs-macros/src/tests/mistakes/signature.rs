//! Signatures of tools.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::tool;

#[test]
fn every_part_of_a_signature_that_cannot_be_called_is_reported() {
    let item = quote! {
        const unsafe extern "C" fn f<T: Clone, const N: usize>(
            self,
            (a, b): (u8, u8),
            Line { x, .. }: &order::Line,
            _: Option<HashMap<String, u8>>,
            c: &mut T,
            d: impl Fn(),
            e: Vec<impl Sized>,
            f: &dyn Display,
            g: Vec<&str>,
            h: *const u8,
            i: fn(u8),
            j: &Self,
            #[cfg(unix)] k: u8,
            #[serde(rename = "x")] l: u8,
            ...
        ) -> impl Display
        where
            T: Copy,
        {
        }
    };
    check_messages(
        tool(quote!(), item),
        expect![[r#"
            an argument needs a name, which is its key in the input: write `value: (u8, u8)`, and destructure it in the body
            an argument needs a name, which is its key in the input: write `value: Option<HashMap<String, u8>>`, or remove the argument
            a tool is called at run time: remove `const`, or call the `const fn` from a tool
            any client can call a tool with any arguments, so it must be safe: remove this, and check the conditions of `unsafe` blocks in the body
            a tool is a Rust function: remove the ABI
            a tool has a fixed list of arguments: take a `Vec<T>` instead of `...`
            a tool has one input schema, so it cannot be generic: replace `T` with the type that clients send
            a tool has one input schema, so it cannot be generic: replace `N` with its value
            a method is a tool only in an `impl` block with `#[mcp::server]`: put that on the block, or move the function out of it and take its data as `State<T>`
            a tool names the type that it returns, because its output schema is made from it: write the type instead of `impl ..`
            in an `impl` block, functions are tools only if the block has `#[mcp::server]`: put that on the block, or move the function out of it and write the type's name instead of `Self`
            a tool has the same arguments in every build: put `#[cfg]` on the function
            a parameter takes `#[arg(..)]` and doc comments, not `#[serde]`
            a tool cannot change its caller's arguments: take `&T`, or `T` by value
            an argument needs a concrete type, because its schema is made from it: write the type instead of `impl ..`
            an argument needs a concrete type, because its schema is made from it: write the type instead of `impl ..`
            an argument needs a concrete type, because its schema is made from it: write the type instead of `dyn ..`
            only an argument itself, or the inside of its `Option`, can be a reference: use an owned type here, as in `&[String]`
            an argument comes from JSON, which has no pointers: take `&T`, or `T` by value
            an argument comes from JSON, which has no functions
        "#]],
    );
}

#[test]
fn defaults_futures_and_the_arguments_of_rmcp_are_reported() {
    let items = [
        quote!(
            fn f(limit: u32 = 10, ctx: Context = Context::default()) {}
        ),
        quote!(
            fn f() -> Pin<Box<dyn Future<Output = String> + Send>> {}
        ),
        quote!(
            fn f() -> impl Future<Output = String> {}
        ),
        quote!(
            fn f() -> BoxFuture<'static, String> {}
        ),
        quote!(
            fn f(Parameters(Sum { a, b }): Parameters<Sum>) {}
        ),
        quote!(
            fn f(sum: Parameters<Sum>, other: rmcp::Parameters<Other>, own: crate::Parameters<Own>) {}
        ),
    ];
    let expansions = items.map(|item| tool(quote!(), item)).into_iter().collect();
    check_messages(
        expansions,
        expect![[r#"
            a default is an option of the parameter: write `#[arg(default = 10)] limit: u32`
            a tool gets its context without a default: write `ctx: &Context`
            a tool that returns a future is an `async fn`: write `async fn`, and the type of its value
            a tool that returns a future is an `async fn`: write `async fn`, and the type of its value
            a tool that returns a future is an `async fn`: write `async fn`, and the type of its value
            there is no `Parameters<T>`: write the members of `Sum` as parameters of the function, or put `#[arg(flatten)]` on a parameter of the type `Sum`
            there is no `Parameters<T>`: write the members of `Sum` as parameters of the function, or put `#[arg(flatten)]` on a parameter of the type `Sum`
            there is no `Parameters<T>`: write the members of `Other` as parameters of the function, or put `#[arg(flatten)]` on a parameter of the type `Other`
        "#]],
    );
}
