//! Options of `#[arg]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::{model, resource, server, tool};

#[test]
fn every_mistake_in_the_options_of_an_argument_is_reported() {
    let item = quote! {
        fn f(
            #[arg(min = 5, max = -1, min_length = 1, pattern = "x")] a: u32,
            #[arg(min = 1, max_length = 2, min_length = 3)] b: Option<&str>,
            #[arg(pattern = r, min_length = -1, default = 1 +, ge = 1)] c: Vec<u8>,
            #[arg(rename = "a", header = "Region")] d: String,
            #[arg(header = "region", min = true)] e: bool,
            #[arg(header = "my header", default = 1.5)] g: f64,
            #[arg(default = 256)] h: u8,
            #[arg(default = 0, min = 1)] i: u8,
            #[arg(default = "abc", max_length = 2)] j: String,
            #[arg(desc = "x", exmaple = 1)] k: String,
            #[arg = 1] l: String,
            #[args(min = 1)] m: String,
        ) {
        }
    };
    check_messages(
        tool(quote!(), item),
        expect![[r#"
            `pattern` takes a string literal, as in `pattern = "^ORD-[0-9]+$"`
            `min_length` cannot be negative: write 0 or more
            `default` takes a value, as in `default = 10` or `default = LIMIT`: put an expression with commas in parentheses
            `#[arg]` has no option `ge` (did you mean `min`?)
            `min` takes a number, as in `min = 1`
            `#[arg]` has no option `desc`: write it as a `///` comment
            `#[arg]` has no option `exmaple` (did you mean `example`?)
            options go in parentheses, as in `#[arg(default = 10)]`
            a parameter takes `#[arg(..)]` and doc comments, not `#[args]` (did you mean `arg`?)
            `min` is above `max = -1`, so no value fits: swap the two
            `max = -1` is beyond this type, whose range is 0 to 4294967295: remove it, or take a larger type
            `min_length` bounds a length, and this is an integer: to bound its value, write `min`
            `pattern` is for strings, and this is an integer: remove it, or take a `String`
            `min_length` is above `max_length = 2`, so no value fits: swap the two
            `min` bounds a number, and this is a string: to bound its length, write `min_length`
            a header's name may have only ASCII letters, digits and !#$%&'*+-.^_`|~ (RFC 9110), not ' '
            `header` sends a string, an integer or a boolean, and this is a float: remove it
            this default does not fit its type, whose range is 0 to 255
            this default is below `min = 1`: change one of the two
            this default's length is above `max_length = 2`: change one of the two
            two arguments are called `a`: rename one of them
            two arguments have the header `region`, and its case does not matter: rename one of them
        "#]],
    );
}

#[test]
fn every_mistake_in_flattened_and_renamed_arguments_is_reported() {
    let item = quote! {
        fn f(
            #[arg(flatten, min = 1, rename = "x")] a: Order,
            #[arg(flatten)] b: Option<Order>,
            #[arg(flatten)] c: &[u8],
            #[arg(flatten = 1)] d: Order,
            order_id: u8,
            order__id: u8,
            #[arg(rename = "orderId")] e: u8,
        ) {
        }
    };
    check_messages(
        tool(quote!(rename_all = "camelCase"), item),
        expect![[r#"
        `flatten` is on or off: write `flatten` or `flatten = false`
        `min` has no effect beside `flatten`: remove it, or put it on a field of the struct
        `rename` has no effect beside `flatten`: remove it, or put it on a field of the struct
        `flatten` needs the struct itself: remove the `Option`, and make the fields of the struct optional
        `flatten` merges the fields of a struct, and this is a list: remove it
        two arguments are called `orderId`: rename one of them
        two arguments are called `orderId`: rename one of them
    "#]],
    );
    let item = quote! {
        fn f(#[arg(flatten)] order_id: Order) {}
    };
    check_messages(
        resource(quote!("shop://{order_id}", rename_all = "kebab-case"), item),
        expect![[r#"
        the variables of a URI cannot have hyphens: choose another rule, as in `rename_all = "camelCase"`
        `flatten` is an option of arguments of tools and prompts, not of a resource, whose arguments are the variables of its URI: remove it
    "#]],
    );
    check_messages(
        tool(
            quote!(rename_all = "camel_case"),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
        `camel_case` is not a rule of `rename_all` (did you mean `camelCase`?): it takes `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case`, `SCREAMING-KEBAB-CASE`
    "#]],
    );
    check_messages(
        tool(
            quote!(rename_all = "dots"),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
        `dots` is not a rule of `rename_all`: it takes `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case`, `SCREAMING-KEBAB-CASE`
    "#]],
    );
    check_messages(
        tool(
            quote!(rename_all),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
        `rename_all` takes a string literal, as in `rename_all = "camelCase"`
    "#]],
    );
    let block = quote! {
        impl Shop {
            #[tool(rename_tools = "camelCase")]
            fn f() {}
        }
    };
    check_messages(
        server(quote!(rename_tool = "camelCase", rename_all = "CamelCase"), block),
        expect![[r#"
        `#[mcp::server]` has no option `rename_tool` (did you mean `rename_tools`?): options of a component go on its method, as in `#[tool(read_only)]`
        `CamelCase` is not a rule of `rename_all` (did you mean `camelCase`?): it takes `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case`, `SCREAMING-KEBAB-CASE`
        `#[mcp::tool]` has no option `rename_tools` (did you mean `rename_all`?)
    "#]],
    );
    check_messages(
        model(
            quote!(),
            quote!(
                struct Order {
                    #[arg(flatten)]
                    more: More,
                }
            ),
        ),
        expect![[r#"
        the fields of a model are flattened by serde: write `#[serde(flatten)]`
    "#]],
    );
}

#[test]
fn only_arguments_of_prompts_and_variables_of_templates_have_completions() {
    check_messages(
        tool(
            quote!(),
            quote!(
                fn f(#[arg(complete = x)] a: u8) {}
            ),
        ),
        expect![[r#"
            only arguments of a prompt and variables of a URI template have completions, not a tool's argument: remove `complete`
        "#]],
    );
    check_messages(
        model(
            quote!(),
            quote!(
                struct Order {
                    #[arg(complete = x)]
                    a: u8,
                }
            ),
        ),
        expect![[r#"
            only arguments of a prompt and variables of a URI template have completions, not a field inside them: remove `complete`
        "#]],
    );
}
