#![no_main]

static HEADER: &[u8] = include_bytes!("../../fixtures/good/aedat4/header_only.aedat4");

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::decode(None, HEADER, data));
