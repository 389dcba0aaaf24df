use jbd_bms::ErrorCounts;

use crate::event::Values;
use crate::metric::battery;
use crate::native::JbdPack;
use crate::value::Value;

/// What a pack said, by metric.
pub(super) fn values(
    pack: &JbdPack,
    counts: Option<&ErrorCounts>,
    rssi_dbm: Option<i16>,
) -> Values {
    let JbdPack { info, cells } = pack;
    let milli = |number: u32| Value::from(f64::from(number) / 1000.0);
    let mut values = Values::default();
    values.set(
        &battery::SOC_PERCENT,
        Value::from(f64::from(info.soc_percent_clamped())),
    );
    // Boards without a learned capacity repeat the nominal one.
    let learned = info
        .full_charge_capacity_mah
        .filter(|full| *full > 0 && *full != info.nominal_capacity_mah);
    values.set(
        &battery::SOH_PERCENT,
        learned.map(|full| {
            Value::from(f64::from(full) / f64::from(info.nominal_capacity_mah.max(1)) * 100.0)
        }),
    );
    values.set(&battery::PACK_VOLTAGE_V, milli(info.pack_voltage_mv));
    values.set(
        &battery::CURRENT_A,
        Value::from(f64::from(info.current_ma) / 1000.0),
    );
    values.set(
        &battery::REMAINING_CAPACITY_AH,
        milli(info.remaining_capacity_mah),
    );
    values.set(
        &battery::NOMINAL_CAPACITY_AH,
        milli(info.nominal_capacity_mah),
    );
    values.set(&battery::CYCLES, Value::from(i64::from(info.cycles)));
    let count = cells.cell_voltages_mv.len();
    values.set(
        &battery::CELL_VOLTAGES_V,
        cells
            .cell_voltages_mv
            .iter()
            .map(|mv| Some(f64::from(*mv) / 1000.0))
            .collect::<Value>(),
    );
    values.set(
        &battery::BALANCING,
        (1..=count)
            .map(|cell| Some(info.balancing.iter().any(|bled| usize::from(bled) == cell)))
            .collect::<Value>(),
    );
    values.set(
        &battery::TEMPERATURES_C,
        info.temperatures_deci_c
            .iter()
            .map(|deci| deci.map(|deci| f64::from(deci) / 10.0))
            .collect::<Value>(),
    );
    values.set(
        &battery::CHARGE_MOSFET_ON,
        Value::from(info.mosfets.charge_on()),
    );
    values.set(
        &battery::DISCHARGE_MOSFET_ON,
        Value::from(info.mosfets.discharge_on()),
    );
    let protection = info.protection.iter().map(|flag| flag.to_string());
    values.set(&battery::PROTECTION, Value::Flags(protection.collect()));
    values.set(
        &battery::PROTECTION_COUNTS,
        counts.map(|counts| {
            let count = |(flag, count): (jbd_bms::Protection, u16)| {
                (flag.to_string(), Value::from(i64::from(count)))
            };
            Value::Map(counts.iter().map(count).collect())
        }),
    );
    values.set(
        &battery::SOFTWARE_VERSION,
        Value::from(info.software_version.to_string()),
    );
    values.set(
        &battery::PRODUCTION_DATE,
        info.production_date
            .map(|date| Value::from(date.to_string())),
    );
    values.set(
        &battery::RSSI_DBM,
        rssi_dbm.map(|rssi| Value::from(f64::from(rssi))),
    );
    values
}

#[cfg(test)]
mod tests {
    use jbd_bms::{BasicInfo, CellVoltages, UnitScale};

    use super::*;

    fn json(values: &Values, metric: &'static crate::metric::Metric) -> String {
        serde_json::to_string(&values.get(metric)).unwrap()
    }

    /// A published sample: 4 cells, discharging, one probe missing in frame.
    #[test]
    fn every_field_has_its_metric_unit_and_sign() {
        let basic = [
            0x05, 0x33, 0xfb, 0x2e, 0xa8, 0xca, 0xe2, 0x90, 0x00, 0x25, 0x2d, 0x2e, 0x00, 0x02,
            0x00, 0x00, 0x04, 0x01, 0x22, 0x4b, 0x03, 0x04, 0x02, 0x0b, 0x63, 0x00, 0x00,
        ];
        let info = BasicInfo::decode(&basic, UnitScale::Auto).unwrap();
        let cells =
            CellVoltages::decode(&[0x0c, 0xff, 0x0d, 0x01, 0x0c, 0xfe, 0x0d, 0x00]).unwrap();
        let values = values(&JbdPack { info, cells }, None, Some(-60));

        assert_eq!(values.number(&battery::PACK_VOLTAGE_V), Some(13.31));
        assert_eq!(values.number(&battery::CURRENT_A), Some(-12.34));
        assert_eq!(values.number(&battery::REMAINING_CAPACITY_AH), Some(432.1));
        assert_eq!(values.number(&battery::NOMINAL_CAPACITY_AH), Some(580.0));
        assert_eq!(values.number(&battery::SOC_PERCENT), Some(75.0));
        assert_eq!(values.number(&battery::CYCLES), Some(37.0));
        assert_eq!(values.number(&battery::RSSI_DBM), Some(-60.0));
        assert_eq!(
            json(&values, &battery::CELL_VOLTAGES_V),
            "[3.327,3.329,3.326,3.328]"
        );
        assert_eq!(json(&values, &battery::TEMPERATURES_C), "[18.4,null]");
        assert_eq!(
            json(&values, &battery::BALANCING),
            "[false,true,false,false]"
        );
        assert_eq!(
            json(&values, &battery::PROTECTION),
            r#"["cell_overvoltage","short_circuit"]"#
        );
        assert_eq!(json(&values, &battery::CHARGE_MOSFET_ON), "true");
        assert_eq!(json(&values, &battery::SOFTWARE_VERSION), r#""2.2""#);
        assert_eq!(json(&values, &battery::PRODUCTION_DATE), r#""2022-09-14""#);
        for (metric, value) in values.iter() {
            assert_eq!(
                metric.plausible(value).as_ref(),
                Some(value),
                "{}",
                metric.key
            );
        }
    }
}
