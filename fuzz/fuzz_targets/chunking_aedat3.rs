#![no_main]

static HEADER: &[u8] = include_bytes!("../../fixtures/good/aedat3/header_only.aedat");

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::chunking(None, HEADER, data));
