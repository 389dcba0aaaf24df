use super::Client;
use crate::modbus::UnitId;
use crate::model::{Generation, Model, Station};
use crate::register::{Block, Registers};
use crate::{Error, Transport};

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The unit that answers.
    pub unit: UnitId,
    /// Register 16; `None` where it is refused, and over MODBUS-TCP.
    pub protocol_version: Option<u16>,
    /// The station's model, a generic one if its name is not known.
    pub model: Model,
    /// The name in the station's registers.
    pub device_type: Option<String>,
    /// The serial number.
    pub serial_number: Option<u64>,
}

impl<T: Transport> Client<T> {
    /// Finds out which unit answers and which model it is: the protocol version
    /// (register 16) tells the generation, and that where the name stands. From
    /// then on the client asks that unit and knows the model, unless it was told
    /// another.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if neither unit 1 nor unit 0 answers,
    /// [`Error::UnknownModel`] if every place of the name is refused and the client
    /// was told no model; otherwise any [`Error`] of a read.
    pub async fn identify(&mut self) -> Result<Identity, Error> {
        let protocol_version = if self.is_tcp {
            None
        } else {
            self.find_unit().await?
        };
        let places = match protocol_version.map(Generation::of_protocol) {
            Some(generation) => vec![generation],
            None if self.is_tcp => vec![Generation::Tcp],
            None => vec![Generation::Second, Generation::First],
        };
        let found = self.identity_page(&places).await?;
        let station = found.as_ref().map(|(generation, page)| {
            let map = match generation {
                Generation::Tcp => Model::EP2000_TCP,
                other => Model::generic(*other),
            };
            Station::new(map, page)
        });
        let name = station.and_then(|station| station.device_type());
        let device_type = name.map(|name| name.to_string());
        let generation = found.as_ref().map(|(generation, _)| *generation);
        let model = self
            .choose(device_type.as_deref(), generation, protocol_version)
            .ok_or(Error::UnknownModel)?;
        self.model = Some(model);
        Ok(Identity {
            unit: self.unit(),
            protocol_version,
            model,
            device_type,
            serial_number: station.and_then(|station| station.serial_number()),
        })
    }

    /// The model that the client was told, or that of a name, or a generic one.
    fn choose(
        &self,
        name: Option<&str>,
        generation: Option<Generation>,
        protocol_version: Option<u16>,
    ) -> Option<Model> {
        let named = self.model.or_else(|| name.and_then(Model::from_name));
        if self.is_tcp {
            return named.and_then(Model::over_tcp);
        }
        let model = named.or_else(|| generation.map(Model::generic))?;
        Some(protocol_version.map_or(model, |version| model.for_protocol(version)))
    }

    /// Asks the unit that is likely, and the other one if that is silent.
    async fn find_unit(&mut self) -> Result<Option<u16>, Error> {
        let likely = self.unit();
        let other = match likely {
            UnitId::HOST => UnitId::DEFAULT,
            _ => UnitId::HOST,
        };
        match self.protocol_version(likely).await {
            Err(Error::TimedOut { .. }) if self.unit.is_none() => {
                let version = self.protocol_version(other).await?;
                self.unit = Some(other);
                Ok(version)
            }
            version => {
                self.unit = Some(likely);
                version
            }
        }
    }

    async fn protocol_version(&mut self, unit: UnitId) -> Result<Option<u16>, Error> {
        let Block { start, count } = Generation::PROTOCOL_VERSION;
        match self.read_unit(unit, start, count).await {
            Ok(words) => Ok(words.first().copied()),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Name and serial number, which lies close behind it.
    async fn identity_page(
        &mut self,
        places: &[Generation],
    ) -> Result<Option<(Generation, Registers)>, Error> {
        for &generation in places {
            let name = generation.device_type();
            let behind = match generation {
                Generation::First => 5,
                Generation::Second | Generation::Tcp => 4,
            };
            let page = Block::new(name.start, name.count + behind);
            let registers = self.read_blocks(&[page]).await?;
            if !registers.is_empty() {
                return Ok(Some((generation, registers)));
            }
        }
        Ok(None)
    }
}
