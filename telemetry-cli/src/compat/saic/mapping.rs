//! Options that say something about each car: `VIN=value,VIN=value`.

use std::collections::BTreeMap;

/// The values by VIN. Blanks do not count, and lower case is taken, too.
///
/// # Errors
/// What is wrong with an entry. The original drops such entries silently.
pub fn by_vin(text: &str) -> Result<BTreeMap<String, String>, String> {
    let entry = |(index, (key, value)): (usize, (&str, &str))| {
        // Not what stands there: written the wrong way round it is a secret.
        let vin = vin(key).map_err(|_| {
            let number = index + 1;
            format!("entry {number} has no VIN of 17 letters and digits before its `=`")
        })?;
        Ok((vin, value.to_owned()))
    };
    entries(text)?.enumerate().map(entry).collect()
}

/// Loading points of openWB by VIN. Help texts showed both orders; a VIN is
/// recognised by its length.
///
/// # Errors
/// What is wrong with an entry.
pub fn loading_points(text: &str) -> Result<BTreeMap<String, String>, String> {
    let in_order = |(left, right)| match vin(left) {
        Ok(vin) => Ok((vin, level(right)?)),
        Err(_) => Ok((vin(right)?, level(left)?)),
    };
    entries(text)?.map(in_order).collect()
}

fn entries(text: &str) -> Result<impl Iterator<Item = (&str, &str)>, String> {
    let entries: Result<Vec<_>, String> = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            // Only once: tokens may hold more of them.
            let (key, value) = entry.split_once('=').ok_or("an entry has no `=`")?;
            match (key.trim(), value.trim()) {
                ("", _) | (_, "") => Err("an entry has nothing before or after its `=`".to_owned()),
                pair => Ok(pair),
            }
        })
        .collect();
    Ok(entries?.into_iter())
}

/// The text as a VIN.
pub(super) fn vin(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_uppercase();
    match text.len() == 17 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(text),
        false => Err(format!("`{text}` is no VIN of 17 letters and digits")),
    }
}

fn level(text: &str) -> Result<String, String> {
    match text.contains(['/', '+', '#']) {
        false => Ok(text.to_owned()),
        true => Err(format!("`{text}` is no number of a loading point")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIN: &str = "LSJTEST0000000001";

    #[test]
    fn blanks_and_lower_case_do_not_matter() {
        let map = by_vin(" lsjtest0000000001 = a=b , LSJTEST0000000002=2,").unwrap();
        assert_eq!(map[VIN], "a=b");
        assert_eq!(map["LSJTEST0000000002"], "2");
        assert!(by_vin("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_entry_is_named_but_never_its_value() {
        for (text, why) in [
            ("LSJ=secret", "entry 1 has no VIN"),
            (
                "LSJTEST0000000001=1,secret=LSJTEST0000000002",
                "entry 2 has no VIN",
            ),
            ("secret", "no `=`"),
            ("LSJTEST0000000001=", "nothing before or after"),
        ] {
            let error = by_vin(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn loading_points_come_in_both_orders() {
        for text in ["1=LSJTEST0000000001", "LSJTEST0000000001=1"] {
            assert_eq!(loading_points(text).unwrap()[VIN], "1");
        }
        assert!(loading_points("1=2").is_err());
        assert!(loading_points("#=LSJTEST0000000001").is_err());
    }
}
