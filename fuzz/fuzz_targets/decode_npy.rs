#![no_main]

static HEADER: &[u8] = b"\x93NUMPY\x01\x00";

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::decode(None, HEADER, data));
