//! Captured and published writes, byte by byte.

#[path = "support/vectors.rs"]
mod support;

use std::time::Duration;

use jbd_bms::frame::Request;
use jbd_bms::login::PasswordDigits;
use jbd_bms::parameters::{
    self, Calibration, Parameter, ParameterBlock, ParameterValue, Threshold,
};
use jbd_bms::{BalanceTest, Command, Function, Heating, MosfetSide, Status, UnitScale};
use support::{hex, only_frame, vectors};

#[test]
fn writes() {
    let vectors = vectors(include_str!("data/writes.json"));
    let ours = write_requests();
    assert_eq!(vectors.len(), ours.len());
    for (vector, request) in vectors.iter().zip(ours) {
        let name = vector["name"].as_str().unwrap();
        assert_eq!(request.bytes(), hex(&vector["hex"]), "{name}");
        assert!(request.is_write(), "{name}");
        let ack = hex(&vector["ack"]);
        let frame = only_frame(&ack);
        assert_eq!(
            (frame.register, frame.status),
            (request.register(), Status::Ok),
            "{name}"
        );
    }
    println!("writes: {0}/{0}", vectors.len());
}

fn write_requests() -> Vec<Request> {
    let mut requests = control_requests();
    requests.extend(parameter_requests());
    requests
}

fn control_requests() -> Vec<Request> {
    use Function::*;
    let mosfets = |charge_on, discharge_on| Command::Mosfets {
        charge_on,
        discharge_on,
    };
    let mosfet = |side, on| Command::Mosfet { side, on };
    let digits = |text| PasswordDigits::new(text).unwrap();
    let mut commands = vec![
        Command::EnterFactoryMode,
        Command::LeaveFactoryMode { save: false },
        Command::LeaveFactoryMode { save: true },
        mosfets(true, true),
        mosfets(false, true),
        mosfets(true, false),
        mosfets(false, false),
        Command::BalanceTest(BalanceTest::OddCells),
        Command::BalanceTest(BalanceTest::EvenCells),
        Command::BalanceTest(BalanceTest::CloseAll),
        Command::SetRemainingCapacity { mah: 50_000 },
    ];
    let functions = [
        ResetStateOfCharge,
        ClearProtectionHistory,
        Restart,
        ClearProtection,
        Sleep,
        PowerDown,
        AutomaticBalancing,
        StorageMode,
        TwentyPercentSwitch,
        ForceOnBelowTwentyPercent,
        ForceStart,
        ForceHeating,
    ];
    commands.extend(functions.map(Command::Function));
    commands.extend([
        mosfet(MosfetSide::Charge, false),
        mosfet(MosfetSide::Charge, true),
        mosfet(MosfetSide::Discharge, false),
        mosfet(MosfetSide::Both, false),
        Command::Heating(Heating {
            on: true,
            in_hours: 0,
            in_minutes: 0,
            start_c: 0,
            stop_c: 5,
        }),
        Command::PasswordLogin(digits("765828")),
        Command::PasswordLogin(digits("000000")),
        Command::PasswordChange {
            old: digits("765828"),
            new: digits("123456"),
        },
        Command::PasswordClear,
    ]);
    commands.iter().map(Command::request).collect()
}

fn parameter_requests() -> Vec<Request> {
    use Parameter::*;
    use ParameterValue::{Bits, Date, Number, Pair, Text};
    let short = Threshold {
        shunt_mv: 44,
        delay: Some(Duration::from_micros(200)),
    };
    let over = Threshold {
        shunt_mv: 22,
        delay: Some(Duration::from_millis(160)),
    };
    let limits = parameters::HardwareLimits::ti(true, short, over).unwrap();
    let delays = parameters::HardwareDelays::new(8, 4, 32).unwrap();
    let values = [
        (DesignCapacity, Number(580_000)),
        (CycleCapacity, Number(560_000)),
        (FullVoltage, Number(3500)),
        (ProductionDate, Date("2024-05-06".parse().unwrap())),
        (ChargeUndertemperature, Number(0)),
        (DischargeUndertemperature, Number(-200)),
        (PackOvervoltage, Number(14_600)),
        (CellOvervoltage, Number(3650)),
        (CellUndervoltage, Number(2500)),
        (ChargeOvercurrent, Number(100_000)),
        (DischargeOvercurrent, Number(-120_000)),
        (BalanceStart, Number(3400)),
        (BalanceWindow, Number(15)),
        (FunctionBits, Bits(2)),
        (FunctionBits, Bits(6)),
        (ProbeBits, Bits(7)),
        (CellCount, Number(4)),
        (CellVoltageDelays, Pair { high: 2, low: 3 }),
        (ChargeOvercurrentDelays, Pair { high: 5, low: 32 }),
        (
            Parameter::HardwareLimits,
            ParameterValue::HardwareLimits(limits),
        ),
        (
            Parameter::HardwareDelays,
            ParameterValue::HardwareDelays(delays),
        ),
        (Manufacturer, Text("DGJBD".into())),
        (DeviceName, Text("CABIN-580".into())),
    ];
    let mut requests: Vec<_> = values
        .iter()
        .map(|(parameter, value)| {
            let data = parameter.encode(value, UnitScale::Auto).unwrap();
            Request::write(parameter.register().unwrap(), &data).unwrap()
        })
        .collect();
    let calibrations = [
        Calibration::Cell { cell: 1, mv: 3312 },
        Calibration::Probe {
            probe: 1,
            deci_c: 250,
        },
        Calibration::IdleCurrent,
        Calibration::ChargeCurrent { ma: 10_000 },
        Calibration::DischargeCurrent { ma: 10_000 },
    ];
    requests.extend(calibrations.map(|calibration| calibration.request().unwrap()));
    requests.push(ParameterBlock::write(20, &[3650]).unwrap());
    requests
}
