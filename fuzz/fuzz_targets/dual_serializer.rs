#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| fastmcp_rs::fuzzing::dual_serializer(text));
