#![no_main]

static HEADER: &[u8] = include_bytes!("../../fixtures/good/event_stream/header_only.es");

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::chunking(None, HEADER, data));
