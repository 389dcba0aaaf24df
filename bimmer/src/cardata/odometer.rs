/// Kilometres in a mile.
pub(super) const KM_PER_MILE: f64 = 1.609_344;

/// Largest plausible step back and forward between two readings, km.
const STEP_KM: (f64, f64) = (-1.0, 2000.0);
/// Two readings that differ by less confirm each other, km.
const SAME_KM: f64 = 1.0;

/// Keeps the odometer in kilometres. Cars in miles have been seen to report the
/// same reading as kilometres in the stream and as miles, without a unit, over
/// REST.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Odometer {
    km: Option<f64>,
    /// Whether [`km`](Self::km) came with a unit.
    certain: bool,
    /// A reading that fits nothing, in wait for a second one.
    doubtful: Option<f64>,
}

impl Odometer {
    /// The accepted reading, km.
    #[must_use]
    pub const fn km(&self) -> Option<f64> {
        self.km
    }

    /// Judges a reading. `None` if it is not believed for now.
    pub fn accept(&mut self, reading: f64, unit: Option<&str>) -> Option<f64> {
        if !reading.is_finite() || reading < 0.0 {
            return None;
        }
        let unit = unit.and_then(super::value::normal_unit);
        let (km, certain) = match unit.as_deref() {
            Some("km") => (reading, true),
            Some("mi") => (reading * KM_PER_MILE, true),
            _ => (reading, false),
        };
        let Some(last) = self.km else {
            return self.take(km, certain);
        };
        let fits = |km: f64| (STEP_KM.0..=STEP_KM.1).contains(&(km - last));
        if fits(km) {
            return self.take(km, certain || self.certain);
        }
        if certain && !self.certain {
            return self.take(km, true);
        }
        if !certain {
            let converted = [reading * KM_PER_MILE, reading / KM_PER_MILE];
            if let Some(km) = converted.into_iter().find(|km| fits(*km)) {
                return self.take(km, self.certain);
            }
        }
        if self
            .doubtful
            .is_some_and(|before| (before - km).abs() <= SAME_KM)
        {
            return self.take(km, certain);
        }
        self.doubtful = Some(km);
        None
    }

    fn take(&mut self, km: f64, certain: bool) -> Option<f64> {
        *self = Self {
            km: Some(km),
            certain,
            doubtful: None,
        };
        self.km
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn miles_over_rest_after_kilometres_over_the_stream() {
        let mut odometer = Odometer::default();
        assert_eq!(odometer.accept(20_000.0, Some("km")), Some(20_000.0));
        let km = odometer.accept(20_010.0 / KM_PER_MILE, None).unwrap();
        assert!((km - 20_010.0).abs() < 1e-6);
        assert_eq!(odometer.accept(20_011.0, Some("km")), Some(20_011.0));
    }

    #[test]
    fn the_stream_corrects_a_first_reading_without_unit() {
        let mut odometer = Odometer::default();
        assert_eq!(odometer.accept(12_427.0, None), Some(12_427.0));
        assert_eq!(odometer.accept(20_000.0, Some("km")), Some(20_000.0));
    }

    #[test]
    fn a_leap_needs_a_second_reading() {
        let mut odometer = Odometer::default();
        odometer.accept(1000.0, Some("km"));
        assert_eq!(odometer.accept(9000.0, Some("km")), None);
        assert_eq!(odometer.accept(9000.5, Some("km")), Some(9000.5));
        assert_eq!(odometer.accept(f64::NAN, None), None);
        assert_eq!(odometer.accept(-5.0, Some("km")), None);
    }
}
