use core::fmt;

/// A number exactly as the device counts it: `raw` divided by 10 to the power of
/// `scale`.
///
/// ```
/// use bluetti_modbus::register::Decimal;
///
/// let volts = Decimal::new(2301, 1);
/// assert_eq!(volts.to_string(), "230.1");
/// assert_eq!(volts.to_f64(), 230.1);
/// assert_eq!(volts.in_scale(3), 230_100);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    raw: i64,
    scale: u8,
}

/// The largest scale; 10 to this power fits without overflow beside any register.
const SCALE_MAX: u8 = 8;

impl Decimal {
    /// `raw` divided by 10 to the power of `scale`, which is at most 8.
    #[must_use]
    pub const fn new(raw: i64, scale: u8) -> Self {
        let scale = if scale > SCALE_MAX { SCALE_MAX } else { scale };
        Self { raw, scale }
    }

    /// The count as the device sent it.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.raw
    }

    /// How many decimals the count has.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// As a float: the one nearest to the exact value.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    pub const fn to_f64(self) -> f64 {
        self.raw as f64 / power_of_ten(self.scale) as f64
    }

    /// The count of a unit with `scale` decimals, such as 3 for millivolts out of
    /// volts. Further decimals are cut off, the largest count is kept on overflow.
    #[must_use]
    pub const fn in_scale(self, scale: u8) -> i64 {
        if scale >= self.scale {
            self.raw.saturating_mul(power_of_ten(scale - self.scale))
        } else {
            self.raw / power_of_ten(self.scale - scale)
        }
    }
}

const fn power_of_ten(exponent: u8) -> i64 {
    10_i64.saturating_pow(exponent as u32)
}

impl From<Decimal> for f64 {
    fn from(decimal: Decimal) -> Self {
        decimal.to_f64()
    }
}

/// By value: 12.30 equals 12.3.
impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        let scale = self.scale.max(other.scale);
        self.in_scale(scale) == other.in_scale(scale)
    }
}

/// With all decimals of the scale.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.raw);
        }
        let sign = if self.raw < 0 { "-" } else { "" };
        let power = power_of_ten(self.scale).unsigned_abs();
        let whole = self.raw.unsigned_abs() / power;
        let rest = self.raw.unsigned_abs() % power;
        write!(
            f,
            "{sign}{whole}.{rest:0width$}",
            width = usize::from(self.scale)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn prints_sign_and_zeros() {
        assert_eq!(Decimal::new(-5, 1).to_string(), "-0.5");
        assert_eq!(Decimal::new(403_605, 2).to_string(), "4036.05");
        assert_eq!(Decimal::new(-20, 0).to_string(), "-20");
        assert_eq!(
            Decimal::new(i64::MIN, 2).to_string(),
            "-92233720368547758.08"
        );
    }

    #[test]
    fn equal_by_value() {
        assert_eq!(Decimal::new(123, 1), Decimal::new(1230, 2));
        assert_ne!(Decimal::new(123, 1), Decimal::new(123, 2));
        assert_eq!(Decimal::new(12_345, 3).in_scale(1), 123);
    }
}
