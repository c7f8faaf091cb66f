#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| talkgraph_fuzz::arkit(data));
