-- Times are UTC. Lists, maps and flags are JSON. The columns of the wide tables
-- are the catalogue's keys.
--
-- Each statement may run twice, or on two nodes of a cluster at once: a gateway
-- that is killed while it migrates, or a second one that starts meanwhile, must
-- do no harm. Every table has a primary key that its writer knows beforehand,
-- so that many gateways and several nodes never wait for, nor collide over, a
-- counter.

-- One row per gateway that writes here. `taken` is the number of its last
-- journal entry that is in the tables below: it changes in the transaction
-- that inserts the rows.
CREATE TABLE IF NOT EXISTS gateway (
    id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    taken BIGINT NOT NULL,
    behind BIGINT NOT NULL,
    first_contact DATETIME(3) NOT NULL,
    last_contact DATETIME(3) NOT NULL,
    last_error TEXT,
    last_error_at DATETIME(3)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS device (
    id VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    vendor TEXT NOT NULL,
    model TEXT,
    name TEXT NOT NULL,
    serial TEXT,
    address TEXT,
    hardware_version TEXT,
    software_version TEXT,
    first_seen DATETIME(3) NOT NULL,
    last_seen DATETIME(3) NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS battery (
    gateway VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    device VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    measured_at DATETIME(3) NOT NULL,
    fetched_at DATETIME(3) NOT NULL,
    soc_percent DOUBLE,
    soh_percent DOUBLE,
    pack_voltage_v DOUBLE,
    current_a DOUBLE,
    power_w DOUBLE,
    remaining_capacity_ah DOUBLE,
    nominal_capacity_ah DOUBLE,
    stored_energy_kwh DOUBLE,
    energy_in_kwh DOUBLE,
    energy_out_kwh DOUBLE,
    cycles BIGINT,
    cell_voltages_v JSON,
    cell_min_v DOUBLE,
    cell_max_v DOUBLE,
    cell_delta_v DOUBLE,
    temperatures_c JSON,
    mosfet_temperature_c DOUBLE,
    charge_mosfet_on BOOLEAN,
    discharge_mosfet_on BOOLEAN,
    balancing JSON,
    protection JSON,
    time_to_empty_s BIGINT,
    time_to_full_s BIGINT,
    protection_counts JSON,
    software_version TEXT,
    production_date TEXT,
    rssi_dbm DOUBLE,
    extra JSON,
    PRIMARY KEY (gateway, number),
    INDEX battery_device (device, measured_at, fetched_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS power_station (
    gateway VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    device VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    measured_at DATETIME(3) NOT NULL,
    fetched_at DATETIME(3) NOT NULL,
    soc_percent DOUBLE,
    ac_input_power_w DOUBLE,
    dc_input_power_w DOUBLE,
    ac_output_power_w DOUBLE,
    dc_output_power_w DOUBLE,
    ac_output_on BOOLEAN,
    dc_output_on BOOLEAN,
    grid_charge_on BOOLEAN,
    battery_voltage_v DOUBLE,
    battery_current_a DOUBLE,
    ac_input_voltage_v DOUBLE,
    ac_input_frequency_hz DOUBLE,
    ac_output_voltage_v DOUBLE,
    ac_output_frequency_hz DOUBLE,
    pv_voltage_v JSON,
    pv_power_w JSON,
    generation_kwh DOUBLE,
    ups_mode TEXT,
    charging_mode TEXT,
    battery_range_start_percent DOUBLE,
    battery_range_end_percent DOUBLE,
    auto_sleep_mode TEXT,
    packs JSON,
    time_to_empty_s BIGINT,
    time_to_full_s BIGINT,
    alarms JSON,
    arm_version TEXT,
    dsp_version TEXT,
    rssi_dbm DOUBLE,
    extra JSON,
    PRIMARY KEY (gateway, number),
    INDEX power_station_device (device, measured_at, fetched_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS vehicle (
    gateway VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    device VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    measured_at DATETIME(3) NOT NULL,
    fetched_at DATETIME(3) NOT NULL,
    soc_percent DOUBLE,
    soc_kwh DOUBLE,
    battery_capacity_kwh DOUBLE,
    range_km DOUBLE,
    total_range_km DOUBLE,
    fuel_percent DOUBLE,
    fuel_range_km DOUBLE,
    odometer_km DOUBLE,
    plugged_in BOOLEAN,
    charging_state TEXT,
    charging_power_w DOUBLE,
    charging_voltage_v DOUBLE,
    charging_current_a DOUBLE,
    charge_kind TEXT,
    target_soc_percent DOUBLE,
    charge_current_limit TEXT,
    time_to_full_s BIGINT,
    charging_ends_at DATETIME(3),
    energy_charged_kwh DOUBLE,
    latitude DOUBLE,
    longitude DOUBLE,
    altitude_m DOUBLE,
    heading_deg DOUBLE,
    speed_kmh DOUBLE,
    moving BOOLEAN,
    running BOOLEAN,
    locked BOOLEAN,
    doors_open JSON,
    windows_open JSON,
    tyre_pressure_bar JSON,
    interior_temperature_c DOUBLE,
    exterior_temperature_c DOUBLE,
    climate_active BOOLEAN,
    battery_heating BOOLEAN,
    aux_battery_voltage_v DOUBLE,
    last_activity_at DATETIME(3),
    extra JSON,
    PRIMARY KEY (gateway, number),
    INDEX vehicle_device (device, measured_at, fetched_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Readings that the tables above refused, whole and with the reason.
CREATE TABLE IF NOT EXISTS set_aside (
    gateway VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    device TEXT NOT NULL,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason TEXT NOT NULL,
    reading LONGTEXT NOT NULL,
    set_aside_at DATETIME(3) NOT NULL,
    PRIMARY KEY (gateway, number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW latest_battery AS
SELECT device.name, TIMESTAMPDIFF(SECOND, reading.measured_at, UTC_TIMESTAMP(3)) AS age_s, reading.*
FROM device JOIN battery AS reading
    ON reading.gateway = (SELECT other.gateway FROM battery AS other WHERE other.device = device.id
        ORDER BY other.measured_at DESC, other.fetched_at DESC, other.gateway DESC, other.number DESC LIMIT 1)
    AND reading.number = (SELECT other.number FROM battery AS other WHERE other.device = device.id
        ORDER BY other.measured_at DESC, other.fetched_at DESC, other.gateway DESC, other.number DESC LIMIT 1)
WHERE device.kind = 'battery';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW latest_power_station AS
SELECT device.name, TIMESTAMPDIFF(SECOND, reading.measured_at, UTC_TIMESTAMP(3)) AS age_s, reading.*
FROM device JOIN power_station AS reading
    ON reading.gateway = (SELECT other.gateway FROM power_station AS other WHERE other.device = device.id
        ORDER BY other.measured_at DESC, other.fetched_at DESC, other.gateway DESC, other.number DESC LIMIT 1)
    AND reading.number = (SELECT other.number FROM power_station AS other WHERE other.device = device.id
        ORDER BY other.measured_at DESC, other.fetched_at DESC, other.gateway DESC, other.number DESC LIMIT 1)
WHERE device.kind = 'power_station';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW latest_vehicle AS
SELECT device.name, TIMESTAMPDIFF(SECOND, reading.measured_at, UTC_TIMESTAMP(3)) AS age_s, reading.*
FROM device JOIN vehicle AS reading
    ON reading.gateway = (SELECT other.gateway FROM vehicle AS other WHERE other.device = device.id
        ORDER BY other.measured_at DESC, other.fetched_at DESC, other.gateway DESC, other.number DESC LIMIT 1)
    AND reading.number = (SELECT other.number FROM vehicle AS other WHERE other.device = device.id
        ORDER BY other.measured_at DESC, other.fetched_at DESC, other.gateway DESC, other.number DESC LIMIT 1)
WHERE device.kind = 'vehicle';

-- Gateways and devices in plain words. A gateway gives a sign of life every
-- minute; a car may be asked once an hour only.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW health AS
SELECT kind, id, name, last_seen, silent_s, set_aside,
    CASE
        WHEN silent_s >= late_s THEN CONCAT('silent for ', CASE
            WHEN silent_s < 7200 THEN CONCAT(silent_s DIV 60, ' min')
            WHEN silent_s < 172800 THEN CONCAT(silent_s DIV 3600, ' h')
            ELSE CONCAT(silent_s DIV 86400, ' d') END)
        WHEN behind >= 1000 THEN CONCAT('catching up, ', behind, ' readings behind')
        WHEN set_aside = 1 THEN 'reporting, 1 reading set aside'
        WHEN set_aside > 1 THEN CONCAT('reporting, ', set_aside, ' readings set aside')
        ELSE 'reporting'
    END AS state,
    last_error, last_error_at
FROM (
    SELECT 'gateway' AS kind, id, name, last_contact AS last_seen,
        TIMESTAMPDIFF(SECOND, last_contact, UTC_TIMESTAMP(3)) AS silent_s, 180 AS late_s, behind,
        (SELECT COUNT(*) FROM set_aside WHERE set_aside.gateway = gateway.id) AS set_aside,
        last_error, last_error_at
    FROM gateway
    UNION ALL
    SELECT kind, id, name, last_seen,
        TIMESTAMPDIFF(SECOND, last_seen, UTC_TIMESTAMP(3)), 3900, 0,
        (SELECT COUNT(*) FROM set_aside WHERE set_aside.device = device.id),
        NULL, NULL
    FROM device
) AS everything;
