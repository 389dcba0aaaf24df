//! What a car is: from the list of the account.

use saic_ismart::VehicleInfo;
use serde::Serialize;

use super::Publications;

/// The topics about the car itself.
pub fn info(info: &VehicleInfo) -> Publications {
    let mut topics = Publications::default();
    let items: Vec<_> = info
        .features
        .iter()
        .map(|feature| Item {
            item_code: feature.code.as_deref(),
            item_name: feature.name.as_deref(),
            item_value: feature.value.as_deref(),
        })
        .collect();
    topics.setting(
        "_internal/configuration/raw",
        super::text::json_line(&items),
    );
    let trimmed = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    topics.setting("info/brand", trimmed(&info.brand));
    topics.setting("info/model", trimmed(&info.model).to_uppercase());
    topics.setting("info/year", trimmed(&info.model_year));
    topics.setting("info/series", trimmed(&info.series).to_uppercase());
    topics.setting("info/color", trimmed(&info.color));
    for feature in &info.features {
        let Some(value) = &feature.value else {
            continue;
        };
        for name in [&feature.name, &feature.code].into_iter().flatten() {
            topics.setting(
                &format!("info/configuration/{}", level(name)),
                value.as_str(),
            );
        }
    }
    topics
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    item_code: Option<&'a str>,
    item_name: Option<&'a str>,
    item_value: Option<&'a str>,
}

/// Without what no topic may hold. A slash makes two levels of it, as the
/// original does.
fn level(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}
