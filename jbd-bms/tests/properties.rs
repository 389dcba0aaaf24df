//! What holds for any input.

use jbd_bms::assembler::{Assembler, Counters, ModuleFrame};
use jbd_bms::frame::Frame;
use jbd_bms::parameters::{Parameter, ParameterSet};
use jbd_bms::{Answer, BasicInfo, BasicInfoView, Status, UnitScale};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(0u8), 0x80..=0x8Fu8].prop_map(Status::from)
}

fn frame_bytes() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), status(), vec(any::<u8>(), 0..=255)).prop_map(|(register, status, data)| {
        let frame = Frame {
            register,
            status,
            data: &data,
            zero_checksum: false,
        };
        frame.to_bytes().unwrap()
    })
}

/// Frames with junk between them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![3 => frame_bytes(), 1 => vec(any::<u8>(), 0..40)];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn assemble<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Counters) {
    let mut assembler = Assembler::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        assembler.push(chunk);
        while let Some(frame) = assembler.next_frame() {
            frames.push(frame.to_bytes().unwrap());
        }
    }
    assembler.flush();
    (frames, assembler.counters())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn frames_round_trip(
        register: u8,
        status in status(),
        data in vec(any::<u8>(), 0..=255),
    ) {
        let frame = Frame { register, status, data: &data, zero_checksum: false };
        let bytes = frame.to_bytes().unwrap();
        prop_assert_eq!(Frame::parse(&bytes), Ok(Some((frame, bytes.len()))));
    }

    #[test]
    fn chunk_borders_mean_nothing(stream in stream(), cuts in vec(any::<Index>(), 0..30)) {
        let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        borders.extend([0, stream.len()]);
        borders.sort_unstable();
        let chunks = || borders.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        // Module frames do depend on borders: they are recognized as whole chunks.
        prop_assume!(chunks().all(|chunk| ModuleFrame::parse(chunk).is_none()));
        prop_assume!(ModuleFrame::parse(&stream).is_none());
        prop_assert_eq!(assemble(chunks()), assemble(std::iter::once(&stream[..])));
    }

    #[test]
    fn every_byte_is_in_a_frame_or_rejected(stream in stream()) {
        prop_assume!(ModuleFrame::parse(&stream).is_none());
        let (frames, counters) = assemble(std::iter::once(&stream[..]));
        let framed: usize = frames.iter().map(Vec::len).sum();
        prop_assert_eq!(framed as u64 + counters.rejected_bytes, stream.len() as u64);
        prop_assert_eq!(counters.frames, frames.len() as u64);
    }

    #[test]
    fn junk_without_a_start_mark_costs_no_frame(
        junk in vec(0..=0xDCu8, 0..50),
        frame in frame_bytes(),
    ) {
        let (frames, counters) = assemble([&junk[..], &frame[..]].into_iter());
        prop_assert_eq!(frames, [frame]);
        prop_assert_eq!(counters.rejected_bytes, junk.len() as u64);
    }

    /// The register byte is outside the checksum; matching it to the request is
    /// what protects it.
    #[test]
    fn one_damaged_byte_is_never_accepted(
        frame in frame_bytes(),
        position: Index,
        damage in 1..=255u8,
    ) {
        let position = position.index(frame.len());
        prop_assume!(position != 1);
        let mut damaged = frame.clone();
        damaged[position] ^= damage;
        // An acknowledgement carries checksum 0000 and so may have its status damaged
        // into a refusal that some firmware does send like this.
        let accepted = Frame::parse(&damaged).ok().flatten();
        prop_assert!(accepted.is_none_or(|(frame, _)| frame.zero_checksum && position == 2));
    }

    #[test]
    fn any_frame_decodes_or_says_why(bytes in frame_bytes(), register in 0..=0xFFu8) {
        let (mut frame, _) = Frame::parse(&bytes).unwrap().unwrap();
        frame.register = register;
        if let Ok(answer) = Answer::decode(&frame, UnitScale::Auto) {
            prop_assert_eq!(matches!(answer, Answer::Refused { .. }), !frame.status.is_ok());
        }
    }

    #[test]
    fn the_view_and_the_value_agree(data in vec(any::<u8>(), 0..=255)) {
        for scale in [UnitScale::Auto, UnitScale::TenMilliamp, UnitScale::HundredMilliamp] {
            let view = BasicInfoView::parse(&data, scale);
            prop_assert_eq!(view.is_ok(), data.len() >= 23);
            prop_assert_eq!(view.map(BasicInfo::from), BasicInfo::decode(&data, scale));
        }
    }

    #[test]
    fn parameter_sets_survive_text(
        values in vec((select(Parameter::ALL), any::<u16>(), "[ -~]{0,31}"), 0..20),
    ) {
        let set: ParameterSet = values
            .into_iter()
            .map(|(parameter, raw, text)| {
                let mut data = raw.to_be_bytes().to_vec();
                if parameter.words() > 1 {
                    data = [&[text.len() as u8], text.as_bytes()].concat();
                }
                let value = parameter.decode(&data, UnitScale::TenMilliamp).unwrap();
                let encoded = parameter.encode(&value, UnitScale::TenMilliamp);
                assert_eq!(encoded.unwrap(), data);
                (parameter, value)
            })
            .collect();
        prop_assert_eq!(set.to_string().parse(), Ok(set));
    }

    #[test]
    fn any_text_is_a_set_or_names_its_line(text in "[ -~\n]{0,200}") {
        let _ = text.parse::<ParameterSet>();
    }
}
