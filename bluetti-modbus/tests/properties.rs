//! What holds for any input.

use bluetti_modbus::assembler::{Assembler, Counters, is_module_line};
use bluetti_modbus::encryption::{Kex, LinkEvent, NoEntropy, SecureLink, SessionCipher};
use bluetti_modbus::modbus::{Answer, ExceptionCode, Frame, Request, UnitId, Words, tcp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use zeroize::Zeroizing;

fn frame_bytes() -> impl Strategy<Value = Vec<u8>> {
    let registers = vec(any::<[u8; 2]>(), 1..=125).prop_map(|words| words.concat());
    prop_oneof![
        (any::<u8>(), registers).prop_map(|(unit, words)| {
            let answer = Answer::Registers(Words::new(&words).unwrap());
            to_bytes(unit, answer)
        }),
        (
            any::<u8>(),
            select(vec![6u8, 16]),
            any::<u16>(),
            any::<u16>()
        )
            .prop_map(|(unit, function, at, what)| to_bytes(
                unit,
                Answer::Written { function, at, what }
            )),
        (any::<u8>(), select(vec![3u8, 6, 16]), any::<u8>()).prop_map(|(unit, function, code)| {
            let code = ExceptionCode::from(code);
            to_bytes(unit, Answer::Exception { function, code })
        }),
    ]
}

fn to_bytes(unit: u8, answer: Answer<'_>) -> Vec<u8> {
    let unit = UnitId(unit);
    Frame { unit, answer }.to_bytes()
}

/// Answers with junk between them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![3 => frame_bytes(), 1 => vec(any::<u8>(), 0..40)];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// The stream in pieces that end anywhere.
fn cut<'a>(stream: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    borders.extend([0, stream.len()]);
    borders.sort_unstable();
    borders
        .windows(2)
        .map(|pair| &stream[pair[0]..pair[1]])
        .collect()
}

fn assemble(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Counters) {
    let mut assembler = Assembler::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        assembler.push(chunk);
        while let Some(frame) = assembler.next_frame() {
            frames.push(frame.to_bytes());
        }
    }
    assembler.flush();
    (frames, assembler.counters())
}

fn cipher(key: [u8; 32]) -> SessionCipher {
    SessionCipher::new(Zeroizing::new(key))
}

fn seed(bytes: [u8; 4]) -> impl FnMut(&mut [u8]) -> Result<(), NoEntropy> + Send {
    move |wanted: &mut [u8]| {
        wanted.copy_from_slice(&bytes);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn answers_round_trip(bytes in frame_bytes()) {
        let (frame, used) = Frame::parse(&bytes).unwrap().unwrap();
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(&frame.to_bytes(), &bytes);
        let over_tcp = tcp::Frame { transaction: 7, unit: frame.unit, answer: frame.answer };
        let sent = over_tcp.to_bytes();
        prop_assert_eq!(tcp::Frame::parse(&sent), Ok(Some((over_tcp, sent.len()))));
    }

    #[test]
    fn only_the_answer_to_a_request_is_accepted(
        bytes in frame_bytes(),
        unit: u8,
        start: u16,
        count in 1..=125u16,
        value: u16,
    ) {
        let (frame, _) = Frame::parse(&bytes).unwrap().unwrap();
        let unit = UnitId(unit);
        let read = Request::read(unit, start, count).unwrap();
        let write = Request::write(unit, start, value);
        for request in [read, write] {
            let accepted = request.accepts(frame.unit, &frame.answer);
            let function = if request.is_write() { 6 } else { 3 };
            let wanted = frame.unit == unit && match frame.answer {
                Answer::Registers(words) => function == 3 && words.len() == usize::from(count),
                Answer::Written { function: got, at, what } => {
                    function == 6 && got == 6 && (at, what) == (start, value)
                }
                Answer::Exception { function: got, .. } => got == function,
                _ => false,
            };
            prop_assert_eq!(accepted, wanted);
        }
    }

    #[test]
    fn chunk_borders_mean_nothing(stream in stream(), cuts in vec(any::<Index>(), 0..30)) {
        let chunks = cut(&stream, &cuts);
        // Lines of the module are recognized as whole chunks.
        prop_assume!(!chunks.iter().any(|chunk| is_module_line(chunk)));
        prop_assume!(!is_module_line(&stream));
        prop_assert_eq!(assemble(&chunks), assemble(&[&stream]));
    }

    #[test]
    fn every_byte_is_in_an_answer_or_rejected(stream in stream()) {
        prop_assume!(!is_module_line(&stream));
        let (frames, counters) = assemble(&[&stream]);
        let framed: usize = frames.iter().map(Vec::len).sum();
        prop_assert_eq!(framed as u64 + counters.rejected_bytes, stream.len() as u64);
        prop_assert_eq!(counters.frames, frames.len() as u64);
    }

    /// The checksum finds every error within 16 bits; an answer whose length was
    /// damaged is another matter only by chance.
    #[test]
    fn one_damaged_byte_is_never_accepted(
        frame in frame_bytes(),
        position: Index,
        damage in 1..=255u8,
    ) {
        let mut damaged = frame.clone();
        damaged[position.index(frame.len())] ^= damage;
        if let Ok(Some((_, used))) = Frame::parse(&damaged) {
            prop_assert_ne!(used, frame.len());
        }
    }

    #[test]
    fn session_frames_round_trip(
        key: [u8; 32],
        seed_bytes: [u8; 4],
        plain in vec(any::<u8>(), 1..300),
    ) {
        let frame = cipher(key).seal(&plain, &mut seed(seed_bytes)).unwrap();
        prop_assert_eq!(frame.len(), 6 + plain.len().next_multiple_of(16));
        prop_assert_eq!(cipher(key).open(&frame), Some(plain));
        prop_assert_eq!(cipher(key).open(&frame[..frame.len() - 1]), None);
    }

    #[test]
    fn any_bytes_open_or_do_not(key: [u8; 32], frame in vec(any::<u8>(), 0..100)) {
        if let Some(plain) = cipher(key).open(&frame) {
            prop_assert!(plain.len() + 6 <= frame.len());
        }
        let _ = Kex::parse(&frame);
    }

    /// Before the first challenge nothing but a challenge is answered.
    #[test]
    fn a_link_answers_challenges_only(
        junk in vec(any::<u8>(), 0..60),
        challenge: [u8; 4],
        cuts in vec(any::<Index>(), 0..10),
    ) {
        let sum = 5 + challenge.iter().map(|&byte| u16::from(byte)).sum::<u16>();
        let message = [&[0x2A, 0x2A, 1, 4], &challenge[..], &sum.to_be_bytes()].concat();
        let none = |_: &mut [u8]| Err(NoEntropy);
        let mut link = SecureLink::new(None, Box::new(none));
        link.push(&junk);
        while let Some(event) = link.next_event() {
            prop_assert!(matches!(event, LinkEvent::Challenged(_)), "{:?}", event);
        }
        link.reset();
        let mut responses = 0;
        for chunk in cut(&message, &cuts) {
            link.push(chunk);
            while let Some(event) = link.next_event() {
                prop_assert!(matches!(&event, LinkEvent::Challenged(bytes) if bytes.len() == 10));
                responses += 1;
            }
        }
        prop_assert_eq!(responses, 1);
    }
}
