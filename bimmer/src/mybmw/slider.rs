/// The notch in the picture: colour, tolerance per channel, size.
const COLOUR: [u8; 3] = [220, 230, 221];
const TOLERANCE: u8 = 15;
const BLOCK: (usize, usize) = (15, 75);
/// Where the piece stands at the begin.
const PIECE: f64 = 26.0;

/// How far the piece of a sliding captcha has to be moved, as the server wants it:
/// a part of the picture's width with two decimals. `pixels` are red, green and
/// blue of one row after the other. `None` if there is no notch, or too few pixels.
#[must_use]
pub fn slider_position(width: usize, height: usize, pixels: &[[u8; 3]]) -> Option<String> {
    if pixels.len() < width.checked_mul(height)? {
        return None;
    }
    let fits = |pixel: &[u8; 3]| {
        let close = |(seen, wanted): (&u8, &u8)| seen.abs_diff(*wanted) <= TOLERANCE;
        pixel.iter().zip(&COLOUR).all(close)
    };
    // How many fitting pixels follow to the right, row by row from below, tells
    // in one pass how tall each column of full rows is.
    let mut tall = vec![0_usize; width];
    let mut found = None;
    for y in (0..height).rev() {
        let row = pixels.get(y * width..(y + 1) * width)?;
        let mut run = 0;
        for x in (0..width).rev() {
            run = row
                .get(x)
                .filter(|pixel| fits(pixel))
                .map_or(0, |_| run + 1);
            let column = tall.get_mut(x)?;
            *column = if run >= BLOCK.0 { *column + 1 } else { 0 };
            let inside = y + BLOCK.1 < height && x + BLOCK.0 < width;
            if inside && *column >= BLOCK.1 {
                found = Some(x);
            }
        }
    }
    let text = format!("{:.2}", (found? as f64 - PIECE) / width as f64);
    // The server writes 0.8 and 0.0, not 0.80 and 0.00.
    Some(
        text.strip_suffix('0')
            .map_or_else(|| text.clone(), str::to_owned),
    )
}

/// No picture of a login is nearly as large.
#[cfg(feature = "jpeg")]
const LARGEST: usize = 4096;

/// [`slider_position`] of a JPEG. `None` if it cannot be decoded or has no notch.
#[cfg(feature = "jpeg")]
pub(super) fn jpeg_position(picture: &[u8]) -> Option<String> {
    use zune_jpeg::JpegDecoder;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    use zune_jpeg::zune_core::options::DecoderOptions;

    let options = DecoderOptions::default()
        .set_max_width(LARGEST)
        .set_max_height(LARGEST)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(std::io::Cursor::new(picture), options);
    let bytes = decoder.decode().ok()?;
    let info = decoder.info()?;
    let (pixels, _) = bytes.as_chunks::<3>();
    slider_position(info.width.into(), info.height.into(), pixels)
}
