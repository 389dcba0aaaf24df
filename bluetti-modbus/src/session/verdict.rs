use super::Reply;
use super::outstanding::Outstanding;
use crate::modbus::{Answer, Frame, Request};

/// What an answer means to the one who waits.
pub(super) enum Verdict {
    /// It belongs to another request, or to none.
    Late {
        /// Which request a refusal belongs to does not show.
        is_refusal: bool,
    },
    /// It is the one.
    Reply(Reply),
    /// It names another value than was written.
    EchoDiffers,
}

/// Whether an answer is the one that is waited for. Its unit, function and length
/// decide: fences keep answers of the same shape to other requests away.
pub(super) fn judge(
    outstanding: &Outstanding,
    awaited: Option<&Request>,
    frame: &Frame<'_>,
) -> Verdict {
    let is_refusal = matches!(frame.answer, Answer::Exception { .. });
    let late = Verdict::Late { is_refusal };
    let (unit, answer) = (frame.unit, &frame.answer);
    let Some(awaited) = awaited.filter(|awaited| awaited.concerns(unit, answer)) else {
        return late;
    };
    match *answer {
        Answer::Exception { code, .. } => Verdict::Reply(Reply::Refused(code)),
        _ if awaited.accepts(unit, answer) => match *answer {
            Answer::Registers(words) => Verdict::Reply(Reply::Registers(words.to_vec())),
            _ => Verdict::Reply(Reply::Written),
        },
        _ if outstanding.has_other_write(awaited) => late,
        _ => Verdict::EchoDiffers,
    }
}
