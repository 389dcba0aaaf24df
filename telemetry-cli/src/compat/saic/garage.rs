//! The cars of the account as a restart knows them, before the cloud is asked.

use saic_ismart::VehicleInfo;
use saic_ismart::vehicle::VehicleListAnswer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shared::Shared;

/// Where they are kept.
const FILE: &str = "cars.json";

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Whose they are: another account has other cars.
    account: String,
    /// As the cloud writes them.
    cars: Value,
    /// The time zone of the account, as the cloud names it.
    #[serde(default)]
    zone: Option<String>,
}

/// What is known at the start.
#[derive(Debug, Default)]
pub struct Known {
    /// The cars as they were last listed.
    pub cars: Vec<VehicleInfo>,
    /// The time zone of the account.
    pub zone: Option<String>,
}

/// What was kept; nothing if that is of another account.
pub fn load(shared: &Shared) -> Known {
    let kept = shared
        .load(FILE)
        .filter(|kept: &Kept| kept.account == account(shared));
    kept.map(known).unwrap_or_default()
}

fn known(kept: Kept) -> Known {
    let list = VehicleListAnswer::from_json(&kept.cars.to_string());
    Known {
        cars: list.map(|list| list.vehicles).unwrap_or_default(),
        zone: kept.zone,
    }
}

/// Keeps them for the next start.
pub async fn save(shared: &Shared, cars: &[VehicleInfo], zone: Option<&str>) {
    let kept = Kept {
        account: account(shared),
        zone: zone.map(ToOwned::to_owned),
        cars: json!({"vinList": cars.iter().map(car).collect::<Vec<_>>()}),
    };
    shared.save(FILE, &kept).await;
}

/// Whether a car is not what it was. The cloud leaves out the features now and
/// then: that says nothing.
pub fn has_changed(before: &VehicleInfo, now: &VehicleInfo) -> bool {
    !now.features.is_empty() && car(before) != car(now)
}

fn account(shared: &Shared) -> String {
    shared.names.account("")
}

/// What topics, entities and commands need. Who else may use it is nobody's business.
fn car(info: &VehicleInfo) -> Value {
    let features = info.features.iter().map(|feature| {
        json!({
            "itemCode": feature.code,
            "itemName": feature.name,
            "itemValue": feature.value,
        })
    });
    json!({
        "vin": info.vin.as_ref().map(|vin| vin.as_str()),
        "brandName": info.brand,
        "modelName": info.model,
        "modelYear": info.model_year,
        "colorName": info.color,
        "series": info.series,
        "vehicleModelConfiguration": features.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_is_the_same_after_a_restart_but_for_people() {
        let list = json!({"vinList": [{
            "vin": "LSJTEST0000000001", "brandName": "MG", "modelName": "MG4 Electric",
            "modelYear": "2023", "colorName": "Black Pearl", "series": "EH32 S",
            "vehicleModelConfiguration": [
                {"itemCode": "BType", "itemName": "Battery", "itemValue": "1"},
                {"itemName": "Sunroof", "itemValue": "0"},
            ],
        }]});
        let mut read = VehicleListAnswer::from_json(&list.to_string())
            .unwrap()
            .vehicles;
        let again = |info: &VehicleInfo| {
            let list = json!({"vinList": [car(info)]}).to_string();
            VehicleListAnswer::from_json(&list).unwrap().vehicles
        };
        assert_eq!(again(&read[0]), read);
        let plain = read[0].clone();
        read[0].name = Some("whose it is".to_owned());
        assert_eq!(again(&read[0]), [plain]);
    }

    #[test]
    fn a_file_of_the_first_version_has_no_time_zone() {
        let file =
            json!({"account": "saic/me", "cars": {"vinList": [{"vin": "LSJTEST0000000001"}]}});
        let first = known(serde_json::from_value(file.clone()).unwrap());
        assert_eq!((first.cars.len(), first.zone), (1, None));
        let mut file = file;
        file["zone"] = "Europe/Rome".into();
        let next = known(serde_json::from_value(file).unwrap());
        assert_eq!(next.zone.as_deref(), Some("Europe/Rome"));
    }

    #[test]
    fn a_car_changes_when_the_cloud_learns_of_it() {
        let of = |json: Value| {
            let list = json!({"vinList": [json]}).to_string();
            VehicleListAnswer::from_json(&list)
                .unwrap()
                .vehicles
                .remove(0)
        };
        let feature = |value: &str| json!([{"itemCode": "BType", "itemValue": value}]);
        let plain = of(json!({"vin": "LSJTEST0000000001", "series": "EH32 S"}));
        let known = of(
            json!({"vin": "LSJTEST0000000001", "series": "EH32 S", "vehicleModelConfiguration": feature("1")}),
        );
        assert!(has_changed(&plain, &known));
        assert!(!has_changed(&known, &plain));
        let mut renamed = known.clone();
        renamed.name = Some("another name".to_owned());
        assert!(!has_changed(&known, &renamed));
    }
}
