//! Total big-endian access: whatever is outside the data is `None`.

pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let pair = data.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*pair))
}

pub(crate) fn words(data: &[u8]) -> impl ExactSizeIterator<Item = u16> + Clone + '_ {
    data.chunks_exact(2)
        .map(|pair| u16_at(pair, 0).unwrap_or_default())
}
