//! Notification chunks from text: one per line, in hexadecimal.

use std::io::{self, BufRead, Read as _};

/// Longer lines are no notification, whatever the link: those end at 512 bytes.
const LINE_MAX: usize = 64 * 1024;

/// Reads chunks line by line. Blank lines and what follows a `#` are passed
/// over, white space may stand anywhere.
#[derive(Debug)]
pub struct Chunks<R> {
    input: R,
    number: u64,
    line: Vec<u8>,
    chunk: Vec<u8>,
}

/// Why a line is no chunk.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// A character that should not be there.
    #[error("line {line}, column {column}: `{found}` is no hexadecimal digit")]
    NoDigit {
        /// The line, counted from 1.
        line: u64,
        /// The character in the line, counted from 1.
        column: usize,
        /// The character, escaped if it cannot be shown.
        found: String,
    },
    /// Half a byte.
    #[error("line {line}: {digits} hexadecimal digits make no whole bytes")]
    HalfByte {
        /// The line, counted from 1.
        line: u64,
        /// How many digits there are.
        digits: usize,
    },
    /// A line beyond all measure.
    #[error("line {line}: longer than {LINE_MAX} bytes")]
    TooLong {
        /// The line, counted from 1.
        line: u64,
    },
    /// The input cannot be read.
    #[error("line {line}: cannot be read: {error}")]
    Read {
        /// The line, counted from 1.
        line: u64,
        /// What the system says.
        error: io::Error,
    },
}

impl<R: BufRead> Chunks<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            line: Vec::new(),
            chunk: Vec::new(),
        }
    }

    /// The next chunk, or `None` at the end of the input.
    ///
    /// # Errors
    /// If a line is neither a chunk nor a comment.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, ChunkError> {
        loop {
            self.number += 1;
            if !self.read_line()? {
                return Ok(None);
            }
            self.parse()?;
            if !self.chunk.is_empty() {
                return Ok(Some(&self.chunk));
            }
        }
    }

    /// Reads a line up to its comment; `false` at the end of the input.
    fn read_line(&mut self) -> Result<bool, ChunkError> {
        let line = self.number;
        let failed = |error| ChunkError::Read { line, error };
        self.line.clear();
        let mut limited = self.input.by_ref().take(LINE_MAX as u64 + 1);
        let len = limited.read_until(b'\n', &mut self.line).map_err(failed)?;
        let whole = len <= LINE_MAX || self.line.ends_with(b"\n");
        let comment = self.line.iter().position(|&byte| byte == b'#');
        match comment {
            Some(at) => self.line.truncate(at),
            None if !whole => return Err(ChunkError::TooLong { line }),
            None => {}
        }
        if !whole {
            self.input.skip_until(b'\n').map_err(failed)?;
        }
        Ok(len > 0)
    }

    fn parse(&mut self) -> Result<(), ChunkError> {
        self.chunk.clear();
        let mut digits = 0;
        let mut high = 0;
        for (at, &byte) in self.line.iter().enumerate() {
            if byte.is_ascii_whitespace() {
                continue;
            }
            let digit = hex_digit(byte).ok_or_else(|| self.no_digit(at))?;
            match digits % 2 {
                0 => high = digit << 4,
                _ => self.chunk.push(high | digit),
            }
            digits += 1;
        }
        if digits % 2 == 1 {
            return Err(ChunkError::HalfByte {
                line: self.number,
                digits,
            });
        }
        Ok(())
    }

    fn no_digit(&self, at: usize) -> ChunkError {
        let (before, from) = self.line.split_at(at);
        let found = String::from_utf8_lossy(from);
        ChunkError::NoDigit {
            line: self.number,
            column: String::from_utf8_lossy(before).chars().count() + 1,
            found: found.chars().take(1).flat_map(char::escape_debug).collect(),
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, String> {
        let mut input = Chunks::new(text.as_ref());
        let mut all = Vec::new();
        while let Some(chunk) = input.next_chunk().map_err(|error| error.to_string())? {
            all.push(chunk.to_vec());
        }
        Ok(all)
    }

    #[test]
    fn lines_become_chunks() {
        let text = "# a comment\r\n\r\n  dD 03\t0 0\r\n77 # the end\n \n01";
        assert_eq!(
            chunks(text).unwrap(),
            [vec![0xDD, 3, 0], vec![0x77], vec![1]]
        );
        assert_eq!(chunks("").unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, message) in [
            ("00\n0g", "line 2, column 2: `g` is no hexadecimal digit"),
            ("é", "line 1, column 1: `é` is no hexadecimal digit"),
            ("0x00", "line 1, column 2: `x` is no hexadecimal digit"),
            (
                "\u{7}",
                "line 1, column 1: `\\u{7}` is no hexadecimal digit",
            ),
            (
                "#\n\nd d 0",
                "line 3: 3 hexadecimal digits make no whole bytes",
            ),
        ] {
            assert_eq!(chunks(text).unwrap_err(), message);
        }
        assert!(
            chunks(b"00\xFF")
                .unwrap_err()
                .starts_with("line 1, column 3")
        );
    }

    #[test]
    fn an_endless_line_ends_somewhere_unless_it_is_a_comment() {
        let digits = "0".repeat(LINE_MAX + 2);
        assert_eq!(
            chunks(&digits).unwrap_err(),
            "line 1: longer than 65536 bytes"
        );
        let comment = format!("#{digits}\n00");
        assert_eq!(chunks(comment).unwrap(), [[0]]);
        let longest = &digits[..LINE_MAX];
        assert_eq!(chunks(format!("{longest}\n00")).unwrap().len(), 2);
    }
}
