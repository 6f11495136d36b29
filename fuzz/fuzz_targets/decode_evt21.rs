#![no_main]

static HEADER: &[u8] = b"% evt 2.1\n% end\n";

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::decode(None, HEADER, data));
