use serde_json::{Value, json};

use crate::types::{Position, Vin};

/// A place that is sent to the car's navigation.
#[derive(Debug, Clone, PartialEq)]
pub struct Poi {
    /// Where.
    pub position: Position,
    /// What it is called.
    pub name: String,
    /// Street and number.
    pub street: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// Country.
    pub country: Option<String>,
}

impl Poi {
    /// A place without an address.
    #[must_use]
    pub fn new(position: Position, name: impl Into<String>) -> Self {
        Self {
            position,
            name: name.into(),
            street: None,
            postal_code: None,
            city: None,
            country: None,
        }
    }

    /// The place as the API describes it. What is unknown is null.
    #[must_use]
    pub fn place(&self) -> Value {
        let position = json!({"lat": self.position.latitude, "lng": self.position.longitude});
        let parts = [&self.street, &self.postal_code, &self.city];
        let parts: Vec<&str> = parts
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        let formatted = if parts.is_empty() {
            "Coordinates only".to_owned()
        } else {
            parts.join(", ")
        };
        json!({
            "formattedAddress": formatted,
            "placeType": "ADDRESS",
            "title": self.name,
            "provider": null,
            "providerId": null,
            "providerPoiId": "",
            "sourceType": null,
            "vehicleCategoryId": null,
            "position": position,
            "address": {
                "street": self.street,
                "postalCode": self.postal_code,
                "city": self.city,
                "country": self.country,
                "formatted": null, "banchi": null, "chome": null, "countryCode": null,
                "district": null, "go": null, "houseNumber": null, "region": null,
                "regionCode": null, "settlement": null, "subblock": null,
            },
            "category": {"losCategory": "Address", "mguVehicleCategoryId": null, "name": "Address"},
            "entrances": [{"name": null, "position": position}],
        })
    }

    pub(super) fn body(&self, vin: &Vin) -> Value {
        json!({"places": [self.place()], "vehicleInformation": {"vin": vin}})
    }
}
