#![no_main]

static HEADER: &[u8] = include_bytes!("../../fixtures/good/evt3/header_only.raw");

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::decode(None, HEADER, data));
