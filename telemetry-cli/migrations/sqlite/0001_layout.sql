-- Times are milliseconds since 1970 in UTC, booleans 0 and 1; lists, maps and
-- flags are JSON. The columns of the wide tables are the catalogue's keys.

-- One row: this gateway. Its id is part of every key, so that many gateways
-- can write to one database.
CREATE TABLE gateway (
    id TEXT NOT NULL PRIMARY KEY
) STRICT;

CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- How far each consumer has taken the journal.
CREATE TABLE cursor (
    consumer TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    vendor TEXT NOT NULL,
    model TEXT,
    name TEXT NOT NULL,
    serial TEXT,
    address TEXT,
    hardware_version TEXT,
    software_version TEXT,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE battery (
    gateway TEXT NOT NULL,
    number INTEGER NOT NULL,
    device TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    soc_percent REAL,
    soh_percent REAL,
    pack_voltage_v REAL,
    current_a REAL,
    power_w REAL,
    remaining_capacity_ah REAL,
    nominal_capacity_ah REAL,
    stored_energy_kwh REAL,
    energy_in_kwh REAL,
    energy_out_kwh REAL,
    cycles INTEGER,
    cell_voltages_v TEXT,
    cell_min_v REAL,
    cell_max_v REAL,
    cell_delta_v REAL,
    temperatures_c TEXT,
    mosfet_temperature_c REAL,
    charge_mosfet_on INTEGER,
    discharge_mosfet_on INTEGER,
    balancing TEXT,
    protection TEXT,
    time_to_empty_s INTEGER,
    time_to_full_s INTEGER,
    protection_counts TEXT,
    software_version TEXT,
    production_date TEXT,
    rssi_dbm REAL,
    extra TEXT,
    PRIMARY KEY (gateway, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX battery_device ON battery (device, measured_at);

CREATE TABLE power_station (
    gateway TEXT NOT NULL,
    number INTEGER NOT NULL,
    device TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    soc_percent REAL,
    ac_input_power_w REAL,
    dc_input_power_w REAL,
    ac_output_power_w REAL,
    dc_output_power_w REAL,
    ac_output_on INTEGER,
    dc_output_on INTEGER,
    grid_charge_on INTEGER,
    battery_voltage_v REAL,
    battery_current_a REAL,
    ac_input_voltage_v REAL,
    ac_input_frequency_hz REAL,
    ac_output_voltage_v REAL,
    ac_output_frequency_hz REAL,
    pv_voltage_v TEXT,
    pv_power_w TEXT,
    generation_kwh REAL,
    ups_mode TEXT,
    charging_mode TEXT,
    battery_range_start_percent REAL,
    battery_range_end_percent REAL,
    auto_sleep_mode TEXT,
    packs TEXT,
    time_to_empty_s INTEGER,
    time_to_full_s INTEGER,
    alarms TEXT,
    arm_version TEXT,
    dsp_version TEXT,
    rssi_dbm REAL,
    extra TEXT,
    PRIMARY KEY (gateway, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX power_station_device ON power_station (device, measured_at);

CREATE TABLE vehicle (
    gateway TEXT NOT NULL,
    number INTEGER NOT NULL,
    device TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    soc_percent REAL,
    soc_kwh REAL,
    battery_capacity_kwh REAL,
    range_km REAL,
    total_range_km REAL,
    fuel_percent REAL,
    fuel_range_km REAL,
    odometer_km REAL,
    plugged_in INTEGER,
    charging_state TEXT,
    charging_power_w REAL,
    charging_voltage_v REAL,
    charging_current_a REAL,
    charge_kind TEXT,
    target_soc_percent REAL,
    charge_current_limit TEXT,
    time_to_full_s INTEGER,
    charging_ends_at INTEGER,
    energy_charged_kwh REAL,
    latitude REAL,
    longitude REAL,
    altitude_m REAL,
    heading_deg REAL,
    speed_kmh REAL,
    moving INTEGER,
    running INTEGER,
    locked INTEGER,
    doors_open TEXT,
    windows_open TEXT,
    tyre_pressure_bar TEXT,
    interior_temperature_c REAL,
    exterior_temperature_c REAL,
    climate_active INTEGER,
    battery_heating INTEGER,
    aux_battery_voltage_v REAL,
    last_activity_at INTEGER,
    extra TEXT,
    PRIMARY KEY (gateway, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX vehicle_device ON vehicle (device, measured_at);

-- When each request that a daily budget limits was made.
CREATE TABLE request (
    budget TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (budget, at)
) STRICT, WITHOUT ROWID;
