//! Options of `#[arg]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::{model, tool};

#[test]
fn every_mistake_in_the_options_of_an_argument_is_reported() {
    let item = quote! {
        fn f(
            #[arg(min = 5, max = -1, min_length = 1, pattern = "x")] a: u32,
            #[arg(min = 1, max_length = 2, min_length = 3)] b: Option<&str>,
            #[arg(pattern = r, min_length = -1, default = None, ge = 1)] c: Vec<u8>,
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
            `default` takes a literal: a string, a number, `true` or `false`, as in `default = 10`
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
