//! Options, signatures and arguments of prompts.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::prompt;

#[test]
fn every_mistake_in_a_prompt_is_reported() {
    let item = quote! {
        #[mcp::prompt]
        #[mcp::tool]
        const fn u8<const N: usize>(
            #[arg(header = "X", complete = |c| c, complete = x)] a: String,
            _: u8,
            #[cfg(unix)] b: fn(),
        ) -> Box<dyn Display> {
        }
    };
    check_messages(
        prompt(quote!("review", name = "", uri = "x", mime_type = "x", handle = 1), item),
        expect![[r#"
            an option is written `key = value`, as in `description = "review"`
            `#[mcp::prompt]` has no option `uri`: it takes `name`, `title`, `description`, `tags`, `icons`, `meta`, `inline`, `blocking`, `timeout`, `rename_all`, `middleware`, `handle`, `crate`
            `#[mcp::prompt]` has no option `mime_type`, which is an option of a resource: remove it
            `handle` takes the name of the type that represents this prompt, as in `handle = GetOrder`
            this function is a prompt already: put all options into one `#[mcp::prompt(..)]`
            this function is a prompt already: write another function for the tool that calls this one
            `complete` takes the path of a function, as in `complete = order_ids`
            `complete` is given twice: remove one of the two
            an argument needs a name, which is the name that clients use: write `value: u8`, or remove the argument
            a prompt's name cannot be empty: write one, or remove `name` to use the function's
            the type that represents this prompt would hide the primitive `u8`: name it with `handle = ..`
            a prompt is called at run time: remove `const`, or call the `const fn` from a prompt
            a prompt has one type for each argument, so it cannot be generic: replace `N` with its value
            a prompt has the same arguments in every build: put `#[cfg]` on the function
            `header` is an option of arguments of tools, not of arguments of a prompt: remove it
            an argument comes from a client, which has no functions
        "#]],
    );
}
