//! What may leave the house: logs and captures without VINs, places, names and tokens.

use serde_json::Value;

/// Keys whose values are secrets, in lower case.
const SECRET_KEYS: [&str; 14] = [
    "access_token",
    "refresh_token",
    "id_token",
    "device_code",
    "client_secret",
    "clientsecret",
    "password",
    "authorization",
    "code_verifier",
    "hcaptchatoken",
    "gcid",
    "entityid",
    "usid",
    "user_code",
];

/// Keys whose values tell about people and places, in lower case, and what stands instead.
const PRIVATE_KEYS: [(&str, &str); 14] = [
    ("licenseplate", "some_license_plate"),
    ("name", "some_name"),
    ("city", "some_city"),
    ("street", "some_street"),
    ("streetnumber", "999"),
    ("postalcode", "some_postal_code"),
    ("phone", "some_phone"),
    ("formatted", "some_formatted_address"),
    ("formattedaddress", "some_formatted_address"),
    ("streetaddress", "some_street"),
    ("municipality", "some_city"),
    ("subtitle", "some_road • duration • -- EUR"),
    ("email", "some_email"),
    ("username", "some_email"),
];

const LATITUDE: f64 = 12.3456;
const LONGITUDE: f64 = 34.5678;
const HEADING: u32 = 123;

/// Makes documents fit to be shown. The same VIN gets the same replacement as
/// long as the value lives.
#[derive(Debug, Clone, Default)]
pub struct Anonymizer {
    vins: Vec<String>,
}

impl Anonymizer {
    /// Knows no VIN yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A JSON document in which positions, addresses, names, tokens and VINs are
    /// replaced at any depth, also in lists of plain texts and as object keys.
    pub fn document(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                // CarData's keys end in what the value means, and wrap it.
                for (key, member) in members.iter_mut() {
                    let last = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase();
                    match replacement(&last, member) {
                        Some(new) if key.contains('.') && member.is_object() => {
                            member["value"] = new;
                        }
                        Some(new) => *member = new,
                        None => self.document(member),
                    }
                }
                if members
                    .keys()
                    .any(|key| vin_at(key.as_bytes(), 0).is_some())
                {
                    let old = std::mem::take(members);
                    members.extend(old.into_iter().map(|(key, value)| (self.text(&key), value)));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.document(item)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    /// A text in which VINs are replaced: `WBA0FINGERPRINT01`.
    pub fn text(&mut self, text: &str) -> String {
        replace_vins(text, |vin| {
            let known = self.vins.iter().position(|known| known == vin);
            let number = known.unwrap_or_else(|| {
                self.vins.push(vin.to_owned());
                self.vins.len() - 1
            });
            format!("{}0FINGERPRINT{:02}", &vin[..3], number + 1)
        })
    }

    /// The name of the file for the answer to a request: brand of the agent
    /// header, path, VIN and the kind of content.
    pub fn file_name(
        &mut self,
        url: &str,
        x_user_agent: Option<&str>,
        vin: Option<&str>,
        content_type: Option<&str>,
    ) -> String {
        let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let brand = x_user_agent.and_then(|agent| agent.split(';').nth(1));
        let mut name = brand.map_or_else(String::new, |brand| format!("{brand}-"));
        name.push_str(&path.trim_matches('/').replace('/', "_"));
        if let Some(vin) = vin {
            name.push('_');
            name.push_str(vin);
        }
        let extension = match content_type.unwrap_or_default().split(';').next() {
            Some("application/json") => "json",
            Some("image/png") => "png",
            Some("image/jpeg") => "jpg",
            _ => "txt",
        };
        // Nothing of a path may lead elsewhere.
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        };
        let name: String = self.text(&name).chars().map(plain).collect();
        format!("{name}.{extension}")
    }
}

fn replacement(key: &str, value: &Value) -> Option<Value> {
    if value.is_null() {
        return None;
    }
    match key {
        "lat" | "latitude" | "mapmatchedlatitude" => Some(LATITUDE.into()),
        "lon" | "lng" | "longitude" | "mapmatchedlongitude" => Some(LONGITUDE.into()),
        "heading" => Some(HEADING.into()),
        _ if SECRET_KEYS.contains(&key) => Some("[REDACTED]".into()),
        _ => {
            let private = PRIVATE_KEYS.iter().find(|(name, _)| *name == key)?;
            Some(private.1.into())
        }
    }
}

/// A line for a log: VINs as `WBA...4501`, what follows `Bearer` and the
/// values of secret members left out.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    // A secret name hides what follows only behind a colon: prose stays.
    let (mut named, mut hide) = (false, false);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest.find(|c| !is_word_part(c)).unwrap_or(rest.len())];
        if word.is_empty() {
            hide |= named && first == ':';
            clean.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let form_field = word
            .split_once('=')
            .filter(|(name, _)| is_secret_name(name));
        if let Some((name, _)) = form_field {
            clean.push_str(name);
            clean.push_str("=[REDACTED]");
        } else if hide || word.starts_with("eyJ") {
            clean.push_str("[REDACTED]");
        } else {
            clean.push_str(word);
        }
        hide = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        named = is_secret_name(word);
        rest = &rest[word.len()..];
    }
    mask_vins(&clean)
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.~+/=".contains(c)
}

fn is_secret_name(word: &str) -> bool {
    SECRET_KEYS.iter().any(|key| word.eq_ignore_ascii_case(key))
}

/// What looks like an identification of a vehicle keeps three and four
/// characters, also the shorter chassis numbers of 11 digits.
fn mask_vins(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len())];
        if word.is_empty() {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let is_vin = word.len() == 17 && word.bytes().any(|byte| byte.is_ascii_digit());
        let is_number = word.len() == 11 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_vin || is_number {
            masked.push_str(&format!("{}...{}", &word[..3], &word[word.len() - 4..]));
        } else {
            masked.push_str(word);
        }
        rest = &rest[word.len()..];
    }
    masked
}

/// The VINs in a text: three characters of a manufacturer's code, which has
/// no I and no O, and 14 capital letters or digits.
#[must_use]
pub fn find_vins(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match vin_at(bytes, at) {
            Some(end) => {
                found.extend(text.get(at..end));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

fn replace_vins(text: &str, mut with: impl FnMut(&str) -> String) -> String {
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    for vin in find_vins(text) {
        let Some((before, after)) = rest.split_once(vin) else {
            break;
        };
        new.push_str(before);
        new.push_str(&with(vin));
        rest = after;
    }
    new.push_str(rest);
    new
}

/// The end of a VIN that begins here.
fn vin_at(bytes: &[u8], start: usize) -> Option<usize> {
    let candidate = bytes.get(start..start + 17)?;
    let (maker, serial) = candidate.split_at(3);
    let of_maker =
        |byte: &u8| matches!(byte, b'A'..=b'H' | b'J'..=b'N' | b'P' | b'R'..=b'Z' | b'0'..=b'9');
    let of_serial = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (maker.iter().all(of_maker) && serial.iter().all(of_serial)).then_some(start + 17)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_texts() {
        let text = r#"{"access_token": "abc", "x": "eyJhbGciOi.eyJ.c2ln"} refresh_token=abc&b=c"#;
        let clean = redact(text);
        assert!(!clean.contains("abc") && !clean.contains("eyJ"), "{clean}");
        assert!(clean.contains("b=c") || clean.contains("&"), "{clean}");
    }

    #[test]
    fn keys_of_cardata() {
        let mut value = serde_json::json!({
            "WBA11AA0001234501": [{"gcid": "g", "list": ["WBA11AA0001234501"]}],
            "vehicle.navigation.currentLocation.latitude": {"value": "51.5", "unit": "°"},
        });
        Anonymizer::new().document(&mut value);
        let text = value.to_string();
        assert!(
            !text.contains("1234501") && !text.contains("51.5"),
            "{text}"
        );
        assert!(text.contains(r#""gcid":"[REDACTED]""#));
    }

    #[test]
    fn vins_next_to_other_letters() {
        assert_eq!(redact("ünï WBA11AA0001234501ü"), "ünï WBA...4501ü");
    }
}
