//! Options, variables and parameters of resources.

use expect_test::{Expect, expect};
use proc_macro2::TokenStream;
use quote::quote;

use super::check_messages;
use crate::tests::resource;

fn check_options(options: TokenStream, expected: Expect) {
    let item = quote!(
        fn f(id: &str) -> String {}
    );
    check_messages(resource(options, item), expected);
}

fn check_uri(uri: &str, item: TokenStream, expected: Expect) {
    check_messages(resource(quote!(#uri), item), expected);
}

#[test]
fn the_uri_has_to_be_a_string_literal_in_first_place() {
    check_options(
        quote!(),
        expect![[r#"
        a resource needs its URI: write it first in the parentheses, as in `#[mcp::resource("config://app")]`, or a template, as in `#[mcp::resource("orders://{order_id}")]`
    "#]],
    );
    check_options(
        quote!(name = "x"),
        expect![[r#"
        a resource needs its URI: write it before this option, as in `#[mcp::resource("config://app")]`, or a template, as in `#[mcp::resource("orders://{order_id}")]`
    "#]],
    );
    check_options(
        quote!(inline, "s://{id}"),
        expect![[r#"
        the URI comes first in the parentheses, and the options follow it
    "#]],
    );
    check_options(
        quote!(uri = "s://{id}", inline),
        expect![[r#"
        the URI comes first and has no key: write only its string literal
    "#]],
    );
    check_options(
        quote!(uri = URI),
        expect![[r#"
            the URI comes first and has no key: write only its string literal
        "#]],
    );
    // A constant may have a URI without variables.
    check_options(quote!(URI), expect![[""]]);
    check_options(
        quote!(concat!("s://", "{id}")),
        expect![[r#"
            the URI of a resource must be a string literal, because its variables are checked against the parameters, or the name of a `const`, if it has no variables
        "#]],
    );
    check_options(
        quote!(b"s://{id}"),
        expect![[r#"
            the URI of a resource must be a string literal, because its variables are checked against the parameters, or the name of a `const`, if it has no variables
        "#]],
    );
}

#[test]
fn every_mistake_in_the_options_of_a_resource_is_reported() {
    check_options(
        quote!(
            "s://{id}",
            "again",
            mimetype = "text/plain",
            size = 1,
            audience = ["users", "nobody", 1],
            priority = 1.5,
            last_modified = "yesterday",
            allow_traversal = ["ids", "path"],
            ttl = "5",
            scope = "publik",
            cache_ttl = 1,
            cacheScope = "public",
            name = "",
            read_only,
            permissions = "x",
            uri = "s://y"
        ),
        expect![[r#"
            an option is written `key = value`, as in `description = "again"`
            `#[mcp::resource]` has no option `mimetype` (did you mean `mime_type`?)
            `audience` takes only string literals, as in `audience = ["user"]`
            `5` has no unit: write a whole number and a unit, as in `"500ms"`, `"30s"`, `"2m"`, `"1h"` or `"1m30s"`
            `#[mcp::resource]` has no option `cache_ttl` (did you mean `ttl`?)
            `#[mcp::resource]` has no option `cacheScope` (did you mean `scope`?)
            `#[mcp::resource]` has no option `read_only`, which is an option of a tool: remove it
            `#[mcp::resource]` has no option `permissions`: it takes `name`, `title`, `description`, `mime_type`, `size`, `audience`, `priority`, `last_modified`, `allow_traversal`, `ttl`, `scope`, `tags`, `icons`, `meta`, `inline`, `blocking`, `timeout`, `rename_all`, `middleware`, `handle`, `crate`
            the URI comes first and has no key: remove this
            a resource's name cannot be empty: write one, or remove `name` to use the function's
            `size` is the size of one resource, and a template describes many: remove it
            the template has no variable `ids` (did you mean `id`?): `allow_traversal` lists the variables whose values may contain `..` or be an absolute path
            the template has no variable `path`: `allow_traversal` lists the variables whose values may contain `..` or be an absolute path
            `users` is not an audience (did you mean `user`?): write `"user"` or `"assistant"`
            `nobody` is not an audience: write `"user"` or `"assistant"`
            `publik` is not a scope (did you mean `public`?): write `"private"` to cache per client, or `"public"` to share the cache
            a priority is a number from 0 (optional) to 1 (required)
            `last_modified` is a date and a time with their offset (RFC 3339), as in `2026-01-31T12:00:00Z`
        "#]],
    );
    check_options(
        quote!(
            "s://x",
            ttl = 5,
            scope,
            mime_type = "json",
            size = -1,
            priority = "high",
            allow_traversal = ["id"],
            inline,
            blocking
        ),
        expect![[r#"
            `ttl` takes a string literal, as in `ttl = "5m"`
            `scope` takes a string literal, as in `scope = "public"`
            `size` cannot be negative: write 0 or more
            `priority` takes a number, as in `priority = 1`
            this URI has no variables: `allow_traversal` lists the variables whose values may contain `..` or be an absolute path
            a MIME type has a type and a subtype, as in `application/json` or `text/plain; charset=utf-8`
            `inline` runs a resource on the thread that reads requests, `blocking` on a thread of its own: remove one of the two
            this parameter has no value, because the URI has no variable `id`: write `{id}` or `{?id}` into the URI, or remove the parameter
        "#]],
    );
}

#[test]
fn every_mistake_in_a_template_is_reported() {
    check_options(
        quote!("s://{;id}{", allow_traversal = ["path"]),
        expect![[r#"
            `{;id}` is a path-style parameter, which is not supported: use `{x}`, `{+x}`, `{x*}`, `{/x}`, `{.x}`, `{#x}`, `{?x,y}` or `{&x,y}`
            the brace of `{` is not closed: write `}` after the variable's name
        "#]],
    );
}

#[test]
fn every_variable_needs_a_parameter_and_every_parameter_a_value() {
    let item = quote! {
        fn f(
            order: &str,
            limit: Option<u32>,
            db: State<Pool>,
            own: Vec<Own>,
            context: &Context,
            #[arg(header = "X", complete = "ids")] id: u8,
            #[arg(rename = "id")] other: u8,
            #[arg(default = 1)] from: u32,
            to: u32,
            kind: Kind,
            _: u8,
        ) -> String {
        }
    };
    check_uri(
        "orders://{order_id}/{id}{?page,from,to,kind}",
        item.clone(),
        expect![[r#"
            `complete` takes the path of a function, as in `complete = order_ids`
            an argument needs a name, which is the name of a variable of the URI: write `value: u8`, or remove the argument
            `header` is an option of arguments of tools, not of variables of a resource: remove it
            two arguments are called `id`: rename one of them
            the template has `{order_id}`, but the function has no parameter `order_id` (did you mean `order`?): add one, as in `order_id: &str`, or remove the variable
            the template has `{?page}`, but the function has no parameter `page`: add one, as in `page: Option<&str>`, or remove the variable
            `{?to}` is optional in a URI: make this an `Option`, or add `#[arg(default = ..)]`
            this parameter has no value, because the URI has no variable `limit`: write `{limit}` or `{?limit}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `own`: write `{own}` or `{?own}` into the URI, or remove the parameter
        "#]],
    );
    check_uri(
        "orders://all",
        item,
        expect![[r#"
            `complete` takes the path of a function, as in `complete = order_ids`
            an argument needs a name, which is the name of a variable of the URI: write `value: u8`, or remove the argument
            `header` is an option of arguments of tools, not of variables of a resource: remove it
            two arguments are called `id`: rename one of them
            this parameter has no value, because the URI has no variable `order`: write `{order}` or `{?order}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `limit`: write `{limit}` or `{?limit}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `own`: write `{own}` or `{?own}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `id`: write `{id}` or `{?id}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `id`: write `{id}` or `{?id}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `from`: write `{from}` or `{?from}` into the URI, or remove the parameter
            this parameter has no value, because the URI has no variable `to`: write `{to}` or `{?to}` into the URI, or remove the parameter
        "#]],
    );
}

#[test]
fn a_misspelled_variable_suggests_the_parameter() {
    let misspelled = quote!(
        fn f(orderid: &str, limit: u32) -> String {}
    );
    check_uri(
        "orders://{order_id}",
        misspelled,
        expect![[r#"
            the template has `{order_id}`, but the function has no parameter `order_id` (did you mean `orderid`?): add one, as in `order_id: &str`, or remove the variable
            this parameter has no value, because the URI has no variable `limit`: write `{limit}` or `{?limit}` into the URI, or remove the parameter
        "#]],
    );
}

#[test]
fn the_signature_of_a_resource_is_checked() {
    let item = quote!(
        async fn f<T>(&self, path: &mut str, other: *const u8) -> impl Display {}
    );
    check_uri(
        "s://{path}/{other}",
        item,
        expect![[r#"
            a resource has one type for each variable of its URI, so it cannot be generic: replace `T` with the type that clients send
            a method is a resource only in an `impl` block with `#[mcp::server]`: put that on the block, or move the function out of it and take its data as `State<T>`
            a resource names the type that it returns, because its MIME type can depend on it: write the type instead of `impl ..`
            a resource cannot change its caller's arguments: take `&T`, or `T` by value
            an argument comes from a URI, which has no pointers: take `&T`, or `T` by value
        "#]],
    );
}
