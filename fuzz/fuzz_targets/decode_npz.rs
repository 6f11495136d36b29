#![no_main]

static HEADER: &[u8] = b"PK\x03\x04";

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::decode(None, HEADER, data));
