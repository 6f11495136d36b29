#![no_main]

static FILE: &[u8] = include_bytes!("../../fixtures/good/mat/one_event.mat");

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::chunking(None, &FILE[..128], data));
