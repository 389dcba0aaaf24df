//! Where things are published, and what brokers do not take in names.

/// The topics of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    prefix: String,
    account: String,
    allow_dots: bool,
}

impl Names {
    /// Below `prefix`, for the account of `user`.
    pub fn new(prefix: &str, user: &str, allow_dots: bool) -> Self {
        let mut names = Self {
            prefix: String::new(),
            account: String::new(),
            allow_dots,
        };
        names.prefix = names.clean(prefix);
        // A slash in a user's name would move all levels that follow.
        names.account = format!("{}/{}", names.prefix, names.clean(user).replace('/', "_"));
        names
    }

    /// What all topics of ours begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the gateway is there: the last will.
    pub fn lwt(&self) -> String {
        format!("{}/_internal/lwt", self.prefix)
    }

    /// What is said to a service on the way.
    pub fn raw(&self, service: &str, path: &str, direction: &str) -> String {
        self.clean(&format!(
            "{}/_internal/{service}/{}/{direction}",
            self.prefix,
            path.trim_matches('/')
        ))
    }

    /// About the account.
    pub fn account(&self, name: &str) -> String {
        format!("{}/account/{name}", self.account)
    }

    /// What all cars begin with.
    pub fn vehicles(&self) -> String {
        format!("{}/vehicles", self.account)
    }

    /// One topic of a car.
    pub fn vehicle(&self, vin: &str, name: &str) -> String {
        self.clean(&format!("{}/{vin}/{name}", self.vehicles()))
    }

    /// The topics of all commands.
    pub fn commands(&self) -> [String; 2] {
        ["+/+/+/set", "+/+/+/+/set"].map(|levels| format!("{}/{levels}", self.vehicles()))
    }

    fn clean(&self, topic: &str) -> String {
        let forbidden = |c: char| match c {
            '+' | '#' | '*' | '$' | '>' => true,
            '.' => !self.allow_dots,
            c => c.is_control(),
        };
        topic
            .chars()
            .map(|c| if forbidden(c) { '_' } else { c })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_original() {
        let names = Names::new("saic", "user+x@example.com", true);
        assert_eq!(names.lwt(), "saic/_internal/lwt");
        assert_eq!(names.vehicles(), "saic/user_x@example.com/vehicles");
        assert_eq!(
            names.vehicle("V", "drivetrain/soc"),
            "saic/user_x@example.com/vehicles/V/drivetrain/soc"
        );
        assert_eq!(
            names.vehicle("V", "info/configuration/A #1"),
            "saic/user_x@example.com/vehicles/V/info/configuration/A _1"
        );
        assert_eq!(
            names.account("lastLogin"),
            "saic/user_x@example.com/account/lastLogin"
        );
        assert_eq!(
            names.raw("api", "/vehicle/list", "request"),
            "saic/_internal/api/vehicle/list/request"
        );
        assert_eq!(
            names.commands()[1],
            "saic/user_x@example.com/vehicles/+/+/+/+/set"
        );
        let dots = Names::new("my.cars", "user+x@example.com", false);
        assert_eq!(dots.vehicles(), "my_cars/user_x@example_com/vehicles");
        assert_eq!(Names::new("a", "b/c", true).vehicles(), "a/b_c/vehicles");
    }
}
