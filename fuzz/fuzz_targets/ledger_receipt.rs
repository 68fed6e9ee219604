#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| covey_fuzzed::ledger_receipt(bytes));
