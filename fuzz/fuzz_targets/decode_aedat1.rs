#![no_main]

static HEADER: &[u8] = include_bytes!("../../fixtures/good/aedat1/header_only.aedat");

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::decode(Some("AEDAT 1.0"), HEADER, data));
