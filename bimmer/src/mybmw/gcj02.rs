use crate::types::Position;

const RADIUS: f64 = 6_378_245.0;
const FLATTENING: f64 = 1.0 / 298.3;
const CLOSE: f64 = 1e-6;

/// Converts a position of the shifted grid that maps of China use to WGS-84.
/// Positions elsewhere stay as they are.
#[must_use]
pub fn gcj02_to_wgs84(shifted: Position) -> Position {
    if !in_china(shifted) {
        return shifted;
    }
    let mut guess = shifted;
    for _ in 0..30 {
        let there = shift(guess);
        let (north, east) = (
            there.latitude - shifted.latitude,
            there.longitude - shifted.longitude,
        );
        guess.latitude -= north;
        guess.longitude -= east;
        if north.abs() < CLOSE && east.abs() < CLOSE {
            break;
        }
    }
    guess
}

fn in_china(position: Position) -> bool {
    (72.004..=137.8347).contains(&position.longitude)
        && (0.8293..=55.8271).contains(&position.latitude)
}

fn shift(position: Position) -> Position {
    use std::f64::consts::PI;
    let (x, y) = (position.longitude - 105.0, position.latitude - 35.0);
    let root = x.abs().sqrt();
    let wave = |value: f64, period: f64| (value * PI / period).sin();
    let ripple = 20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin();
    let mut north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root;
    north += ripple * 2.0 / 3.0;
    north += (20.0 * wave(y, 1.0) + 40.0 * wave(y, 3.0)) * 2.0 / 3.0;
    north += (160.0 * wave(y, 12.0) + 320.0 * wave(y, 30.0)) * 2.0 / 3.0;
    let mut east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root;
    east += ripple * 2.0 / 3.0;
    east += (20.0 * wave(x, 1.0) + 40.0 * wave(x, 3.0)) * 2.0 / 3.0;
    east += (150.0 * wave(x, 12.0) + 300.0 * wave(x, 30.0)) * 2.0 / 3.0;
    let radians = position.latitude.to_radians();
    let eccentricity = FLATTENING * (2.0 - FLATTENING);
    let magic = 1.0 - eccentricity * radians.sin().powi(2);
    let meridian = RADIUS * (1.0 - eccentricity) / magic.powf(1.5);
    let parallel = RADIUS / magic.sqrt() * radians.cos();
    Position {
        latitude: position.latitude + (north / meridian).to_degrees(),
        longitude: position.longitude + (east / parallel).to_degrees(),
    }
}
