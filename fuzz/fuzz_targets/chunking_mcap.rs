#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::run("chunking_mcap", data));
