//! Which wallboxes there are.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use super::super::charging_station::{self, ChargingStation};
use super::super::mapping;
use super::given::Given;
use crate::cli::SaicMqttGatewayArgs;
use crate::exit::{Code, Failure};

const STATIONS: &str = "./charging-stations.json";

impl Given<'_> {
    /// Entries of the file come before those of the map.
    pub(super) fn stations(
        &self,
        args: &SaicMqttGatewayArgs,
    ) -> Result<BTreeMap<String, ChargingStation>, Failure> {
        let map = self.text(&args.openwb_lp_map, "--openwb-lp-map", "OPENWB_LP_MAP");
        let map = map
            .map(|found| found.read(mapping::loading_points))
            .transpose()?;
        let mut stations: BTreeMap<_, _> = map
            .unwrap_or_default()
            .into_iter()
            .map(|(vin, number)| (vin.clone(), ChargingStation::loading_point(&number, vin)))
            .collect();
        let file = self.text(
            &args.charging_stations_json,
            "--charging-stations-json",
            "CHARGING_STATIONS_JSON",
        );
        let (path, asked) = match &file {
            Some(found) => (Path::new(&found.value), true),
            None => (Path::new(STATIONS), false),
        };
        match fs::read_to_string(path) {
            Ok(json) => stations.extend(charging_station::read(&json).map_err(|why| {
                Failure::new(Code::Configuration, format!("{}: {why}", path.display()))
                    .hint("each entry needs `vin`, `chargeStateTopic` and `chargingValue`")
            })?),
            Err(error) if !asked && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "no charging stations");
            }
        }
        Ok(stations)
    }
}
