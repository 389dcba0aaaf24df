#![no_main]

use bluetti_modbus::assembler::{Assembler, Counters};

fn assemble<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Option<(Vec<Vec<u8>>, Counters)> {
    let mut assembler = Assembler::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        if assembler.push(chunk) {
            // Lines of the module are known by their borders.
            return None;
        }
        while let Some(frame) = assembler.next_frame() {
            frames.push(frame.to_bytes());
        }
    }
    assembler.flush();
    Some((frames, assembler.counters()))
}

// Chunk borders mean nothing, and every byte is in an answer or rejected.
libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (size, data) = input;
    let data = &data[..data.len().min(4096)];
    let whole = assemble(std::iter::once(data));
    let split = assemble(data.chunks(usize::from(size).max(1)));
    if let (Some(whole), Some(split)) = (whole, split) {
        assert_eq!(whole, split);
        let framed: usize = whole.0.iter().map(Vec::len).sum();
        assert_eq!(framed as u64 + whole.1.rejected_bytes, data.len() as u64);
    }
});
