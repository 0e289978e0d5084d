//! `#[mcp::prompt]`, where it differs from `#[mcp::tool]`.

use expect_test::expect;
use proc_macro2::TokenStream;
use quote::quote;

use super::check_change;
use crate::tests::{prompt, tool};

#[test]
fn an_argument_of_a_prompt_calls_its_completion_function() {
    let item = |option: TokenStream| {
        quote! {
            /// Reviews a refund.
            async fn refund_review(
                /// The order's reference.
                #option
                order_id: &str,
                urgent: Option<bool>,
                context: &Context,
            ) -> Vec<Message> {
                load()
            }
        }
    };
    let options = quote!(title = "Review", handle = Review, crate = other);
    check_change(
        tool(options.clone(), item(quote!())),
        prompt(options, item(quote!(#[arg(complete = order_ids)]))),
        expect![[r#"
            -        use other::__private::options::tool::{title as _, handle as _};
            +        use other::__private::options::prompt::{title as _, handle as _};
            +        use other::__private::options::arg::complete as _;
            +        const _: fn() = || {
            +            let _ = order_ids;
            +        };
            -        impl __p::ToolHandle for Review {
            -            const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
            +        impl __p::PromptHandle for Review {
            +            const DEFINITION: &'static __p::PromptDefinition = &__p::PromptDefinition {
            -                ..__p::ToolDefinition::EMPTY
            +                    complete: ::core::option::Option::Some(|__completing| __p::complete(
            +                        order_ids,
            +                        __completing,
            +                    )),
            +                .configurable()
            -            let __value = (&&&&__split.value()).kind().checked();
            +            let __value = (&&&&__split.value()).prompt_kind().checked();
            -            __p::RegisteredTool(< Review as __p::ToolHandle > ::DEFINITION)
            +            __p::RegisteredPrompt(< Review as __p::PromptHandle > ::DEFINITION)
        "#]],
    );
}
