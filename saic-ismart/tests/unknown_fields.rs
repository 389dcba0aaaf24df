//! With the feature `trace-unknown-fields`, what no model knows is reported.

use std::io;
use std::sync::{Arc, Mutex};

use saic_ismart::VehicleStatus;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn reported_with_their_path() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let json = r#"{"statusTime":1,"basicVehicleStatus":{"mileage":5,"newSensor":7}}"#;
        let status = VehicleStatus::from_json(json).unwrap();
        assert_eq!(status.basic.odometer_deci_km, Some(5));
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("unknown field").count(), 1, "{text}");
    assert!(text.contains("basicVehicleStatus.newSensor"), "{text}");
}
