use saic_ismart::DecodeError;
use saic_ismart::Vin;
use saic_ismart::endpoint::{Endpoint, Method, Reach};

/// An endpoint whose answer comes with its JSON text, which can be kept.
pub(super) struct WithText<E>(pub(super) E);

impl<E: Endpoint> Endpoint for WithText<E> {
    type Answer = (E::Answer, Option<String>);

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn method(&self) -> Method {
        self.0.method()
    }

    fn path(&self) -> String {
        self.0.path()
    }

    fn body(&self) -> String {
        self.0.body()
    }

    fn reach(&self) -> Reach {
        self.0.reach()
    }

    fn is_command(&self) -> bool {
        self.0.is_command()
    }

    fn vin(&self) -> Option<&Vin> {
        self.0.vin()
    }

    fn read(&self, data: Option<&str>) -> Result<Self::Answer, DecodeError> {
        Ok((self.0.read(data)?, data.map(str::to_owned)))
    }
}
