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
}

/// The cars as they were last listed; none if that is not known.
pub fn load(shared: &Shared) -> Vec<VehicleInfo> {
    let kept = shared
        .load(FILE)
        .filter(|kept: &Kept| kept.account == account(shared));
    let list = kept.and_then(|kept| VehicleListAnswer::from_json(&kept.cars.to_string()).ok());
    list.map(|list| list.vehicles).unwrap_or_default()
}

/// Keeps them for the next start.
pub async fn save(shared: &Shared, cars: &[VehicleInfo]) {
    let kept = Kept {
        account: account(shared),
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
