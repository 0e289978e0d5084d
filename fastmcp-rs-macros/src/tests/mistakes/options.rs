//! Options of `#[mcp::tool]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::tool;

#[test]
fn every_malformed_option_is_reported() {
    let options = quote! {
        name = get_order, title, title = "twice", readonly, destructive("yes"), "text",
        tags = "orders", icons = ["ftp://x", { mime = "image/png" }, 3],
        meta = ["a"], inline = 1, timeout = 30, handle = "X", crate = "x",
        description = 5, idempotent =, frobnicate, = 2, open_world: true
    };
    check_messages(
        tool(
            options,
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            an option is written `key = value`, as in `description = "text"`
            `destructive` does not take parentheses: write `destructive = "yes"`
            `idempotent =` needs a value
            expected the name of an option, as in `name = ".."`
            expected `=` or `,` after `open_world`: options are written `key = value`
            `name` takes a string literal, as in `name = "get_order"`
            `title` takes a string literal, as in `title = "Get an order"`
            `title` is given twice: remove one of the two
            `#[mcp::tool]` has no option `readonly` (did you mean `read_only`?)
            `tags` takes a list, as in `tags = ["orders"]`
            clients load icons only from `https:`, `http:` and `data:` URLs: host the picture, or embed it as `data:image/png;base64,..`
            an icon has no option `mime` (did you mean `mime_type`?): it takes `src`, `mime_type`, `sizes` and `theme`
            an icon needs `src`: write `{ src = "https://..", .. }`
            an icon is a URL, or `{ src = "https://..", mime_type = "image/png", sizes = ["48x48"], theme = "dark" }`
            `meta` takes a JSON object, as in `meta = { "team": "billing" }`
            `inline` is on or off: write `inline` or `inline = false`
            `timeout` takes a string literal, as in `timeout = "30s"`
            `handle` takes the name of the type that represents this tool, as in `handle = GetOrder`
            `crate` takes the path of fastmcp-rs in this crate, as in `crate = ::fastmcp_rs`
            `description` takes a string literal, as in `description = "Finds an order."`
            `#[mcp::tool]` has no option `frobnicate`: it takes `name`, `title`, `description`, `read_only`, `destructive`, `idempotent`, `open_world`, `structured`, `wrapped`, `link_text`, `result_content`, `output_schema`, `tags`, `icons`, `meta`, `inline`, `blocking`, `timeout`, `rename_all`, `middleware`, `handle`, `crate`
        "#]],
    );
}

#[test]
fn options_that_contradict_each_other_are_reported() {
    check_messages(
        tool(
            quote!(read_only, destructive, inline, blocking, name = "get order", timeout = "soon"),
            quote!(
                async fn f() {}
            ),
        ),
        expect![[r#"
            `soon` is not a duration: write a whole number and a unit, as in `"500ms"`, `"30s"`, `"2m"`, `"1h"` or `"1m30s"`
            a tool's name may have only ASCII letters, digits, `_`, `-` and `.`, not ' ': choose another
            a `read_only` tool changes nothing, so it cannot be `destructive`: remove one of the two
            `inline` runs a tool on the thread that reads requests, `blocking` on a thread of its own: remove one of the two
            an `async fn` is always polled inline first: remove `inline`, which is for a plain `fn` that never blocks
        "#]],
    );
}

#[test]
fn an_illegal_name_of_a_tool_is_reported() {
    check_messages(
        tool(
            quote!(name = ""),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            a tool's name cannot be empty: write one, or remove `name` to use the function's
        "#]],
    );
    let long = "x".repeat(129);
    check_messages(
        tool(
            quote!(name = #long),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            a tool's name may have at most 128 characters, not 129: choose another
        "#]],
    );
    check_messages(
        tool(
            quote!(),
            quote!(
                fn größe() {}
            ),
        ),
        expect![[r#"
            a tool's name may have only ASCII letters, digits, `_`, `-` and `.`, not 'ö': add `name = ".."` to `#[mcp::tool]`
        "#]],
    );
}

#[test]
fn a_handle_that_would_shadow_a_primitive_type_is_reported() {
    check_messages(
        tool(
            quote!(),
            quote!(
                fn str() {}
            ),
        ),
        expect![[r#"
            the type that represents this tool would hide the primitive `str`: name it with `handle = ..`
        "#]],
    );
}

#[test]
fn the_spelling_of_other_frameworks_is_answered_with_ours() {
    let options = quote! {
        annotations(title = "Find", read_only_hint = true, open_world_hint = false), tags = {"a", "b"},
        execution(task_support = "optional"), input_schema = schema(), exclude_args = ["x"], enabled = false,
        readOnlyHint = true, structured_output = true, auth = require, vis = "pub", version = "1", tag("x", "y")
    };
    check_messages(
        tool(
            options,
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            hints are options of their own: write `title = "Find", read_only, open_world = false` instead of `annotations`
            there is no option `execution`: tools run as plain calls, without tasks: remove it
            `tag` does not take parentheses: write `tag = ["x", "y"]`
            `tags` takes a list in brackets: write `tags = ["a", "b"]`
            `#[mcp::tool]` has no option `input_schema`: the input schema is made from the types of the parameters: remove it
            `#[mcp::tool]` has no option `exclude_args`: clients do not see parameters of the types `State<T>` and `&Context`: remove it
            `#[mcp::tool]` has no option `enabled`: `AppHandle::disable` turns components off: remove it
            `#[mcp::tool]` has no option `readOnlyHint` (did you mean `read_only`?)
            `#[mcp::tool]` has no option `structured_output` (did you mean `structured`?)
            `#[mcp::tool]` has no option `auth`: `App::visible_if` decides which callers see a component: remove it
            `#[mcp::tool]` has no option `vis`: the handle has the visibility of the function, such as `pub`: remove it
            `#[mcp::tool]` has no option `version`: the version is that of the app, `App::version`: remove it
        "#]],
    );
    let options = quote!(annotations = ToolAnnotations(idempotentHint = True, title = "Find"), annotations = {});
    check_messages(
        tool(
            options,
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            hints are options of their own: write `idempotent, title = "Find"` instead of `annotations`
            `annotations` is given twice: remove one of the two
        "#]],
    );
}

#[test]
fn options_about_structured_content_fit_together() {
    check_messages(
        tool(
            quote!(result_content = "text", structured, output_schema = Order),
            quote!(
                /// Finds.
                fn find() -> ToolResult {}
            ),
        ),
        expect![[r#"
            a tool that sends only text publishes no output schema: remove `output_schema` or `result_content`
            `result_content = "text"` sends no structured content: remove one of the two
        "#]],
    );
    check_messages(
        tool(
            quote!(result_content = "json", output_schema),
            quote!(
                /// Finds.
                fn find() -> ToolResult {}
            ),
        ),
        expect![[r#"
            `result_content` takes `"both"`, `"text"` or `"structured"`, as in `result_content = "text"`
            `output_schema` takes a type whose schema is published, as in `output_schema = Order`
        "#]],
    );
}

#[test]
fn a_value_that_cannot_be_middleware_is_reported() {
    for (options, expected) in [
        (
            quote!(middleware),
            expect![[r#"
            `middleware` takes an expression, as in `middleware = Timing::new()`, or a list, as in `middleware = [a(), b()]`
        "#]],
        ),
        (
            quote!(middleware = []),
            expect![[r#"
            `middleware` lists nothing: remove it, or write at least one, as in `[Timing::new()]`
        "#]],
        ),
        (
            quote!(middleware = ["timing", Timing::new(), |operation, next| next.run(operation)]),
            expect![[r#"
            `middleware` takes an expression, as in `middleware = Timing::new()`, or a list, as in `middleware = [a(), b()]`
            a closure becomes middleware by `from_fn`: write `fastmcp_rs::middleware::from_fn(|operation, next| async move { .. })`
        "#]],
        ),
        (
            quote!(middleware = move |operation, next| next.run(operation), title = "x"),
            expect![[r#"
            a closure becomes middleware by `from_fn`: write `fastmcp_rs::middleware::from_fn(|operation, next| async move { .. })`
        "#]],
        ),
        (
            quote!(middleware = a(), middleware = b()),
            expect![[r#"
            `middleware` is given twice: write one list, as in `middleware = [a(), b()]`
        "#]],
        ),
        (
            quote!(layer = a()),
            expect![[r#"
            `#[mcp::tool]` has no option `layer` (did you mean `middleware`?)
        "#]],
        ),
    ] {
        let function = quote!(
            fn f() {}
        );
        check_messages(tool(options, function), expected);
    }
}
