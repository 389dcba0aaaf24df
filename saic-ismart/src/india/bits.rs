//! Bits as ASN.1 PER unaligned packs them, and the kinds of fields that this
//! protocol has. Reading is total: any bytes give a value or a [`CodecError`].

use std::marker::PhantomData;

/// Why bytes cannot be read, or a message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The frame does not begin like one, or is no hexadecimal text.
    #[error("no frame of this protocol")]
    NoFrame,
    /// The message ends too early.
    #[error("the message is cut off")]
    CutOff,
    /// A field holds, or shall hold, what it cannot.
    #[error("a field is out of its range")]
    Range,
}

/// Reads from the most significant bit of the first byte on.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bits(&mut self, count: u32) -> Result<u64, CodecError> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(CodecError::CutOff)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    pub(super) fn flag(&mut self) -> Result<bool, CodecError> {
        Ok(self.bits(1)? == 1)
    }

    /// A number between `low` and `high`, in as many bits as their distance needs.
    fn range(&mut self, low: i64, high: i64) -> Result<i64, CodecError> {
        let distance = high.abs_diff(low);
        let offset = self.bits(width(distance))?;
        if offset > distance {
            return Err(CodecError::Range);
        }
        low.checked_add_unsigned(offset).ok_or(CodecError::Range)
    }

    fn length(&mut self, low: usize, high: usize) -> Result<usize, CodecError> {
        let bound = |length| i64::try_from(length).map_err(|_| CodecError::Range);
        let length = self.range(bound(low)?, bound(high)?)?;
        usize::try_from(length).map_err(|_| CodecError::Range)
    }
}

/// Writes from the most significant bit of the first byte on; the last byte is
/// filled up with zeros.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    free: u32,
}

impl BitWriter {
    pub(super) fn bits(&mut self, value: u64, count: u32) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.free;
            }
        }
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.bits(flag.into(), 1);
    }

    fn range(&mut self, value: i64, low: i64, high: i64) -> Result<(), CodecError> {
        if !(low..=high).contains(&value) {
            return Err(CodecError::Range);
        }
        self.bits(value.abs_diff(low), width(high.abs_diff(low)));
        Ok(())
    }

    fn length(&mut self, length: usize, low: usize, high: usize) -> Result<(), CodecError> {
        if !(low..=high).contains(&length) {
            return Err(CodecError::Range);
        }
        let distance = u64::try_from(high - low).map_err(|_| CodecError::Range)?;
        self.bits((length - low) as u64, width(distance));
        Ok(())
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

const fn width(distance: u64) -> u32 {
    u64::BITS - distance.leading_zeros()
}

/// How one field of a sequence is packed.
pub(super) trait Kind {
    type Value: Default;
    /// A bit in front of the sequence tells whether the field is there.
    const OPTIONAL: bool = false;

    fn is_present(_: &Self::Value) -> bool {
        true
    }

    fn read(bits: &mut BitReader<'_>) -> Result<Self::Value, CodecError>;

    fn write(value: &Self::Value, bits: &mut BitWriter) -> Result<(), CodecError>;
}

/// A sequence of fields, the presence bits of the optional ones in front.
pub(super) trait Sequence: Sized {
    fn read(bits: &mut BitReader<'_>) -> Result<Self, CodecError>;

    fn write(&self, bits: &mut BitWriter) -> Result<(), CodecError>;

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(&mut BitReader::new(bytes))
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let mut bits = BitWriter::default();
        self.write(&mut bits)?;
        Ok(bits.into_bytes())
    }
}

/// A field that may be missing.
pub(super) struct Maybe<K>(PhantomData<K>);

impl<K: Kind> Kind for Maybe<K> {
    type Value = Option<K::Value>;
    const OPTIONAL: bool = true;

    fn is_present(value: &Self::Value) -> bool {
        value.is_some()
    }

    fn read(bits: &mut BitReader<'_>) -> Result<Self::Value, CodecError> {
        K::read(bits).map(Some)
    }

    fn write(value: &Self::Value, bits: &mut BitWriter) -> Result<(), CodecError> {
        value.as_ref().map_or(Ok(()), |value| K::write(value, bits))
    }
}

pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;

    fn read(bits: &mut BitReader<'_>) -> Result<bool, CodecError> {
        bits.flag()
    }

    fn write(value: &bool, bits: &mut BitWriter) -> Result<(), CodecError> {
        bits.flag(*value);
        Ok(())
    }
}

/// A whole number between two bounds.
pub(super) struct Int<T, const LOW: i64, const HIGH: i64>(PhantomData<T>);

impl<T, const LOW: i64, const HIGH: i64> Kind for Int<T, LOW, HIGH>
where
    T: TryFrom<i64> + TryInto<i64> + Copy + Default,
{
    type Value = T;

    fn read(bits: &mut BitReader<'_>) -> Result<T, CodecError> {
        T::try_from(bits.range(LOW, HIGH)?).map_err(|_| CodecError::Range)
    }

    fn write(value: &T, bits: &mut BitWriter) -> Result<(), CodecError> {
        let value = (*value).try_into().map_err(|_| CodecError::Range)?;
        bits.range(value, LOW, HIGH)
    }
}

pub(super) type I8 = Int<u8, 0, 255>;
pub(super) type I16 = Int<u16, 0, 65_535>;
pub(super) type I31 = Int<u32, 0, 2_147_483_647>;

/// Text of 7 bits a character.
pub(super) struct Ia5<const SHORTEST: usize, const LONGEST: usize>;

impl<const SHORTEST: usize, const LONGEST: usize> Kind for Ia5<SHORTEST, LONGEST> {
    type Value = String;

    fn read(bits: &mut BitReader<'_>) -> Result<String, CodecError> {
        let length = bits.length(SHORTEST, LONGEST)?;
        let character = |_| Ok(char::from(bits.bits(7)? as u8));
        (0..length).map(character).collect()
    }

    fn write(value: &String, bits: &mut BitWriter) -> Result<(), CodecError> {
        if !value.is_ascii() {
            return Err(CodecError::Range);
        }
        bits.length(value.len(), SHORTEST, LONGEST)?;
        value.bytes().for_each(|byte| bits.bits(byte.into(), 7));
        Ok(())
    }
}

/// Digits and spaces, 4 bits a character.
pub(super) struct Digits<const LENGTH: usize>;

const DIGITS: &[u8; 11] = b" 0123456789";

impl<const LENGTH: usize> Kind for Digits<LENGTH> {
    type Value = String;

    fn read(bits: &mut BitReader<'_>) -> Result<String, CodecError> {
        let character = |_| {
            let place = bits.bits(4)? as usize;
            let digit = DIGITS.get(place).ok_or(CodecError::Range)?;
            Ok(char::from(*digit))
        };
        (0..LENGTH).map(character).collect()
    }

    fn write(value: &String, bits: &mut BitWriter) -> Result<(), CodecError> {
        bits.length(value.len(), LENGTH, LENGTH)?;
        for byte in value.bytes() {
            let place = DIGITS.iter().position(|digit| *digit == byte);
            bits.bits(place.ok_or(CodecError::Range)? as u64, 4);
        }
        Ok(())
    }
}

/// Bytes.
pub(super) struct Octets<const SHORTEST: usize, const LONGEST: usize>;

impl<const SHORTEST: usize, const LONGEST: usize> Kind for Octets<SHORTEST, LONGEST> {
    type Value = Vec<u8>;

    fn read(bits: &mut BitReader<'_>) -> Result<Vec<u8>, CodecError> {
        let length = bits.length(SHORTEST, LONGEST)?;
        (0..length).map(|_| Ok(bits.bits(8)? as u8)).collect()
    }

    fn write(value: &Vec<u8>, bits: &mut BitWriter) -> Result<(), CodecError> {
        bits.length(value.len(), SHORTEST, LONGEST)?;
        value.iter().for_each(|byte| bits.bits((*byte).into(), 8));
        Ok(())
    }
}

/// A sequence inside another.
pub(super) struct Nested<T>(PhantomData<T>);

impl<T: Sequence + Default> Kind for Nested<T> {
    type Value = T;

    fn read(bits: &mut BitReader<'_>) -> Result<T, CodecError> {
        T::read(bits)
    }

    fn write(value: &T, bits: &mut BitWriter) -> Result<(), CodecError> {
        value.write(bits)
    }
}

/// Several sequences of the same kind.
pub(super) struct List<T, const FEWEST: usize, const MOST: usize>(PhantomData<T>);

impl<T: Sequence, const FEWEST: usize, const MOST: usize> Kind for List<T, FEWEST, MOST> {
    type Value = Vec<T>;

    fn read(bits: &mut BitReader<'_>) -> Result<Vec<T>, CodecError> {
        let length = bits.length(FEWEST, MOST)?;
        (0..length).map(|_| T::read(bits)).collect()
    }

    fn write(value: &Vec<T>, bits: &mut BitWriter) -> Result<(), CodecError> {
        bits.length(value.len(), FEWEST, MOST)?;
        value.iter().try_for_each(|entry| entry.write(bits))
    }
}

/// Defines a sequence: its fields in the order of the wire, each with its kind.
macro_rules! sequence {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $kind:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::india::bits::Sequence for $name {
            fn read(
                bits: &mut $crate::india::bits::BitReader<'_>,
            ) -> Result<Self, $crate::india::CodecError> {
                use $crate::india::bits::Kind;
                $(let $field = if <$kind as Kind>::OPTIONAL { bits.flag()? } else { true };)*
                Ok(Self {
                    $($field: if $field {
                        <$kind as Kind>::read(bits)?
                    } else {
                        Default::default()
                    },)*
                })
            }

            fn write(
                &self,
                bits: &mut $crate::india::bits::BitWriter,
            ) -> Result<(), $crate::india::CodecError> {
                use $crate::india::bits::Kind;
                $(if <$kind as Kind>::OPTIONAL {
                    bits.flag(<$kind as Kind>::is_present(&self.$field));
                })*
                $(<$kind as Kind>::write(&self.$field, bits)?;)*
                Ok(())
            }
        }
    };
}
pub(super) use sequence;

/// Makes a message readable from bytes and writable to them, for everybody.
macro_rules! message {
    ($($name:ty),*) => {$(
        impl $name {
            /// Reads it from the application data of a frame. Bytes that follow are ignored.
            ///
            /// # Errors
            ///
            /// [`CodecError`], whatever the bytes are.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
                Sequence::from_bytes(bytes)
            }

            /// As the application data of a frame.
            ///
            /// # Errors
            ///
            /// [`CodecError::Range`] if a field holds what it cannot.
            pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
                Sequence::to_bytes(self)
            }
        }
    )*};
}
pub(super) use message;
