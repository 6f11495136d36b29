#![no_main]

static HEADER: &[u8] = b"";

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::chunking(Some("CSV"), HEADER, data));
